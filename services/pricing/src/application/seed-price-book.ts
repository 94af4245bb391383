import { commandHashOf, genesisHash, seedActor } from '@tollkeeper/events';
import { WrongExpectedRevisionError, type EventStore } from '@tollkeeper/event-store';
import { canonicalJson, uuidv7 } from '@tollkeeper/kernel';
import type { SeedStream } from '../domain/price-book/seed-streams.js';
import { appendSurely } from './append-surely.js';
import { chainEvents } from './chain-events.js';

const appendsAtOnce = 32;

/** True if this call stored the stream, false if it was there: another instance was quicker. */
const begin = async (
  store: EventStore,
  { stream, events }: SeedStream,
  at: Date,
): Promise<boolean> => {
  const chained = chainEvents(genesisHash(stream), events, at, (event) => {
    const commandId = uuidv7(at.getTime());
    return {
      correlationId: commandId,
      causationId: commandId,
      actor: seedActor,
      commandId,
      commandHash: commandHashOf(canonicalJson({ type: event.type, ...event.data })),
    };
  });
  try {
    await appendSurely(store, stream, 'no-stream', chained);
    return true;
  } catch (error) {
    if (error instanceof WrongExpectedRevisionError) return false;
    throw error;
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
