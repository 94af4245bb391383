import {
  BACKWARDS,
  END,
  KurrentDBClient,
  StreamNotFoundError,
  streamNameFilter,
  type BinaryEventType,
} from '@kurrent/kurrentdb-client';
import { randomUUID } from 'node:crypto';
import { checkAppend, checkJson } from './check-append.js';
import {
  StoreUnavailableError,
  WrongExpectedRevisionError,
  type EventStore,
  type Position,
  type ReadOptions,
  type RecordedEvent,
  type Subscription,
} from './event-store.js';
import { canMerge, createMergingAppender, createSingleAppender } from './kurrentdb-append.js';
import { fromNode, toPosition } from './kurrentdb-codec.js';
import { isRefusal } from './kurrentdb-errors.js';
import { createKurrentSender, disposeClient } from './kurrentdb-sender.js';
import { forClient, readKurrentdbUrl } from './kurrentdb-url.js';
import { categoryFilter, subscribeToNode } from './kurrentdb-subscription.js';
import { checkStreamPrefix, withStreamPrefix } from './stream-prefix.js';

export interface KurrentdbEventStoreOptions {
  /**
   * `kurrentdb://host:2113?tls=false`; `esdb://` works too. With `mergeAppends=true`, which the client is not shown, appends of
   * several streams go to the node together, where it can do that. With `streamPrefix=staging_` the store has the streams
   * of the node whose names begin so, and no others.
   */
  readonly url: string;
  /** Shown by the node beside its connections. */
  readonly applicationName: string;
  /** Told of failures that the store deals with by itself, such as a lost subscription. */
  readonly onError?: (error: unknown) => void;
  /** Told once, when the store is open: whether appends of several streams go to the node together. */
  readonly onMerging?: (merging: boolean) => void;
  /** After that an append's outcome is unknown; 5 s unless given. */
  readonly appendTimeoutMs?: number;
  /** How long to wait for a node that starts; 30 s unless given. */
  readonly readyTimeoutMs?: number;
}

const identityStream = 'store-identity';
/** Ours, and not the client's. */
const ours = { mergeAppends: 'mergeappends', streamPrefix: 'streamprefix' } as const;
const readTimeoutMs = 10_000;
const readRetriesMs = [20, 50, 100, 200, 400, 800, 1_600];

/** A store on a node, or a cluster, of KurrentDB or EventStoreDB 23.10 and newer. */
export const openKurrentdbEventStore = async (
  options: KurrentdbEventStoreOptions,
): Promise<EventStore> => {
  const asked = readKurrentdbUrl(options.url);
  if (asked.settings.get('throwonappendfailure') === 'false') {
    throw new Error(
      'throwOnAppendFailure=false makes the client answer a conflict with revision 1',
    );
  }
  const onError = options.onError ?? (() => undefined);
  const { url, unknown } = forClient(asked, options.applicationName);
  const others = unknown.filter((name) => !Object.values<string>(ours).includes(name));
  if (others.length > 0) onError(new Error(`unknown settings, ignored: ${others.join(', ')}`));
  const streamPrefix = asked.settings.get(ours.streamPrefix) ?? '';
  if (streamPrefix !== '') checkStreamPrefix(streamPrefix);
  const connect = (): KurrentDBClient => connectTo(url);
  const reader = connect();
  const sender = createKurrentSender(connect, options.appendTimeoutMs ?? 5_000);
  let appender = createSingleAppender(sender);
  const subscriptions = new Set<Subscription>();
  let storeId: string | undefined;

  const append = async (...[stream, expected, events]: Parameters<EventStore['append']>) => {
    const bytes = checkAppend(stream, expected, events);
    checkJson(events);
    return appender.append(stream, expected, events, bytes);
  };

  const identify = async (): Promise<string> => {
    const stream = streamPrefix + identityStream;
    for await (const { id } of read(reader, stream, { limit: 1 })) return id;
    const id = randomUUID();
    const event = { id, type: 'StoreIdentified', data: '{}', metadata: '{}' };
    try {
      await append(stream, 'no-stream', [event]);
      return id;
    } catch (error) {
      // Another instance was first.
      if (error instanceof WrongExpectedRevisionError) return identify();
      throw error;
    }
  };

  const close = async (): Promise<void> => {
    await Promise.all([...subscriptions].map((subscription) => subscription.stop()));
    await appender.close();
    await disposeClient(reader);
  };

  try {
    storeId = await untilReady(identify, options.readyTimeoutMs ?? 30_000);
    const wantsMerging = /^true$/i.test(asked.settings.get(ours.mergeAppends) ?? '');
    const isMerging = wantsMerging && (await canMerge(sender, onError));
    if (isMerging) appender = createMergingAppender(sender, onError);
    options.onMerging?.(isMerging);
  } catch (error) {
    await close();
    throw error;
  }
  const id = storeId;

  const store: EventStore = {
    storeId: () => Promise.resolve(id),
    append,
    read: (stream, readOptions) => read(reader, stream, readOptions),
    lastRevision: (stream) => lastRevision(reader, stream),
    subscribe: (subscribeOptions) => {
      const subscription = subscribeToNode(reader, subscribeOptions, onError);
      subscriptions.add(subscription);
      return subscription;
    },
    head: (categories) => head(reader, categories),
    comparePositions: (a, b) => (a < b ? -1 : Number(a > b)),
    close,
  };
  return streamPrefix === '' ? store : withStreamPrefix(store, streamPrefix);
};

