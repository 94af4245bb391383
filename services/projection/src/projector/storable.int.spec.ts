import { describe, expect, test } from 'vitest';
import { verify } from '../audit/verify.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { append, projectAll, useReadDatabases } from '../story/read-database.fixture.js';
import { maybeUnstorable, storable } from './storable.js';

const newDatabase = useReadDatabases();

describe('what the database cannot hold', () => {
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
