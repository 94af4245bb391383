import { waitUntil } from '@tollkeeper/servers';
import { randomFrom, seedFor, type ModelCommand } from '@tollkeeper/testing';
import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveStream } from '../support/account-stream.js';
import { startLedgerPlatform, type LedgerPlatform } from '../support/ledger-platform.js';
import { moneyFaults, VendorInvoice } from '../support/money-invariants.js';
import { openLedgerPort, sendUntilAnswered, type LedgerPort } from '../support/ledger-port.js';
import { scatter, storyOf, type Delivery } from './deliveries.js';

/** `npm run test:faults` asks for more. */
const messages = Number(process.env['MESSAGES'] ?? 2_000);
const persistence = { tryMs: 10_000, giveUpAfterMs: 60_000 };

/** Read models by what they say of an account, without the order, times and hashes of its events. */
const tables: Readonly<Record<string, string>> = {
  balances:
    'user_id, tier, time_zone, balance, reserved, available, debt, granted, charged, lapsed',
  open_reservations: 'reservation_id, amount_credits',
  released_reservations: 'reservation_id, amount_credits, reason',
  usage_log:
    'reservation_id, provider, model, price_version, multiplier, provenance, charge_credits, vendor_cost_usd',
  credit_transactions: 'user_id, type, amount, vendor_cost_usd, usage_id',
  daily_summaries:
    'tier, calls, input_tokens, output_tokens, vendor_cost_usd, charge_credits, exact, estimated, corrections, failed',
};

describe('commands that arrive often, late and out of order', () => {
  let platform: LedgerPlatform;
  let ledger: LedgerPort;
  let database: pg.Pool;

  beforeAll(async () => {
    platform = await startLedgerPlatform({ projection: true });
    ledger = await openLedgerPort(platform.natsUrl);
    database = new pg.Pool({ connectionString: platform.databaseUrl, max: 2 });
  }, 120_000);
  afterAll(async () => {
    await database.end();
    await ledger.close();
    await platform.stop();
  }, 60_000);

  /** Refused because another has to come first: its sender sends it again. */
  const isEarly = (reason: unknown): boolean =>
    reason === 'unknown-account' ||
    reason === 'unknown-reservation' ||
    // The grant, which covers everything, has not come yet.
    reason === 'insufficient-credits';

  const deliver = async (deliveries: readonly Delivery[], atOnce: number): Promise<void> => {
    const queue = [...deliveries];
    const refused: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const reply = await sendUntilAnswered(ledger, next.accountId, next.command, persistence);
        if (reply?.['status'] === 'accepted') continue;
        if (isEarly(reply?.['reason'])) queue.push(next);
        else refused.push(reply ?? 'no answer');
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    expect(refused).toEqual([]);
  };

  const once = (accountId: string, story: readonly ModelCommand[]): Delivery[] =>
    story.map((command, at) => ({ accountId, command, at }));

  /** A call of which the exact usage came later is billed by that. */
  const billFor = (accountId: string, story: readonly ModelCommand[], to: VendorInvoice): void => {
    for (const { verb, body } of story) {
      if (verb !== 'settle' && verb !== 'correct') continue;
      const usage = body.attempts?.[0]?.usage;
      if (usage) to.bill(`${accountId}/${body.reservationId}`, usage);
    }
  };

  const readHash = async (accountId: string): Promise<string> => {
    const hash = createHash('sha256');
    for (const [table, columns] of Object.entries(tables)) {
      const { rows } = await database.query<Record<string, unknown>>(
        `SELECT ${columns} FROM read.${table} WHERE account_id = $1`,
        [accountId],
      );
      hash.update(
        `${table} ${rows
          .map((row) => JSON.stringify(row))
          .sort()
          .join('\n')}\n`,
      );
    }
    return hash.digest('hex');
  };

  const projected = async (accountId: string): Promise<boolean> => {
    const store = await platform.store();
    let last = -1;
    for await (const event of store.read(`credit-${accountId}`)) last = event.revision;
    const { rows } = await database.query<{ revision: string }>(
      'SELECT revision FROM read.balances WHERE account_id = $1',
      [accountId],
    );
    return Number(rows[0]?.revision ?? -1) === last;
  };

  it.each([2, 5, 20])(
    'leave the same books and the same read models at %i copies each',
    async (copies) => {
      const seed = seedFor(`duplicates ×${String(copies)}`);
      // A third for each number of copies; a call takes two commands on average, whatever the seed more than 1.9.
      const story = storyOf(randomFrom(seed), Math.ceil(messages / 3 / 1.9 / copies));
      const inOrder = `once_${String(copies)}`;
      const scattered = `often_${String(copies)}`;
      await deliver(once(inOrder, story), 1);
      const deliveries = scatter(scattered, story, copies, randomFrom(seed));
      await deliver(deliveries, 16);

      const store = await platform.store();
      const [a, b] = [await proveStream(store, inOrder), await proveStream(store, scattered)];
      expect(b.chargedCredits.toFixed()).toBe(a.chargedCredits.toFixed());
      expect([...b.reservations.keys()].sort()).toEqual([...a.reservations.keys()].sort());
      await waitUntil(async () => (await projected(inOrder)) && (await projected(scattered)), {
        timeoutMs: 30_000,
        intervalMs: 100,
      });
      expect(b.reservations.size).toBeGreaterThan(0);
      expect(await readHash(scattered)).toBe(await readHash(inOrder));
      const invoice = new VendorInvoice();
      for (const accountId of [inOrder, scattered]) billFor(accountId, story, invoice);
      expect(await moneyFaults(database, invoice, [inOrder, scattered])).toEqual([]);
      expect(await readHash('nobody')).not.toBe(await readHash(inOrder));
      console.log(
        `×${String(copies)}: ${String(story.length)} commands, ${String(deliveries.length)} messages`,
      );
    },
    600_000 + messages * 20,
  );
});
