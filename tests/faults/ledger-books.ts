import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { StreamPromises } from '@tollkeeper/testing';
import type { AckedEnd } from './load.js';

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
      accountIds.map((id) => [id, { promises: new StreamPromises(), nextRevision: 0 }]),
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
      try {
        book.promises.apply(fact, metadata.occurredAt);
      } catch (error) {
        broken.push(`${accountId}: ${String(error)}`);
      }
    }
  }

  /** Ends that a client was told of and the ledger does not have so. */
  lost(acked: readonly AckedEnd[]): string[] {
    return acked.flatMap((end) => {
      const book = this.books.get(end.accountId)?.promises.reservations.get(end.reservationId);
      const settled = book?.state === 'settled' || book?.state === 'late';
      const charge = book?.chargeCredits.toFixed();
      const holds =
        end.end === 'settled'
          ? settled && charge === end.chargeCredits
          : book?.state === 'released';
      const found = `${book?.state ?? 'nothing'}, ${charge ?? 'no'} charge`;
      return holds
        ? []
        : [
            `${end.accountId}/${end.reservationId}: ${end.end} ${end.chargeCredits ?? ''}; found ${found}`,
          ];
    });
  }

  get openReservations(): number {
    let open = 0;
    for (const { promises } of this.books.values()) open += promises.openReservations.length;
    return open;
  }
}
