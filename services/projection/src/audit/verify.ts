import type { EventStore, RecordedEvent } from '@tollkeeper/event-store';
import type { Pool } from '@tollkeeper/postgres';
import { BatchProjector } from '../projector/batch-projector.js';
import { consumeToHead } from '../projector/consume.js';
import { accountIdOf, decodeEvent } from '../projector/decode-event.js';
import { projectPriceBook } from '../price-book/price-book-projector.js';
import { AccountProof } from './account-proof.js';
import { compareGrants, compareJournal, compareRefunds } from './compare-books.js';
import { DifferenceError } from './difference.js';
import { provePriceBook } from './price-book-proof.js';
import { Shadow, type LiveCheckpoint } from './shadow.js';

const batchMax = 4096;

export interface Verified {
  readonly accounts: number;
  readonly events: number;
  readonly charges: number;
  /** Of the price book, whose streams are proven to their end. */
  readonly priceBookEvents: number;
  /** Rows compared, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** The live checkpoint that all of it was proven at. */
  readonly position: string | null;
  /** Stored by now, but not yet in the read models that were proven. */
  readonly eventsBehind: number;
}

export interface VerifyOptions {
  readonly store: EventStore;
  readonly live: Pool;
  readonly databaseUrl: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (events: number) => void;
}

/**
 * Proves the read models from the events, as of the live checkpoint, while the projector runs on.
 *
 * Three ways: each stream from its own words (AccountProof, PriceBookProof); every table against a second projection from
 * zero; and balances, grants and refunds against the proof's own books, which share no code with the projections.
 *
 * @throws DifferenceError with the first difference
 */
export const verify = async (options: VerifyOptions): Promise<Verified> => {
  const shadow = await Shadow.create(options.live, options.databaseUrl);
  try {
    return await new Verification(options, shadow).run();
  } finally {
    await shadow.drop();
  }
};

class Verification {
  private readonly proofs = new Map<string, AccountProof>();
  private readonly parked = new Set<string>();
  private events = 0;
  private eventsBehind = 0;
  private charges = 0;

  constructor(
    private readonly options: VerifyOptions,
    private readonly shadow: Shadow,
  ) {}

  async run(): Promise<Verified> {
    const storeId = await this.options.store.storeId();
    const checkpoint = await this.shadow.copyLive(storeId);
    await this.readEvents(await BatchProjector.atCheckpoint(this.shadow.pool, storeId), checkpoint);
    await this.compareCheckpoint(checkpoint);
    if (checkpoint.priceBookPosition !== undefined) {
      await projectPriceBook(this.options.store, this.shadow.pool, checkpoint.priceBookPosition);
    }
    const rows = await this.shadow.compare();
    // Before the proofs' books, which may go on where the read models could not.
    await this.noneParked();
    await this.compareBalances();
    await compareGrants(this.shadow.pool, this.proofs);
    await compareRefunds(this.shadow.pool, this.proofs);
    await compareJournal(this.shadow.pool);
    await this.endOnce();
    const priceBookEvents = await provePriceBook(this.options.store, this.options.signal);
    return {
      accounts: this.proofs.size,
      events: this.events,
      charges: this.charges,
      priceBookEvents,
      rows,
      position: checkpoint.position ?? null,
      eventsBehind: this.eventsBehind,
    };
  }

  private async readEvents(projector: BatchProjector, { position }: LiveCheckpoint): Promise<void> {
    const { store, signal, onProgress } = this.options;
    await consumeToHead(store, {
      after: undefined,
      batchMax,
      signal,
      onEvents: async (batch) => {
        const covered =
          position === undefined
            ? []
            : batch.filter((event) => store.comparePositions(event.position, position) <= 0);
        this.eventsBehind += batch.length - covered.length;
        if (covered.length === 0) return;
        for (const event of covered) this.prove(event);
        await projector.apply(covered);
        this.events += covered.length;
        onProgress?.(this.events);
      },
    });
    await projector.saved();
  }

