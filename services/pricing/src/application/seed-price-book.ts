import { setTimeout as sleep } from 'node:timers/promises';
import {
  commandHashOf,
  eventHash,
  genesisHash,
  toStored,
  type PriceBookEvent,
  type StoredEvent,
} from '@tollkeeper/events';
import {
  StoreUnavailableError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  type EventStore,
} from '@tollkeeper/event-store';
import { canonicalJson, uuidv7 } from '@tollkeeper/kernel';
import type { SeedStream } from '../domain/price-book/seed-streams.js';

const appendsAtOnce = 32;
const triesMax = 10;
const restMs = 100;

const stored = (event: PriceBookEvent, prevHash: string, at: Date): StoredEvent => {
  const commandId = uuidv7(at.getTime());
  return toStored(uuidv7(at.getTime()), event, {
    schemaVersion: 1,
    occurredAt: at.toISOString(),
    correlationId: commandId,
    causationId: commandId,
    actor: 'seed',
    commandId,
    commandHash: commandHashOf(canonicalJson({ type: event.type, ...event.data })),
    prevHash,
  });
};

/** The stream's events, each holding the hash of the one before it. */
const chained = ({ stream, events }: SeedStream, at: Date): StoredEvent[] => {
  let prevHash = genesisHash(stream);
  return events.map((event) => {
    const link = stored(event, prevHash, at);
    prevHash = eventHash(link);
    return link;
  });
};

/** True if this call stored the stream, false if it was there: another instance was quicker. */
const begin = async (store: EventStore, seed: SeedStream, at: Date): Promise<boolean> => {
  const events = chained(seed, at);
  for (let tries = 1; ; tries += 1) {
    try {
      await store.append(seed.stream, 'no-stream', events);
      return true;
    } catch (error) {
      if (error instanceof WrongExpectedRevisionError) return false;
      const passing =
        error instanceof UnknownOutcomeError || error instanceof StoreUnavailableError;
      if (!passing || tries >= triesMax) throw error;
      await sleep(restMs * tries);
    }
  }
};

/**
 * Begins the streams that do not exist yet; those that do are left alone, whatever they hold. Safe to
 * repeat and to race: a stream begins once, whole. Answers how many this call began.
 */
export const seedPriceBook = async (
  store: EventStore,
  missing: readonly SeedStream[],
  at: Date,
): Promise<number> => {
  let begun = 0;
  for (let first = 0; first < missing.length; first += appendsAtOnce) {
    const some = missing.slice(first, first + appendsAtOnce);
    const results = await Promise.all(some.map((seed) => begin(store, seed, at)));
    begun += results.filter(Boolean).length;
  }
  return begun;
};
