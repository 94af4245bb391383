import { createMemoryEventStore, type RecordedEvent } from '@tollkeeper/event-store';
import { describe, expect, it } from 'vitest';
import { everything } from '../story/everything.fixture.js';
import { AccountStory } from '../story/account-story.fixture.js';
import {
  append,
  projectAll,
  useReadDatabases,
  type ReadDatabase,
} from '../story/read-database.fixture.js';
import { DifferenceError, type Difference } from './difference.js';
import { verify, type Verified } from './verify.js';

const newDatabase = useReadDatabases();

const projected = async (): Promise<ReadDatabase> => {
  const database = await newDatabase();
  await append(database.store, ...everything());
  await projectAll(database);
  return database;
};

const prove = ({ store, pool, databaseUrl }: ReadDatabase): Promise<Verified> =>
  verify({ store, live: pool, databaseUrl });

const differenceOf = async (database: ReadDatabase): Promise<Difference> => {
  const error: unknown = await prove(database).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DifferenceError) return error.difference;
  throw new Error('no difference was found', { cause: error });
};

const shadowSchemas = async ({ pool }: ReadDatabase): Promise<number> => {
  const { rowCount } = await pool.query(
    `SELECT FROM pg_namespace WHERE nspname LIKE 'read_verify%'`,
  );
  return rowCount ?? 0;
};

const tamperEvent = (
  { storage }: ReadDatabase,
  chosen: (event: RecordedEvent) => boolean,
  change: (event: RecordedEvent) => RecordedEvent,
): void => {
  const place = storage.events.findIndex(chosen);
  const event = storage.events[place];
  if (!event) throw new Error('no such event');
  storage.events[place] = change(event);
};

