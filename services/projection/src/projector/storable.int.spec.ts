import { describe, expect, test } from 'vitest';
import { rebuild } from '../audit/rebuild.js';
import { verify } from '../audit/verify.js';
import { findBalance } from '../balances/balances.query.js';
import { AccountStory } from '../story/account-story.fixture.js';
import {
  append,
  projectAll,
  useReadDatabases,
  type ReadDatabase,
} from '../story/read-database.fixture.js';
import { BatchProjector } from './batch-projector.js';
import { maybeUnstorable, storable } from './storable.js';

const newDatabase = useReadDatabases();

describe('text that the database cannot hold', () => {
  test.each([
    ['a NUL', 'a\0b', 'a\uFFFDb'],
    ['the first half of a pair', 'a\uD83Db', 'a\uFFFDb'],
    ['the second half of a pair', '\uDE00', '\uFFFD'],
    ['a whole pair', 'a😀b', 'a😀b'],
    ['the text of an escape', 'a\\u0000b', 'a\\u0000b'],
  ])('is replaced: %s', (_what, text, expected) => {
    const value = { list: [text, 1, null], [text]: { nested: text } };
    const clean = { list: [expected, 1, null], [expected]: { nested: expected } };
    expect(storable(value)).toEqual(clean);
    const json = JSON.stringify(value);
    expect(maybeUnstorable(json) ? storable(JSON.parse(json)) : JSON.parse(json)).toEqual(clean);
  });

  test.each(['r\0', 'r\uD83D'])('does not keep a row from being found again: %j', async (id) => {
    const database = await newDatabase();
    const story = new AccountStory('acc_bad').opened().granted('100').reserved(id, '9', {});
    await append(database.store, story);
    await projectAll(database, 100);
    await append(database.store, story.settled(id, { input: 1000, output: 100 }));
    await projectAll(database, 100);
    const { rows } = await database.pool.query('SELECT reservation_id FROM usage_log');
    expect(rows).toEqual([{ reservation_id: 'r\uFFFD' }]);
    const { store, pool, databaseUrl } = database;
    expect((await verify({ store, live: pool, databaseUrl })).accounts).toBe(1);
  });

  test('stops no read model, of this account or of another one', async () => {
    const database = await newDatabase();
    const bad = new AccountStory('acc_bad')
      .opened()
      .granted('100')
      .reserved('r1', '9', { context: { 'ticket\0': '7\0' }, taskType: 'chat\uD83D' })
      .settled('r1', { input: 1000, output: 100 });
    const good = new AccountStory('acc_good').opened().granted('5');
    await append(database.store, bad, good);
    await projectAll(database, 100);
    const { rows } = await database.pool.query(
      'SELECT account_id, task_type, context FROM usage_log',
    );
    expect(rows).toEqual([
      {
        account_id: 'acc_bad',
        task_type: 'chat\uFFFD',
        context: { 'ticket\uFFFD': '7\uFFFD' },
      },
    ]);
    const { store, pool, databaseUrl } = database;
    expect((await verify({ store, live: pool, databaseUrl })).accounts).toBe(2);
  });
});

describe('an event with a value that no amount or no column can hold', () => {
  const nines = '9'.repeat(30);
  const funded = (accountId: string): AccountStory =>
    new AccountStory(accountId).opened().granted('5');
  const timed = (effectiveAt: string): AccountStory =>
    funded('acc_bad').granted('100', { effectiveAt }).reserved('r1', '1');

  const parked = async ({ pool }: ReadDatabase): Promise<unknown> => {
    const { rows } = await pool.query(
      'SELECT account_id, revision::int, event_type, reason FROM parked_accounts',
    );
    return rows;
  };

  test.each<[string, AccountStory, RegExp]>([
    ['a sum of 31 digits', funded('acc_bad').granted(nines), /longer than an amount may be/],
    ['a time of the year 0', timed('0000-06-01T00:00:00.000Z'), /out of range/],
  ])('parks its account there, and the others go on: %s', async (_what, bad, reason) => {
    const database = await newDatabase();
    const { store, pool, databaseUrl } = database;
    const [first, second, third] = ['acc_1', 'acc_2', 'acc_3'].map(funded);
    if (!first || !second || !third) throw new Error('no stories');
    await append(store, first, bad.granted('1'), second);
    await projectAll(database, 100);
    const parkedThere = [
      {
        account_id: 'acc_bad',
        revision: 2,
        event_type: 'CreditsGranted',
        reason: expect.stringMatching(reason) as unknown,
      },
    ];
    expect(await parked(database)).toEqual(parkedThere);
    await append(store, bad.granted('1'), first.granted('2'), third);
    await projectAll(database, 100);
    for (const [accountId, balance] of [
      ['acc_1', '7'],
      ['acc_2', '5'],
      ['acc_3', '5'],
    ] as const) {
      expect(await findBalance(pool, accountId)).toMatchObject({
        found: { balance, parkedBecause: null },
      });
    }
    expect(await findBalance(pool, 'acc_bad')).toMatchObject({
      found: { balance: '5', revision: 1 },
    });
    await expect(verify({ store, live: pool, databaseUrl })).rejects.toMatchObject({
      difference: { check: 'parked-account', accountId: 'acc_bad', revision: 2 },
    });
    await rebuild(database);
    expect(await parked(database)).toEqual(parkedThere);
    expect(await findBalance(pool, 'acc_1')).toMatchObject({ stale: false });
    expect(await findBalance(pool, 'acc_bad')).toMatchObject({ stale: true });
  });

  test('is told once its account is parked, also where the next batch has begun', async () => {
    const { store, storage, pool } = await newDatabase();
    await append(store, timed('0000-06-01T00:00:00.000Z'), funded('acc_good'));
    const projector = await BatchProjector.atCheckpoint(pool, await store.storeId());
    for (const place of storage.events.keys()) {
      await projector.apply(storage.events.slice(place, place + 1));
    }
    expect(await projector.saved()).toMatchObject([{ account_id: 'acc_bad', revision: 2 }]);
    expect(await projector.saved()).toEqual([]);
    expect(projector.events).toBe(storage.events.length);
    expect(projector.checkpoint).toBe(storage.events.at(-1)?.position);
    expect(await findBalance(pool, 'acc_good')).toMatchObject({ found: { balance: '5' } });
  });

  test('parks an account whose row an earlier version could write, and cannot read', async () => {
    const database = await newDatabase();
    const bad = funded('acc_bad');
    await append(database.store, bad, funded('acc_good'));
    await projectAll(database, 100);
    await database.pool.query(
      `UPDATE balances SET (balance, available, granted) = (1${nines}, 1${nines}, 1${nines})
       WHERE account_id = 'acc_bad'`,
    );
    await append(database.store, bad.granted('1'), funded('acc_good').granted('1'));
    await projectAll(database, 100);
    expect(await parked(database)).toMatchObject([{ account_id: 'acc_bad', revision: 2 }]);
    expect(await findBalance(database.pool, 'acc_good')).toMatchObject({ found: { balance: '6' } });
  });
});
