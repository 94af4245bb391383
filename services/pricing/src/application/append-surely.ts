import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredEvent } from '@tollkeeper/events';
import {
  StoreUnavailableError,
  UnknownOutcomeError,
  type EventStore,
  type ExpectedRevision,
} from '@tollkeeper/event-store';

const triesMax = 10;
const restMs = 100;

/**
 * Appends, and where the outcome is unknown repeats the same ids at the same revision until it is known.
 *
 * @returns the revision of the last event
 * @throws WrongExpectedRevisionError  nothing was stored
 * @throws UnknownOutcomeError, StoreUnavailableError  after the last try
 */
export const appendSurely = async (
  store: EventStore,
  stream: string,
  expected: ExpectedRevision,
  events: readonly StoredEvent[],
): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    try {
      const { revision } = await store.append(stream, expected, events);
      return revision;
    } catch (error) {
      const passing =
        error instanceof UnknownOutcomeError || error instanceof StoreUnavailableError;
      if (!passing || tries >= triesMax) throw error;
      await sleep(restMs * tries);
    }
  }
};
