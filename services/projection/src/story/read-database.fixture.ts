import {
  createMemoryEventStore,
  createMemoryStorage,
  type EventStore,
  type MemoryStorage,
} from '@tollkeeper/event-store';
import type { Pool } from '@tollkeeper/postgres';
import { createDatabase, startEphemeralPostgres, type RunningPostgres } from '@tollkeeper/servers';
import { afterAll, beforeAll } from 'vitest';
import { migrateReadModels, openProjectorPool } from '../database.js';
import { BatchProjector } from '../projector/batch-projector.js';
import { consumeToHead } from '../projector/consume.js';
import type { AccountStory } from './account-story.fixture.js';

export interface ReadDatabase {
  readonly databaseUrl: string;
  readonly pool: Pool;
  readonly store: EventStore;
  /** The store's inside, for tampering. */
  readonly storage: MemoryStorage;
}

/** For specs: a PostgreSQL server for the file, and on call a migrated database beside an empty memory store. */
export const useReadDatabases = (): (() => Promise<ReadDatabase>) => {
  let server: RunningPostgres | undefined;
  let databases = 0;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    server = await startEphemeralPostgres();
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await server?.stop();
  });

  return async () => {
    if (!server) throw new Error('no server yet');
    databases += 1;
    const databaseUrl = await createDatabase(server.url, `read_${String(databases)}`);
    const pool = openProjectorPool({ databaseUrl, applicationName: 'spec' });
    closing.push(() => pool.end());
    await migrateReadModels(pool);
    const storage = createMemoryStorage();
    const store = createMemoryEventStore(storage);
    closing.push(() => store.close());
    return { databaseUrl, pool, store, storage };
  };
};

/** Appends what the story has told since the last time. */
export const append = async (store: EventStore, ...stories: AccountStory[]): Promise<void> => {
  for (const story of stories) {
    let stored = 0;
    for await (const _event of store.read(story.stream)) stored += 1;
    const fresh = story.events.slice(stored);
    if (fresh.length === 0) continue;
    await store.append(story.stream, stored === 0 ? 'no-stream' : stored - 1, fresh);
  }
};

/** Brings the read models to the head as one projector does, in batches of the given size. */
export const projectAll = async (
  { pool, store }: Pick<ReadDatabase, 'pool' | 'store'>,
  batchMax = 3,
): Promise<void> => {
  const projector = await BatchProjector.atCheckpoint(pool, await store.storeId());
  await consumeToHead(store, {
    after: projector.checkpoint,
    batchMax,
    onEvents: async (events) => {
      await projector.apply(events);
    },
  });
  await projector.saved();
};
