import type { Position, RecordedEvent, SubscribeOptions, Subscription } from './event-store.js';
import { createSleeper } from './sleeper.js';

export interface Page {
  readonly events: readonly RecordedEvent[];
  /** More may be there to fetch at once. */
  readonly full: boolean;
}

export interface PullSource {
  /** The next events after a position; rejects while the store is away. */
  readonly fetch: (after: Position | undefined) => Promise<Page>;
  /** Calls when something may have been stored; answers how to end that. */
  readonly onStored: (wake: () => void) => () => void;
  /** How long to trust in being woken; for ever unless given. */
  readonly pollMs?: number;
  readonly onFetchFailed?: (error: unknown) => void;
}

const retryMs = { first: 50, most: 2_000 };

/** A subscription over a store that is asked for pages: the reader sets the pace, so nothing piles up. */
export const subscribeByPulling = (source: PullSource, options: SubscribeOptions): Subscription => {
  const batchMax = options.batchMax ?? 512;
  const sleeper = createSleeper();
  let stopped = false;
  let caughtUp = false;
  let stores = 0;
  const forget = source.onStored(() => {
    stores += 1;
    sleeper.wake();
  });

  const deliver = async (events: readonly RecordedEvent[]): Promise<void> => {
    for (let start = 0; start < events.length && !isStopped(); start += batchMax) {
      await options.onEvents(
        events.length <= batchMax ? events : events.slice(start, start + batchMax),
      );
    }
  };
  // A function, because the flag changes while the loop awaits.
  const isStopped = (): boolean => stopped;

  let after = options.after;
  let ahead: Promise<Page> | undefined;
  let backOffMs = retryMs.first;

  /** The next page; undefined, after a rest, while the store is away. */
  const fetch = async (): Promise<Page | undefined> => {
    try {
      const page = await (ahead ?? source.fetch(after));
      backOffMs = retryMs.first;
      return page;
    } catch (error) {
      if (!isStopped()) source.onFetchFailed?.(error);
      await sleeper.rest(backOffMs);
      backOffMs = Math.min(backOffMs * 2, retryMs.most);
      return undefined;
    } finally {
      ahead = undefined;
    }
  };

  const follow = async (): Promise<void> => {
    while (!isStopped()) {
      const storesBefore = stores;
      const page = await fetch();
      if (!page) continue;
      const last = page.events.at(-1);
      if (last) {
        after = last.position;
        // While the handler works; awaited by the next turn, unless a stop comes in between.
        if (page.full) ahead = source.fetch(after);
        ahead?.catch(() => undefined);
        await deliver(page.events);
      }
      if (page.full || isStopped()) continue;
      noteCaughtUp();
      if (last && options.restMs) await sleeper.rest(options.restMs);
      if (stores === storesBefore) await sleeper.sleep(source.pollMs);
    }
  };

  const noteCaughtUp = (): void => {
    if (caughtUp) return;
    caughtUp = true;
    options.onCaughtUp?.();
  };

  const done = follow()
    .catch((error: unknown) => {
      stopped = true;
      options.onError(error);
    })
    .finally(forget);
  return {
    stop: () => {
      stopped = true;
      sleeper.end();
      return done;
    },
  };
};
