import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { messageOf } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import type { PastEvent } from '../domain/credit-account/recall.js';

/** Where the events of one reservation stand, as far as the index has followed the account. */
export interface IndexEntry {
  /** Ascending; empty when no event up to `indexedRevision` is about that id. */
  readonly revisions: readonly number[];
  /** −1 when the account is not known to the index. */
  readonly indexedRevision: number;
}

/** An index of stored events by reservation. May lag, may be away, must not be wrong. */
export interface ReservationIndex {
  /** Throws when it cannot be asked. */
  readonly look: (accountId: string, reservationId: string) => Promise<IndexEntry>;
}

/** All events of one reservation up to `indexedRevision`. */
export interface Past {
  readonly events: readonly PastEvent[];
  readonly indexedRevision: number;
}

export interface Recall {
  /**
   * What the stream says of a reservation that memory does not hold. Waits a moment for an index that has not
   * got to `neededRevision`; the caller looks at how far it came.
   *
   * @returns undefined when the index or the store cannot be asked
   */
  readonly find: (
    accountId: string,
    reservationId: string,
    neededRevision: number,
  ) => Promise<Past | undefined>;
}

const atOnceMax = 16;
const behindTriesMax = 5;
const behindWaitMs = 100;

export interface RecallDependencies {
  readonly index: ReservationIndex;
  readonly store: Pick<EventStore, 'read'>;
  readonly logger: Logger;
  /** Between two questions to an index that is behind. */
  readonly waitMs?: number;
}

/** Asks the index where, and the event store what. A few at once: a flood of old ids must not take the store from the others. */
export class IndexedRecall implements Recall {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly with_: RecallDependencies) {}

  async find(
    accountId: string,
    reservationId: string,
    neededRevision: number,
  ): Promise<Past | undefined> {
    if (this.running >= atOnceMax) await new Promise<void>((resolve) => this.queue.push(resolve));
    this.running += 1;
    try {
      const { revisions, indexedRevision } = await this.look(
        accountId,
        reservationId,
        neededRevision,
      );
      const events: PastEvent[] = [];
      for (const revision of revisions) events.push(await this.read(accountId, revision));
      return { events, indexedRevision };
    } catch (error) {
      this.with_.logger.warn({ accountId, reservationId, reason: messageOf(error) }, 'no recall');
      return undefined;
    } finally {
      this.running -= 1;
      this.queue.shift()?.();
    }
  }

  private async look(
    accountId: string,
    reservationId: string,
    neededRevision: number,
  ): Promise<IndexEntry> {
    for (let tries = 1; ; tries += 1) {
      const entry = await this.with_.index.look(accountId, reservationId);
      if (entry.indexedRevision >= neededRevision || tries === behindTriesMax) return entry;
      const waitMs = this.with_.waitMs ?? behindWaitMs;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  private async read(accountId: string, revision: number): Promise<PastEvent> {
    const stream = creditStream(accountId);
    for await (const recorded of this.with_.store.read(stream, {
      fromRevision: revision,
      limit: 1,
    })) {
      if (recorded.revision !== revision) break;
      const { metadata, ...event } = fromStoredCredit(recorded);
      return { event, meta: metadata, revision };
    }
    throw new Error(`${stream}@${String(revision)}: the index names an event that is not there`);
  }
}
