import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '@tollkeeper/postgres';
import { expect, it } from 'vitest';
import { verify } from './audit/verify.js';
import { migrateReadModels, readSchema } from './database.js';
import { everything } from './story/everything.fixture.js';
import { append, projectAll, useReadDatabases } from './story/read-database.fixture.js';

const newDatabase = useReadDatabases();
const migrations = new URL('../migrations/', import.meta.url);

it('migrations hold what their after-tests promise, and apply once', async () => {
  const database = await newDatabase();
  await append(database.store, ...everything());
  await projectAll(database);
  await migrateReadModels(database.pool);
  for (const name of await readdir(migrations)) {
    const test = await readFile(new URL(`${name}/after.test.sql`, migrations), 'utf8');
    await expect(database.pool.query(test), name).resolves.toBeDefined();
  }
});

it('read models of the version before are made anew by the next projector, without a rebuild by hand', async () => {
  const database = await newDatabase();
  const { pool, store, databaseUrl } = database;
  const before = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  const name = '0001-read-models';
  await cp(new URL(name, migrations), path.join(before, name), { recursive: true });
  await pool.query(`DROP SCHEMA ${readSchema} CASCADE`);
  await migrate(pool, readSchema, before);
  await rm(before, { recursive: true });
  await append(store, ...everything());
  const storeId = await store.storeId();
  await pool.query(
    `INSERT INTO checkpoints (projection, store_id, position, events, rebuilding)
     VALUES ('ledger', $1, '5', 5, false)`,
    [storeId],
  );
  await pool.query(
    `INSERT INTO balances VALUES ('acc_calls', 'u', 'pro', 'UTC', 1, 0, 1, 0, 1, 0, 0, 1, 'h', now())`,
  );

  await migrateReadModels(pool);
  await projectAll(database);

  expect(await verify({ store, live: pool, databaseUrl })).toMatchObject({ eventsBehind: 0 });
});
