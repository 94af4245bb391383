import { fromStoredPriceBook, priceBookCategories } from '@tollkeeper/events';
import type { EventStore, Subscription } from '@tollkeeper/event-store';
import { PriceBook } from '@tollkeeper/pricing';
import type { Logger } from '@tollkeeper/telemetry';

export interface PriceBookReplica {
  readonly prices: PriceBook;
  /** Resolves when everything that was recorded at the start is in `prices`. */
  readonly caughtUp: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Follows the price book's streams: each reserve is priced from memory, without a question to anyone. */
export const followPriceBook = (
  store: EventStore,
  logger: Logger,
  onBroken: (error: unknown) => void,
): PriceBookReplica => {
  const prices = new PriceBook();
  let subscription: Subscription | undefined;
  const caughtUp = new Promise<void>((resolve) => {
    subscription = store.subscribe({
      categories: priceBookCategories,
      onEvents: (events) => {
        for (const event of events) prices.apply(fromStoredPriceBook(event));
      },
      onCaughtUp: resolve,
      // An event that this version cannot read would mean wrong prices: better no service than that.
      onError: (error) => {
        logger.fatal({ err: error }, 'the price book cannot be followed');
        onBroken(error);
      },
    });
  });
  return { prices, caughtUp, stop: async () => subscription?.stop() };
};
