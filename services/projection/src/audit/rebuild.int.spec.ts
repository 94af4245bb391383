import { expect, it } from 'vitest';
import { everything } from '../story/everything.fixture.js';
import { append, projectAll, useReadDatabases } from '../story/read-database.fixture.js';
import { checksum } from './checksum.js';
import { rebuild } from './rebuild.js';

const newDatabase = useReadDatabases();

it.each([1, 2, 5, 1000])(
  'a rebuild comes back to the checksum of a projection in batches of %i',
  async (batchMax) => {
    const database = await newDatabase();
    await append(database.store, ...everything());
    await projectAll(database, batchMax);
    const before = await checksum(database.pool);

    const { events } = await rebuild(database);

    expect(events).toBe(74);
    expect(await checksum(database.pool)).toEqual(before);
  },
);

it('a rebuild repairs whatever was done to the read models', async () => {
  const database = await newDatabase();
  await append(database.store, ...everything());
  await projectAll(database);
  const before = await checksum(database.pool);
  await database.pool.query(`DELETE FROM balances WHERE account_id = 'acc_calls'`);
  await database.pool.query(`UPDATE daily_summaries SET calls = 7`);
  expect(await checksum(database.pool)).not.toEqual(before);

  await rebuild(database);

  expect(await checksum(database.pool)).toEqual(before);
});

it('read models are marked as rebuilding from the reset to the head', async () => {
  const database = await newDatabase();
  const isRebuilding = async (): Promise<boolean | undefined> => {
    const { rows } = await database.pool.query<{ rebuilding: boolean }>(
      'SELECT rebuilding FROM checkpoints',
    );
    return rows[0]?.rebuilding;
  };
  await append(database.store, ...everything());
  await projectAll(database);
  expect(await isRebuilding()).toBe(true);
  await rebuild(database);
  expect(await isRebuilding()).toBe(false);
});
