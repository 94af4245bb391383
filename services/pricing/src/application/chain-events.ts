import {
  eventHash,
  toStored,
  type EventMetadata,
  type PriceBookEvent,
  type StoredEvent,
} from '@tollkeeper/events';
import { uuidv7 } from '@tollkeeper/kernel';

/** An event's metadata but for what the chain itself says. */
export type EventOrigin = Omit<EventMetadata, 'schemaVersion' | 'occurredAt' | 'prevHash'>;

/** Events ready for their stream, each holding the hash of the one before it; the first holds `prevHash`. */
export const chainEvents = (
  prevHash: string,
  events: readonly PriceBookEvent[],
  at: Date,
  originOf: (event: PriceBookEvent) => EventOrigin,
): StoredEvent[] => {
  let hash = prevHash;
  return events.map((event) => {
    const { correlationId, causationId, actor, commandId, commandHash } = originOf(event);
    const link = toStored(uuidv7(at.getTime()), event, {
      schemaVersion: 1,
      occurredAt: at.toISOString(),
      correlationId,
      causationId,
      actor,
      commandId,
      commandHash,
      prevHash: hash,
    });
    hash = eventHash(link);
    return link;
  });
};
