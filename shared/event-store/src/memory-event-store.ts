import { randomUUID } from 'node:crypto';
import { checkAppend, checkJson } from './check-append.js';
import {
  InvalidEventError,
  StoreUnavailableError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  categoryOf,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type RecordedEvent,
  type Subscription,
} from './event-store.js';
import { subscribeByPulling } from './pull-subscription.js';

/** What several memory stores can share, as several processes share a database. */
export interface MemoryStorage {
  readonly storeId: string;
  readonly events: RecordedEvent[];
  readonly streams: Map<string, RecordedEvent[]>;
  readonly ids: Map<string, RecordedEvent>;
  readonly wakes: Set<() => void>;
  /** For tests: appends store their events, and their callers never hear of it. */
  repliesLost: boolean;
}

export const createMemoryStorage = (): MemoryStorage => ({
  storeId: randomUUID(),
  events: [],
  streams: new Map(),
  ids: new Map(),
  wakes: new Set(),
  repliesLost: false,
});

const pageMax = 512;

/** For domain and service tests; needs no timer, so it also runs under a test's fake clock. */
export const createMemoryEventStore = (
  storage: MemoryStorage = createMemoryStorage(),
): EventStore => {
  const subscriptions = new Set<Subscription>();
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw new StoreUnavailableError('this store was closed');
  };

  return {
    storeId: () => Promise.resolve(storage.storeId),

    append: async (stream, expected, events) => {
      checkOpen();
      checkAppend(stream, expected, events);
      checkJson(events);
      // A caller that forgets to await must see here what it would see of a database: nothing yet.
      await Promise.resolve();
      const result = appendNow(storage, stream, expected, events);
      if (storage.repliesLost) throw new UnknownOutcomeError('the reply was lost');
      return result;
    },

    read: async function* (stream, options = {}) {
      checkOpen();
      await Promise.resolve();
      const from = options.fromRevision ?? 0;
      const events = storage.streams.get(stream) ?? [];
      yield* events.slice(from, from + (options.limit ?? Infinity));
    },

    lastRevision: async (stream) => {
      checkOpen();
      await Promise.resolve();
      return storage.streams.get(stream)?.at(-1)?.revision;
    },

    subscribe: (options) => {
      checkOpen();
      const categories = new Set(options.categories);
      // Positions count from 1 without gaps, so a position is also the index of what follows it.
      let index = Number(options.after ?? 0);
      const subscription = subscribeByPulling(
        {
          fetch: () => {
            const events: RecordedEvent[] = [];
            for (; index < storage.events.length && events.length < pageMax; index += 1) {
              const event = storage.events[index];
              if (event && categories.has(categoryOf(event.stream))) events.push(event);
            }
            return Promise.resolve({ events, full: index < storage.events.length });
          },
          onStored: (wake) => {
            storage.wakes.add(wake);
            return () => storage.wakes.delete(wake);
          },
        },
        options,
      );
      subscriptions.add(subscription);
      return subscription;
    },

    head: (categories) =>
      Promise.resolve(
        storage.events.findLast((event) => categories?.includes(categoryOf(event.stream)) ?? true)
          ?.position,
      ),

    comparePositions: (a, b) => Number(a) - Number(b),

    close: async () => {
      closed = true;
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()));
    },
  };
};

const appendNow = (
  storage: MemoryStorage,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): AppendResult => {
  const stored = storage.streams.get(stream) ?? [];
  const expectedLength = lengthExpected(storage, stream, expected, events);
  if (expectedLength !== stored.length) {
    const place = stored.slice(expectedLength, expectedLength + events.length);
    const last = place.at(-1);
    const same =
      place.length === events.length && place.every((event, i) => event.id === events[i]?.id);
    if (last && same) return { revision: last.revision };
    const actual = stored.length === 0 ? undefined : stored.length - 1;
    throw new WrongExpectedRevisionError(stream, expected, actual);
  }
  const elsewhere = events.find((event) => storage.ids.has(event.id));
  if (elsewhere) throw new InvalidEventError(`event ${elsewhere.id} is stored in another place`);

  const recordedAt = new Date();
  for (const { id, type, data, metadata } of events) {
    const revision = stored.length;
    const position = String(storage.events.length + 1);
    const event = { id, type, data, metadata, stream, revision, position, recordedAt };
    stored.push(event);
    storage.events.push(event);
    storage.ids.set(id, event);
  }
  storage.streams.set(stream, stored);
  for (const wake of storage.wakes) wake();
  return { revision: stored.length - 1 };
};

/** How many events the stream held when the writer decided. */
const lengthExpected = (
  storage: MemoryStorage,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): number => {
  if (expected === 'no-stream') return 0;
  if (expected !== 'any') return expected + 1;
  const first = storage.ids.get(events[0]?.id ?? '');
  return first?.stream === stream ? first.revision : (storage.streams.get(stream)?.length ?? 0);
};
