import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import { createMemoryEventStore, type MemoryStorage } from '@tollkeeper/event-store';
import type { Logger } from '@tollkeeper/telemetry';
import { IndexedRecall, type IndexEntry, type ReservationIndex } from '../application/recall.js';
import type { Remembering } from '../application/recollection.js';
import type { AccountSnapshot, Snapshots } from '../application/snapshots.js';

/** Follows a memory store at once. */
class PromptIndex implements ReservationIndex {
  asked = 0;
  private readonly revisions = new Map<string, number[]>();
  private seen = 0;

  constructor(private readonly storage: MemoryStorage) {}

  look(accountId: string, reservationId: string): Promise<IndexEntry> {
    this.asked++;
    const events = this.storage.streams.get(creditStream(accountId)) ?? [];
    for (; this.seen < events.length; this.seen++) {
      const event = events[this.seen];
      if (!event) continue;
      const { data } = fromStoredCredit(event);
      if (!('reservationId' in data)) continue;
      const known = this.revisions.get(data.reservationId);
      if (known) known.push(this.seen);
      else this.revisions.set(data.reservationId, [this.seen]);
    }
    const revisions = [...(this.revisions.get(reservationId) ?? [])];
    return Promise.resolve({ revisions, indexedRevision: this.seen - 1 });
  }
}

/** Snapshots as text, as a bucket holds them; each third one is lost. */
class TextSnapshots implements Snapshots {
  readonly rule = { eventsMin: 3, everyMs: 0, lastEventsMin: 1 };
  private text: string | undefined;
  private offered = 0;

  find(): Promise<AccountSnapshot | undefined> {
    const { text } = this;
    return Promise.resolve(text === undefined ? undefined : (JSON.parse(text) as AccountSnapshot));
  }

  offer(_: string, snapshot: AccountSnapshot): void {
    if (++this.offered % 3 !== 0) this.text = JSON.stringify(snapshot);
  }
}

/** For one account: a memory of two closed reservations, and what makes up for it. Outlives the service. */
export class SmallMemory implements Remembering {
  readonly rule = { closedMs: 120_000, closedMax: 2 };
  readonly snapshots: Snapshots = new TextSnapshots();
  readonly recall: IndexedRecall;
  private readonly index: PromptIndex;

  constructor(storage: MemoryStorage, logger: Logger) {
    this.index = new PromptIndex(storage);
    const store = createMemoryEventStore(storage);
    this.recall = new IndexedRecall({ index: this.index, store, logger, waitMs: 0 });
  }

  /** Questions to the index so far. */
  get recalled(): number {
    return this.index.asked;
  }
}