describe('verify', () => {
  it('agrees with untouched books and leaves nothing behind', async () => {
    const database = await projected();
    const verified = await prove(database);
    expect(verified).toMatchObject({ accounts: 4, events: 74, eventsBehind: 0 });
    expect(verified.charges).toBe(10);
    expect(verified.rows).toMatchObject({
      balances: 4,
      usage_log: 8,
      open_reservations: 2,
      grants: 15,
      limits: 2,
    });
    expect(await shadowSchemas(database)).toBe(0);
  });

  it('agrees with an empty ledger', async () => {
    const database = await newDatabase();
    expect(await prove(database)).toMatchObject({ accounts: 0, events: 0, position: null });
  });

  it('proves what is projected and counts what is not', async () => {
    const database = await projected();
    await append(database.store, new AccountStory('acc_new').opened().granted('1'));
    expect(await prove(database)).toMatchObject({ accounts: 4, eventsBehind: 2 });
  });

  it.each([
    ['balances', `SET user_id = 'thief' WHERE account_id = 'acc_debt'`, 'acc_debt'],
    [
      'balances',
      `SET available = available + 1, balance = balance + 1, granted = granted + 1
       WHERE account_id = 'acc_calls'`,
      'acc_calls',
    ],
    [
      'usage_log',
      `SET output_tokens = output_tokens + 1 WHERE reservation_id = 'r3'`,
      'acc_calls r3',
    ],
    ['usage_log', `SET attempts = '[]' WHERE reservation_id = 'r4'`, 'acc_calls r4'],
    [
      'credit_transactions',
      `SET amount = amount + 1, balance_after = balance_after + 1
       WHERE account_id = 'acc_debt' AND type = 'refund'`,
      'acc_debt 4 0',
    ],
    ['open_reservations', `SET expires_at = expires_at + interval '1 day'`, 'acc_calls r5'],
    ['released_reservations', `SET reason = 'failed'`, 'acc_calls r2'],
    ['margin_by_tier', `SET revenue_usd = revenue_usd + 0.0001`, 'pro 2026-11-20'],
    ['daily_summaries', `SET calls = calls - 1`, 'acc_calls 2026-11-20 pro'],
    ['grants', `SET state = 'active', ended_at = NULL WHERE state = 'voided'`, 'acc_life g6'],
    [
      'grants',
      `SET available = available + 1, amount = amount + 1 WHERE account_id = 'acc_calls'`,
      'acc_calls g1',
    ],
    [
      'journal_days',
      `SET debits = debits + 1 WHERE account = 'revenue:refunds'`,
      '2026-11-20 revenue:refunds',
    ],
    ['limits', `SET warned_period = '2026-12' WHERE limit_id = 'per-key'`, 'acc_life per-key'],
    ['usage_log', `SET refunded_credits = 0 WHERE refunded_credits > 0`, 'acc_life r1'],
  ])('finds one changed row of %s', async (table, change, key) => {
    const database = await projected();
    await database.pool.query(`UPDATE ${table} ${change}`);
    const difference = await differenceOf(database);
    expect(difference).toMatchObject({ check: 'read-model', table, key });
    expect(difference.live).not.toBe(difference.recomputed);
    expect(await shadowSchemas(database)).toBe(0);
  });

  it.each(['balances', 'usage_log', 'credit_transactions', 'open_reservations', 'daily_summaries'])(
    'finds a row missing from %s',
    async (table) => {
      const database = await projected();
      await database.pool.query(`DELETE FROM ${table} WHERE account_id = 'acc_calls'`);
      expect(await differenceOf(database)).toMatchObject({ table, live: null });
    },
  );

  it('finds a row that no event made', async () => {
    const database = await projected();
    await database.pool.query(
      `INSERT INTO parked_accounts VALUES ('acc_x', 0, 'e', 'Reserved', 'because')`,
    );
    expect(await differenceOf(database)).toMatchObject({
      table: 'parked_accounts',
      recomputed: null,
    });
  });

  it('finds one changed byte of an event by the chain', async () => {
    const database = await projected();
    tamperEvent(
      database,
      ({ stream, revision }) => stream === 'credit-acc_calls' && revision === 4,
      (event) => ({ ...event, metadata: event.metadata.replace('"spec"', '"spex"') }),
    );
    expect(await differenceOf(database)).toMatchObject({
      check: 'hash-chain',
      accountId: 'acc_calls',
      revision: 5,
    });
  });

  it('finds one changed byte of the last event, which no chain covers, by the balance', async () => {
    const database = await projected();
    tamperEvent(
      database,
      ({ stream, revision }) => stream === 'credit-acc_calls' && revision === 14,
      (event) => ({ ...event, metadata: event.metadata.replace('"spec"', '"spex"') }),
    );
    expect(await differenceOf(database)).toMatchObject({ table: 'balances', key: 'acc_calls' });
  });

  it('finds a charge that does not follow from its own event', async () => {
    const database = await projected();
    tamperEvent(
      database,
      ({ type }) => type === 'SettledLate',
      (event) => ({
        ...event,
        data: event.data.replace('"chargeCredits":"', '"chargeCredits":"1'),
      }),
    );
    expect(await differenceOf(database)).toMatchObject({ check: 'charge', accountId: 'acc_calls' });
  });

  it('finds a history that was told anew with a right chain', async () => {
    const database = await projected();
    const forged = await newDatabase();
    const [calls, , lapse] = everything();
    const debt = new AccountStory('acc_debt').opened('free').granted('2');
    if (!calls || !lapse) throw new Error('no stories');
    await append(forged.store, calls, debt, lapse);
    const store = createMemoryEventStore({
      ...forged.storage,
      storeId: await database.store.storeId(),
    });
    expect(await differenceOf({ ...database, store })).toBeDefined();
  });

  it('fails while an account is parked', async () => {
    const database = await newDatabase();
    const broken = new AccountStory('acc_broken').opened().granted('5');
    const granted = broken.events[1];
    if (!granted) throw new Error('no event');
    broken.events[1] = { ...granted, data: '{}' };
    await append(database.store, broken, new AccountStory('acc_sound').opened().granted('5'));
    await projectAll(database);
    expect(await differenceOf(database)).toMatchObject({
      check: 'parked-account',
      accountId: 'acc_broken',
      revision: 1,
    });
  });
});
