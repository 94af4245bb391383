import { readFile, readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { migrateReadModels } from './database.js';
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
