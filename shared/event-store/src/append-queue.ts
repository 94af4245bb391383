import {
  StoreUnavailableError,
  type AppendResult,
  type ExpectedRevision,
  type NewEvent,
} from './event-store.js';

export interface AppendPart {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** An append that waits for its answer. */
export interface QueuedAppend extends AppendPart {
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

export interface AppendQueueOptions {
  /** One batch's bounds: enough to make its fixed cost vanish, small enough to keep it short. */
  readonly bytesMax: number;
  readonly eventsMax: number;
  readonly streamsMax?: number;
  /** Streams that the store takes for one must not meet in a batch; by name unless given. */
  readonly keyOf?: (stream: string) => string;
  /** Answers every append of the batch; never rejects. */
  readonly flush: (batch: readonly QueuedAppend[]) => Promise<void>;
}

export interface Appender {
  readonly append: (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
    bytes: number,
  ) => Promise<AppendResult>;
  /** Resolves when everything queued has been answered. */
  readonly close: () => Promise<void>;
}

/**
 * One batch in flight; what is queued meanwhile goes together in the next. So a lone append
 * is sent at once, and under load the commit's flush to disk is shared by all who wait for it.
 */
export const createAppendQueue = (options: AppendQueueOptions): Appender => {
  let queue: QueuedAppend[] = [];
  let flushing: Promise<void> | undefined;
  let closed = false;

  const flushAll = async (): Promise<void> => {
    while (queue.length > 0) {
      const [batch, rest] = takeBatch(queue, options);
      queue = rest;
      await options.flush(batch);
      // Those who were answered now append again: without this turn the first of them would leave alone.
      await nextTurn();
    }
    flushing = undefined;
  };

  return {
    append: (stream, expected, events, bytes) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new StoreUnavailableError('this store was closed'));
          return;
        }
        queue.push({ stream, expected, events, bytes, resolve, reject });
        flushing ??= flushAll();
      }),
    close: async () => {
      closed = true;
      await flushing;
    },
  };
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The longest start of the queue that fits; a stream's second append waits for the fate of its first. */
const takeBatch = (
  queue: QueuedAppend[],
  { bytesMax, eventsMax, streamsMax = Infinity, keyOf }: AppendQueueOptions,
): [batch: QueuedAppend[], rest: QueuedAppend[]] => {
  const batch: QueuedAppend[] = [];
  const rest: QueuedAppend[] = [];
  const streams = new Set<string>();
  let bytes = 0;
  let count = 0;
  for (const [index, part] of queue.entries()) {
    const stream = keyOf ? keyOf(part.stream) : part.stream;
    if (streams.has(stream)) {
      rest.push(part);
      continue;
    }
    bytes += part.bytes;
    count += part.events.length;
    const isFull = bytes > bytesMax || count > eventsMax || batch.length >= streamsMax;
    if (batch.length > 0 && isFull) {
      return [batch, [...rest, ...queue.slice(index)]];
    }
    batch.push(part);
    streams.add(stream);
  }
  return [batch, rest];
};