  private prove(recorded: RecordedEvent): void {
    const accountId = accountIdOf(recorded.stream);
    if (this.parked.has(accountId)) return;
    const { event } = decodeEvent(recorded);
    if (!event) {
      this.parked.add(accountId);
      return;
    }
    let proof = this.proofs.get(accountId);
    if (!proof) this.proofs.set(accountId, (proof = new AccountProof(accountId, recorded.stream)));
    proof.check(recorded, event);
    if ('chargeCredits' in event.data) this.charges += 1;
  }

  private async compareCheckpoint({ position, events }: LiveCheckpoint): Promise<void> {
    const { rows } = await this.shadow.pool.query<{ position: string | null; events: number }>(
      'SELECT position, events::float8 AS events FROM checkpoints',
    );
    const found = rows[0];
    if ((found?.position ?? undefined) === position && found?.events === events) return;
    throw new DifferenceError({
      check: 'checkpoint',
      message:
        `the checkpoint is at ${String(position)} after ${String(events)} events; the store has ` +
        `${String(found?.events ?? 0)} up to ${String(found?.position ?? undefined)}`,
    });
  }

  private async compareBalances(): Promise<void> {
    const figures =
      'balance, available, reserved, debt, granted, charged, lapsed, voided, adjusted, revision';
    const pageMax = 5_000;
    let after = '';
    for (;;) {
      const { rows } = await this.shadow.pool.query<Record<string, string>>(
        `SELECT account_id, ${figures} FROM live_balances WHERE account_id > $1
         ORDER BY account_id LIMIT ${String(pageMax)}`,
        [after],
      );
      for (const row of rows) this.compareBalance(row);
      after = rows.at(-1)?.['account_id'] ?? '';
      if (rows.length < pageMax) return;
    }
  }

  private compareBalance({ account_id: accountId = '', ...row }: Record<string, string>): void {
    const expected = this.proofs.get(accountId)?.figures() ?? {};
    const wrong = Object.keys(row).find((figure) => row[figure] !== expected[figure]);
    if (wrong === undefined) return;
    throw new DifferenceError({
      check: 'balance',
      message: `${wrong} of ${accountId} is ${row[wrong] ?? ''}, by its events ${expected[wrong] ?? 'none'}`,
      accountId,
      table: 'balances',
      key: accountId,
      live: JSON.stringify(row),
      recomputed: JSON.stringify(expected),
    });
  }

  private async noneParked(): Promise<void> {
    const { rows } = await this.shadow.pool.query<Record<string, string>>(
      'SELECT account_id, revision, event_id, reason FROM parked_accounts ORDER BY 1 LIMIT 1',
    );
    const first = rows[0];
    if (!first) return;
    throw new DifferenceError({
      check: 'parked-account',
      message: `account ${first['account_id'] ?? ''} is parked: ${first['reason'] ?? ''}`,
      accountId: first['account_id'] ?? '',
      revision: Number(first['revision']),
      eventId: first['event_id'] ?? '',
    });
  }

  /** Streams begin and end a reservation once; over a whole life only the tables remember. */
  private async endOnce(): Promise<void> {
    const { rows } = await this.shadow.pool.query<{ account_id: string; reservation_id: string }>(
      `SELECT account_id, reservation_id FROM (
         SELECT account_id, reservation_id FROM usage_log
         JOIN open_reservations USING (account_id, reservation_id)
         UNION ALL
         SELECT account_id, reservation_id FROM released_reservations
         JOIN open_reservations USING (account_id, reservation_id)
         UNION ALL
         SELECT account_id, reservation_id FROM usage_log
         JOIN released_reservations USING (account_id, reservation_id) WHERE NOT usage_log.late
       ) AS twice ORDER BY 1, 2 LIMIT 1`,
    );
    const first = rows[0];
    if (!first) return;
    throw new DifferenceError({
      check: 'ends-once',
      message: `reservation ${first.reservation_id} of ${first.account_id} began or ended twice`,
      accountId: first.account_id,
      key: first.reservation_id,
    });
  }
}
