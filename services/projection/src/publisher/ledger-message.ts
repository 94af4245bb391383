import { ledgerSubjects, type LedgerEventMessage } from '@tollkeeper/contracts';
import type { RecordedEvent } from '@tollkeeper/event-store';
import type { StreamMessage } from '@tollkeeper/messaging';
import { z } from 'zod';
import { accountIdOf } from '../projector/decode-event.js';

const ids = z.object({
  occurredAt: z.string(),
  correlationId: z.string(),
  causationId: z.string(),
  commandId: z.string(),
  actor: z.string(),
});

/**
 * An event as others get it: its data and the ids of its metadata. Types are not looked at, so that a
 * newer event passes through. Undefined where the stored text is broken; its account is parked.
 */
export const ledgerMessage = (event: RecordedEvent): StreamMessage | undefined => {
  const accountId = accountIdOf(event.stream);
  try {
    const message: LedgerEventMessage = {
      id: event.id,
      type: event.type,
      accountId,
      revision: event.revision,
      ...ids.parse(JSON.parse(event.metadata)),
      data: JSON.parse(event.data) as unknown,
    };
    return {
      subject: ledgerSubjects.event(event.type, accountId),
      body: JSON.stringify(message),
      id: event.id,
    };
  } catch {
    return undefined;
  }
};