const connectTo = (url: string): KurrentDBClient => {
  try {
    return KurrentDBClient.connectionString(url);
  } catch (error) {
    if (!isParseError(error)) throw error;
    // eslint-disable-next-line preserve-caught-error -- it has the password in it, and would be logged
    throw new Error(
      `the connection string of KurrentDB cannot be read: ${error.expected} is expected`,
    );
  }
};

const isParseError = (error: unknown): error is Error & { readonly expected: string } =>
  error instanceof Error && 'connectionString' in error;

const untilReady = async <T>(work: () => Promise<T>, timeoutMs: number): Promise<T> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (isRefusal(error)) throw error;
      if (performance.now() > deadline) {
        throw new StoreUnavailableError('the event store is not ready', { cause: error });
      }
      await pause(200);
    }
  }
};

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Goes on after the last event that it gave when the connection breaks: so do the first reads after one. */
const read = async function* (
  client: KurrentDBClient,
  stream: string,
  { fromRevision = 0, limit = Infinity }: ReadOptions = {},
): AsyncGenerator<RecordedEvent> {
  let next = fromRevision;
  const end = fromRevision + limit;
  const open = (): AsyncGenerator<RecordedEvent> => readOnce(client, stream, next, end - next);
  if (limit <= 0) return;
  for await (const event of retrying(open)) {
    yield event;
    next = event.revision + 1;
  }
};

const readOnce = async function* (
  client: KurrentDBClient,
  stream: string,
  fromRevision: number,
  limit: number,
): AsyncGenerator<RecordedEvent> {
  const events = client.readStream<BinaryEventType>(stream, {
    fromRevision: BigInt(fromRevision),
    ...(Number.isFinite(limit) ? { maxCount: limit } : {}),
  });
  for await (const { event } of whereItExists(events)) {
    if (!event?.position) throw new Error(`stream ${stream}: an event without a position`);
    yield fromNode(event, event.position);
  }
};

const lastRevision = async (
  client: KurrentDBClient,
  stream: string,
): Promise<number | undefined> => {
  const open = async function* (): AsyncGenerator<number> {
    const last = client.readStream(stream, {
      direction: BACKWARDS,
      fromRevision: END,
      maxCount: 1,
    });
    for await (const { event } of whereItExists(last)) {
      if (event) yield Number(event.revision);
    }
  };
  for await (const revision of retrying(open)) return revision;
  return undefined;
};

/** Nothing of a stream that does not exist. */
const whereItExists = async function* <T>(events: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* events;
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw error;
  }
};

const head = async (
  client: KurrentDBClient,
  categories: readonly string[] | undefined,
): Promise<Position | undefined> => {
  const filter = categories ? categoryFilter(categories) : streamNameFilter({ regex: '^[^$]' });
  const open = async function* (): AsyncGenerator<Position> {
    const events = client.readAll({
      direction: BACKWARDS,
      fromPosition: END,
      maxCount: 1,
      filter,
    });
    for await (const { event } of events) {
      if (event) yield toPosition(event.position);
    }
  };
  for await (const position of retrying(open)) return position;
  return undefined;
};

/** Opens again where the iteration fails; `open` knows where to go on. */
const retrying = async function* <T>(open: () => AsyncGenerator<T>): AsyncGenerator<T> {
  let failures = 0;
  for (;;) {
    const iterator = open();
    try {
      for (;;) {
        const result = await within(readTimeoutMs, iterator.next());
        if (result.done) return;
        yield result.value;
        failures = 0;
      }
    } catch (error) {
      if (isRefusal(error)) throw error;
      const retryMs = readRetriesMs[failures];
      if (retryMs === undefined) {
        throw new StoreUnavailableError('the event store could not be read', { cause: error });
      }
      failures += 1;
      await pause(retryMs);
    } finally {
      // Not awaited: a connection that hangs would hang the reader who leaves.
      iterator.return(undefined).catch(() => undefined);
    }
  }
};

const within = async <T>(timeoutMs: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${String(timeoutMs)} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
};
