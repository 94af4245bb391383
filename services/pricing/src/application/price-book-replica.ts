import { fromStoredPriceBook, priceBookCategories, type PriceBookEvent } from '@tollkeeper/events';
import type { EventStore, Subscription } from '@tollkeeper/event-store';
import { PriceBook } from '@tollkeeper/pricing';

/** The price book in memory, fed by its own streams; also who follows it. */
export class PriceBookReplica {
  readonly prices = new PriceBook();
  /** What `prices` was made of, in the store's order. */
  readonly events: PriceBookEvent[] = [];
  /** Resolves when everything that was recorded at the start is in `prices`. */
  readonly caughtUp: Promise<void>;
  readonly #streams = new Set<string>();
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #subscription: Subscription;

  constructor(store: EventStore, onBroken: (error: unknown) => void) {
    let reached = (): void => undefined;
    this.caughtUp = new Promise((resolve) => {
      reached = resolve;
    });
    this.#subscription = store.subscribe({
      categories: priceBookCategories,
      onEvents: (events) => {
        for (const event of events) {
          const recorded = fromStoredPriceBook(event);
          this.prices.apply(recorded);
          this.events.push(recorded);
          this.#arrived(event.stream);
        }
      },
      onCaughtUp: () => {
        reached();
      },
      onError: onBroken,
    });
  }

  has(stream: string): boolean {
    return this.#streams.has(stream);
  }

  /** Resolves when an event of each stream has been applied. */
  async holds(streams: readonly string[]): Promise<void> {
    await Promise.all(streams.map((stream) => this.#arrival(stream)));
  }

  stop(): Promise<void> {
    return this.#subscription.stop();
  }

  #arrival(stream: string): Promise<void> {
    if (this.#streams.has(stream)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(stream, [...(this.#waiting.get(stream) ?? []), resolve]);
    });
  }

  #arrived(stream: string): void {
    this.#streams.add(stream);
    const waiting = this.#waiting.get(stream);
    if (!waiting) return;
    this.#waiting.delete(stream);
    for (const resolve of waiting) resolve();
  }
}
