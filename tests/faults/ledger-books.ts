import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { StreamPromises } from '@tollkeeper/testing';
import type { Acked } from './load.js';

/** The reader's own connections may have been those that the fault broke. */
const untilRead = async (read: () => Promise<void>): Promise<void> => {
  for (let failures = 1; ; failures++) {
    try {
      await read();
      return;
    } catch (error) {
      if (failures === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
};

interface Book {
  readonly promises: StreamPromises;
  readonly grantIds: Set<string>;
  nextRevision: number;
}

/** Follows the streams of some accounts and holds them to the promises, and to what clients were told. */
export class LedgerBooks {
  private readonly books: ReadonlyMap<string, Book>;
  events = 0;

  constructor(
    private readonly store: EventStore,
    accountIds: readonly string[],
  ) {
    this.books = new Map(
      accountIds.map((id) => [
        id,
        { promises: new StreamPromises(), grantIds: new Set<string>(), nextRevision: 0 },
      ]),
    );
  }

  /** Reads on; what breaks a promise, each in a sentence. */
  async read(): Promise<string[]> {
    const broken: string[] = [];
    for (const [accountId, book] of this.books) {
      await untilRead(() => this.readOn(accountId, book, broken));
    }
    return broken;
  }

  private async readOn(accountId: string, book: Book, broken: string[]): Promise<void> {
    const options = { fromRevision: book.nextRevision };
    for await (const stored of this.store.read(creditStream(accountId), options)) {
      const { metadata, ...fact } = fromStoredCredit(stored);
      book.nextRevision = stored.revision + 1;
      this.events++;
      if (fact.type === 'CreditsGranted') book.grantIds.add(fact.data.grantId);
      try {
        book.promises.apply(fact, metadata.occurredAt);
      } catch (error) {
        broken.push(`${accountId}: ${String(error)}`);
      }
    }
  }

  /** What a client was told and the ledger does not have so. */
  lost(acked: readonly Acked[]): string[] {
    return acked.flatMap((each) => {
      const found = this.found(each);
      if (found === undefined) return [];
      return [
        `${each.accountId}/${each.id}: ${each.act} ${each.chargeCredits ?? ''}; found ${found}`,
      ];
    });
  }

  /** What there is instead; undefined when it is as it was told. */
  private found({ accountId, id, act, chargeCredits }: Acked): string | undefined {
    const book = this.books.get(accountId);
    if (act === 'granted') return book?.grantIds.has(id) ? undefined : 'nothing';
    const reservation = book?.promises.reservations.get(id);
    if (!reservation) return 'nothing';
    if (act === 'reserved') return undefined;
    const { state } = reservation;
    const charge = reservation.chargeCredits.toFixed();
    const holds =
      act === 'settled'
        ? (state === 'settled' || state === 'late') && charge === chargeCredits
        : state === 'released';
    return holds ? undefined : `${state}, ${charge} charge`;
  }

  get openReservations(): number {
    let open = 0;
    for (const { promises } of this.books.values()) open += promises.openReservations.length;
    return open;
  }
}
