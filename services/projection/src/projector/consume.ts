import type { EventStore, Position, RecordedEvent } from '@tollkeeper/event-store';
import { creditCategory } from '@tollkeeper/events';
import { messageOf } from '@tollkeeper/kernel';

export interface ConsumeOptions {
  readonly after: Position | undefined;
  /** The credit accounts' events unless given. */
  readonly categories?: readonly string[];
  readonly batchMax: number;
  readonly restMs: number;
  readonly onEvents: (events: readonly RecordedEvent[]) => Promise<void> | void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Follows events until aborted; rejects with whatever the handler threw. */
export const consume = async (store: EventStore, options: ConsumeOptions): Promise<void> => {
  const { after, signal } = options;
  if (signal.aborted) return;
  const failure = await new Promise<Error | undefined>((resolve) => {
    const subscription = store.subscribe({
      ...(after === undefined ? {} : { after }),
      categories: options.categories ?? [creditCategory],
      batchMax: options.batchMax,
      restMs: options.restMs,
      onEvents: async (events) => {
        if (!signal.aborted) await options.onEvents(events);
      },
      onError: (error) => {
        end(error instanceof Error ? error : new Error(messageOf(error)));
      },
    });
    const end = (outcome: Error | undefined): void => {
      signal.removeEventListener('abort', onAbort);
      const finish = (): void => {
        resolve(outcome);
      };
      void subscription.stop().then(finish, finish);
    };
    const onAbort = (): void => {
      end(undefined);
    };
    signal.addEventListener('abort', onAbort);
  });
  if (failure) throw failure;
};

/** True where everything up to the head has been seen; no head: the store is empty. */
export const hasReached = (
  store: EventStore,
  position: Position | undefined,
  head: Position | undefined,
): boolean =>
  head === undefined || (position !== undefined && store.comparePositions(position, head) >= 0);

export const creditHead = (store: EventStore): Promise<Position | undefined> =>
  store.head([creditCategory]);

/** Hands over events up to what is stored now, and perhaps some more. */
export const consumeToHead = async (
  store: EventStore,
  options: Omit<ConsumeOptions, 'restMs' | 'signal'> & {
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> => {
  const { signal } = options;
  const head = await store.head(options.categories ?? [creditCategory]);
  if (hasReached(store, options.after, head)) return;
  const arrived = new AbortController();
  await consume(store, {
    ...options,
    restMs: 0,
    signal: signal ? AbortSignal.any([arrived.signal, signal]) : arrived.signal,
    onEvents: async (events) => {
      await options.onEvents(events);
      if (hasReached(store, events.at(-1)?.position, head)) arrived.abort();
    },
  });
  signal?.throwIfAborted();
};
