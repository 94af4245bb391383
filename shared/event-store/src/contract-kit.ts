import { randomBytes, randomUUID } from 'node:crypto';
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
  RecordedEvent,
  SubscribeOptions,
} from './event-store.js';

/** What an adapter's test gives the contract suite. */
export interface EventStoreFixture {
  /** Another instance over the same storage, as another process would have it; the suite closes it. */
  readonly open: () => Promise<EventStore>;
  /** An instance whose replies can be lost; its appends give up after at most 2 s. The suite closes it. */
  readonly openLossy: () => Promise<LossyStore>;
  readonly close: () => Promise<void>;
}

export interface LossyStore {
  readonly store: EventStore;
  /** From now on requests arrive and are carried out, but nothing comes back. */
  readonly loseReplies: () => void;
  readonly heal: () => void;
}

/** The suite's view of the fixture: set up before the first test. */
export interface Bench {
  readonly fixture: () => EventStoreFixture;
  readonly store: () => EventStore;
  /** A further instance, closed after the test. */
  readonly openAnother: () => Promise<EventStore>;
  /** A subscription that is stopped after the test. */
  readonly follow: (options: FollowOptions) => Follower;
}

export interface FollowOptions extends Partial<SubscribeOptions> {
  readonly categories: readonly string[];
  readonly store?: EventStore;
}

export interface Follower {
  readonly received: RecordedEvent[];
  readonly batches: (readonly RecordedEvent[])[];
  readonly errors: unknown[];
  readonly caughtUp: Promise<void>;
  readonly isCaughtUp: () => boolean;
  readonly stop: () => Promise<void>;
  /** Waits until so many events have come. */
  readonly count: (events: number) => Promise<void>;
}

export const follow = (store: EventStore, options: FollowOptions): Follower => {
  const received: RecordedEvent[] = [];
  const batches: (readonly RecordedEvent[])[] = [];
  const errors: unknown[] = [];
  let isCaughtUp = false;
  let resolve: () => void = () => undefined;
  const caughtUp = new Promise<void>((settle) => {
    resolve = settle;
  });
  const subscription = store.subscribe({
    ...options,
    onEvents: async (events) => {
      batches.push(events);
      received.push(...events);
      await options.onEvents?.(events);
    },
    onCaughtUp: () => {
      isCaughtUp = true;
      options.onCaughtUp?.();
      resolve();
    },
    onError: (error) => {
      errors.push(error);
      options.onError?.(error);
    },
  });
  return {
    received,
    batches,
    errors,
    caughtUp,
    isCaughtUp: () => isCaughtUp,
    stop: subscription.stop,
    count: (events) =>
      eventually(`${String(events)} events`, () => received.length >= events, {
        describe: () => `${String(received.length)} have come`,
      }),
  };
};

export const newEvent = (data = '{}', metadata = '{}'): NewEvent => ({
  id: randomUUID(),
  type: 'Tested',
  data,
  metadata,
});

export const newEvents = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => newEvent(`{"n":${String(index)}}`));

/** A category of its own for each test, so that tests share one store and never meet. */
export const newCategory = (): string => `t${randomBytes(6).toString('hex')}`;
export const newStream = (category = newCategory()): string =>
  `${category}-${randomBytes(4).toString('hex')}`;

export const idsOf = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

export const collect = async (events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> => {
  const all: RecordedEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
};

/** The place of a stream's last event in the whole store. */
export const lastPosition = async (store: EventStore, stream: string): Promise<Position> =>
  (await collect(store.read(stream))).at(-1)?.position ?? '';

export const rejectionOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
};

/** What a caller does after an unknown outcome: the same append, until the store answers. */
export const appendUntilAnswered = async (
  store: EventStore,
  [stream, expected, events]: [string, ExpectedRevision, readonly NewEvent[]],
): Promise<AppendResult> => {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await store.append(stream, expected, events);
    } catch (error) {
      if (!isUnknownOutcome(error) || performance.now() > deadline) throw error;
      await pause(20);
    }
  }
};

const isUnknownOutcome = (error: unknown): boolean =>
  error instanceof Error && error.name === 'UnknownOutcomeError';

interface EventuallyOptions {
  readonly withinMs?: number;
  readonly describe?: () => string;
}

/** Waits for a condition, with a deadline. */
export const eventually = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  { withinMs = 20_000, describe = () => 'not so' }: EventuallyOptions = {},
): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${String(withinMs)} ms for ${what}: ${describe()}`);
    }
    await pause(5);
  }
};

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Throws unless every event comes after the one before, in the whole store and in its stream. */
export const checkOrder = (store: EventStore, events: readonly RecordedEvent[]): void => {
  let before: Position | undefined;
  const revisions = new Map<string, number>();
  for (const { position, stream, revision } of events) {
    if (before !== undefined && store.comparePositions(before, position) >= 0) {
      throw new Error(`${position} came after ${before}`);
    }
    before = position;
    const revisionBefore = revisions.get(stream) ?? revision - 1;
    if (revision !== revisionBefore + 1) {
      throw new Error(`${stream}: ${String(revision)} came after ${String(revisionBefore)}`);
    }
    revisions.set(stream, revision);
  }
};
