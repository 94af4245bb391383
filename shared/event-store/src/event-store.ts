/**
 * The event store port: what the ledger needs of a store, and nothing else.
 *
 * Every promise below has a line in `event-store.contract.ts`, which each adapter passes.
 */

/** An event to append. Payloads are JSON text, stored as the very bytes given: they are hashed. */
export interface NewEvent {
  /** A UUID, fresh for each decision and kept for its retries. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** Place in the stream, from 0, without gaps. */
  readonly revision: number;
  /** Place in the whole store: opaque, and only comparable by the store that gave it. */
  readonly position: Position;
  readonly recordedAt: Date;
}

/** An opaque place in the store's global order. Subscriptions resume after it. */
export type Position = string;

/** The stream's last revision that the writer decided on; `no-stream` means that it saw none. */
export type ExpectedRevision = number | 'no-stream' | 'any';

export interface AppendResult {
  /** Revision of the last event of this append (also when it had been stored before). */
  readonly revision: number;
}

export interface ReadOptions {
  /** First revision to return, inclusive; 0 unless given. */
  readonly fromRevision?: number;
  /** At most so many events. */
  readonly limit?: number;
}

export interface SubscribeOptions {
  /** Exclusive; from the beginning of the store unless given. */
  readonly after?: Position;
  /** Stream categories: the text before the first `-` of a stream's name. */
  readonly categories: readonly string[];
  /** Events per call at the most; 512 unless given. */
  readonly batchMax?: number;
  /**
   * Called with events in the store's order, never concurrently. The next batch waits for its promise;
   * a rejection ends the subscription and reaches `onError` as it is.
   */
  readonly onEvents: (events: readonly RecordedEvent[]) => Promise<void> | void;
  /** Called once, when everything that was stored at the time of subscribing has been delivered. */
  readonly onCaughtUp?: () => void;
  /** Only for a handler that rejected: a lost connection is retried by the adapter as a matter of course. */
  readonly onError: (error: unknown) => void;
  /**
   * Rest between two batches while events keep coming, so that a reader that nobody waits for does
   * not wake for each commit; 0 unless given. A quiet store's first event is delivered at once.
   */
  readonly restMs?: number;
}

export interface Subscription {
  /** Resolves when the handler has returned for the last time. */
  readonly stop: () => Promise<void>;
}

export interface EventStore {
  /** Which store this is: a UUID made with it. A checkpoint of another store must not be used. */
  readonly storeId: () => Promise<string>;
  /**
   * Stores all events or none, behind the expected revision.
   *
   * Idempotent for an exact revision or `no-stream`: the same ids at the same place answer the first
   * result again, also after later events. Other ids there, or a mix, are a WrongExpectedRevisionError.
   *
   * @throws WrongExpectedRevisionError  nothing was stored
   * @throws AppendTooLargeError         nothing was sent: more than `appendBytesMax`
   * @throws InvalidEventError           nothing was sent: no events, a bad id, type, stream or a repeated id
   * @throws UnknownOutcomeError         stored or not: retry the same ids at the same revision
   * @throws StoreUnavailableError       nothing was sent: this instance was closed
   */
  readonly append: (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ) => Promise<AppendResult>;
  /** The stream's events in order; none for a stream that does not exist. */
  readonly read: (stream: string, options?: ReadOptions) => AsyncIterable<RecordedEvent>;
  /**
   * The revision of the stream's last event; undefined where the stream does not exist. What was stored when it is called, by
   * whomever, counts.
   *
   * @throws StoreUnavailableError
   */
  readonly lastRevision: (stream: string) => Promise<number | undefined>;
  readonly subscribe: (options: SubscribeOptions) => Subscription;
  /**
   * The position of the last event stored, undefined in an empty store. With categories: of the last event
   * that a subscriber of these sees; without, it may be one that no subscriber ever sees.
   */
  readonly head: (categories?: readonly string[]) => Promise<Position | undefined>;
  /** Negative when `a` comes before `b` in this store's order, zero when they are the same place. */
  readonly comparePositions: (a: Position, b: Position) => number;
  readonly close: () => Promise<void>;
}

/** Above it KurrentDB refuses an append; the mailbox cuts its batches at half of it. */
export const appendBytesMax = 1024 * 1024;

/** `credit-acc_42` → `credit`. */
export const categoryOf = (stream: string): string => {
  const dash = stream.indexOf('-');
  return dash < 0 ? stream : stream.slice(0, dash);
};

export class WrongExpectedRevisionError extends Error {
  override readonly name = 'WrongExpectedRevisionError';
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    /** The stream's revision at the time of the refusal; undefined when it does not exist. */
    readonly actual: number | undefined,
  ) {
    super(`stream ${stream}: expected revision ${String(expected)}, found ${String(actual)}`);
  }
}

export class AppendTooLargeError extends Error {
  override readonly name = 'AppendTooLargeError';
}

export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
}

/** The store may or may not have stored the events; only a retry of the same append can tell. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
}

export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** The server may forget what it has acknowledged when its power fails: no ledger is kept on it. */
export class UnsafeStoreError extends Error {
  override readonly name = 'UnsafeStoreError';
  constructor(
    readonly server: string,
    /** Of the server, and what they are. */
    readonly settings: Readonly<Record<string, string>>,
  ) {
    const list = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    super(`${server} runs with ${list.join(', ')} and could lose acknowledged events`);
  }
}
