import {
  START,
  streamNameFilter,
  type AllStreamResolvedEvent,
  type KurrentDBClient,
  type Filter,
} from '@kurrent/kurrentdb-client';
import {
  categoryOf,
  type Position,
  type RecordedEvent,
  type SubscribeOptions,
  type Subscription,
} from './event-store.js';
import { fromNode, toNodePosition, toPosition } from './kurrentdb-codec.js';
import { createSleeper, type Sleeper } from './sleeper.js';

/** Events that may wait for the handler, twice: before it is slow enough for the node to drop us. */
const bufferEvents = 512;
const retryMs = { first: 20, most: 500 };

/** `^(credit|setting)-`: the dash keeps `creditnote` out. */
export const categoryFilter = (
  categories: readonly string[],
  options: Partial<Filter> = {},
): Filter => streamNameFilter({ ...options, regex: `^(${categories.join('|')})-` });

/** What the whole subscription knows, across the node's sessions. */
interface Progress {
  after: Position | undefined;
  isCaughtUp: boolean;
  stopped: boolean;
}

/**
 * A filtered `$all` subscription. The client does not reconnect, and the node drops a reader that is slower than its
 * buffer of 32 events; so a session's end is a normal event, and the next one starts after the last
 * position that was delivered (subscriptions are exclusive, unlike reads).
 */
export const subscribeToNode = (
  client: KurrentDBClient,
  options: SubscribeOptions,
  onSessionLost: (error: unknown) => void,
): Subscription => {
  const sleeper = createSleeper();
  const progress: Progress = {
    after: options.after,
    isCaughtUp: false,
    stopped: false,
  };

  const follow = async (): Promise<void> => {
    let backOffMs = retryMs.first;
    while (!progress.stopped) {
      const before = progress.after;
      const lost = await runSession(client, options, progress, sleeper);
      if (lost === undefined) return;
      onSessionLost(lost);
      backOffMs = before === progress.after ? backOffMs * 2 : retryMs.first;
      await sleeper.rest(Math.min(backOffMs, retryMs.most));
    }
  };

  const done = follow().catch((error: unknown) => {
    progress.stopped = true;
    options.onError(error);
  });
  return {
    stop: () => {
      progress.stopped = true;
      sleeper.end();
      return done;
    },
  };
};

/** Delivers until stopped (undefined) or until the node ends the session (why); rejects as the handler does. */
const runSession = async (
  client: KurrentDBClient,
  options: SubscribeOptions,
  progress: Progress,
  sleeper: Sleeper,
): Promise<Error | undefined> => {
  let lost: Error | undefined;
  let delivering = false;
  let taken = 0;
  /** The node's word that we have caught up comes ahead of events that wait to be taken: true from here on. */
  let caughtUpAt = Infinity;
  const source = client.subscribeToAll(
    {
      fromPosition: progress.after === undefined ? START : toNodePosition(progress.after),
      filter: categoryFilter(options.categories, {
        maxSearchWindow: 512,
        checkpointInterval: 4,
        checkpointReached: (_, position) => {
          // It comes ahead of events that still wait to be read: then they will move the place to resume at.
          if (!delivering && source.readableLength === 0) progress.after = toPosition(position);
          return Promise.resolve();
        },
      }),
    },
    { highWaterMark: bufferEvents },
  );
  const end = (error?: Error): void => {
    lost ??= error ?? new Error('the node ended the subscription');
    sleeper.wake();
  };
  source.on('error', end);
  source.on('end', () => end());
  source.on('close', () => end());
  source.on('readable', () => sleeper.wake());
  source.on('caughtUp', () => {
    caughtUpAt = Math.min(caughtUpAt, taken + source.readableLength);
    sleeper.wake();
  });

  try {
    const batchMax = options.batchMax ?? 512;
    while (!progress.stopped) {
      const events = take(
        () => {
          const event = source.read() as AllStreamResolvedEvent | null;
          if (event) taken += 1;
          return event;
        },
        options.categories,
        batchMax,
      );
      delivering = true;
      const last = events.at(-1);
      if (last) {
        await options.onEvents(events);
        progress.after = last.position;
      }
      delivering = false;
      // A function of its own, because the flag changes while this one awaits.
      if (isStopped(progress)) return undefined;
      if (taken >= caughtUpAt && !progress.isCaughtUp) {
        progress.isCaughtUp = true;
        options.onCaughtUp?.();
      }
      if (events.length < batchMax) {
        if (last && options.restMs) await sleeper.rest(options.restMs);
        if (source.readableLength === 0) {
          if (lost) return lost;
          await sleeper.sleep();
        }
      }
    }
    return undefined;
  } finally {
    source.unsubscribe().catch(() => undefined);
  }
};

const isStopped = (progress: Progress): boolean => progress.stopped;

const take = (
  read: () => AllStreamResolvedEvent | null,
  categories: readonly string[],
  batchMax: number,
): RecordedEvent[] => {
  const events: RecordedEvent[] = [];
  while (events.length < batchMax) {
    const resolved = read();
    if (resolved === null) break;
    const { event } = resolved;
    if (event && categories.includes(categoryOf(event.streamId))) {
      events.push(fromNode(event, event.position));
    }
  }
  return events;
};
