import { fromStoredPriceBook, priceBookCategories, type PriceBookEvent } from '@tollkeeper/events';
import type { EventStore, Subscription } from '@tollkeeper/event-store';
import { PriceBook } from '@tollkeeper/pricing';
import { PriceBookRecords } from './price-book-records.js';

interface Waiting {
  readonly revision: number;
  readonly resolve: () => void;
}

/** The price book in memory, fed by its own streams; also who follows it. */
export class PriceBookReplica {
  readonly prices = new PriceBook();
  readonly records = new PriceBookRecords();
  /** What `prices` was made of, in the store's order. */
  readonly events: PriceBookEvent[] = [];
  /** Resolves when everything that was recorded at the start is in `prices`. */
  readonly caughtUp: Promise<void>;
  /** The last event of each stream that has been applied. */
  readonly #revisions = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting[]>();
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
          this.records.apply(event.stream, recorded);
          this.events.push(recorded);
          this.#arrived(event.stream, event.revision);
        }
      },
      onCaughtUp: () => {
        reached();
      },
      onError: onBroken,
    });
  }

  has(stream: string): boolean {
    return this.#revisions.has(stream);
  }

  /** Resolves when an event of each stream has been applied. */
  async holds(streams: readonly string[]): Promise<void> {
    await Promise.all(streams.map((stream) => this.reaches(stream, 0)));
  }

  /** Resolves when the event of this revision has been applied. */
  reaches(stream: string, revision: number): Promise<void> {
    if ((this.#revisions.get(stream) ?? -1) >= revision) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(stream) ?? [];
      this.#waiting.set(stream, [...waiting, { revision, resolve }]);
    });
  }

  stop(): Promise<void> {
    return this.#subscription.stop();
  }

  #arrived(stream: string, revision: number): void {
    this.#revisions.set(stream, revision);
    const waiting = this.#waiting.get(stream);
    if (!waiting) return;
    const still = waiting.filter((each) => each.revision > revision);
    if (still.length === 0) this.#waiting.delete(stream);
    else this.#waiting.set(stream, still);
    for (const each of waiting) if (each.revision <= revision) each.resolve();
  }
}
