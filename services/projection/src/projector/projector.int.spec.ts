import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openPostgresEventStore, type EventStore } from '@tollkeeper/event-store';
import type { Pool } from '@tollkeeper/postgres';
import { waitUntil } from '@tollkeeper/servers';
import { createLogger } from '@tollkeeper/telemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { rebuild } from '../audit/rebuild.js';
import { verify } from '../audit/verify.js';
import { findBalance } from '../balances/balances.query.js';
import { openProjectorPool } from '../database.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { everything } from '../story/everything.fixture.js';
import {
  append,
  projectAll,
  useReadDatabases,
  type ReadDatabase,
} from '../story/read-database.fixture.js';
import { BatchProjector } from './batch-projector.js';
import { ForeignStoreError, resetReadModels } from './checkpoint.store.js';
import { Projector } from './projector.js';
import { CheckpointMovedError } from './save-batch.js';

const newDatabase = useReadDatabases();
const logger = createLogger('spec');
logger.level = 'silent';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const run = async ({ databaseUrl, store }: ReadDatabase): Promise<Projector> => {
  const pool = openProjectorPool({ databaseUrl, applicationName: 'spec' });
  const projector = new Projector({ store, pool, logger, standByMs: 10 });
  cleanups.push(async () => {
    await projector.stop();
    await pool.end();
  });
  await projector.start();
  return projector;
};

const eventsProjected = async (pool: Pool): Promise<number> => {
  const { rows } = await pool.query<{ events: number }>(
    'SELECT events::float8 AS events FROM checkpoints',
  );
  return rows[0]?.events ?? 0;
};

const untilProjected = async (pool: Pool, events: number): Promise<void> => {
  const arrived = await waitUntil(async () => (await eventsProjected(pool)) >= events, {
    timeoutMs: 20_000,
  });
  expect(arrived, 'the projector arrives').toBe(true);
  expect(await eventsProjected(pool)).toBe(events);
};

const prove = ({ store, pool, databaseUrl }: ReadDatabase): ReturnType<typeof verify> =>
  verify({ store, live: pool, databaseUrl });

const counted = (stories: readonly AccountStory[]): number =>
  stories.reduce((sum, story) => sum + story.events.length, 0);

/** Appends in small pieces, so that projectors have many batches to fight over. */
const appendSlowly = async (store: EventStore, accounts: number): Promise<number> => {
  const stories = Array.from({ length: accounts }, (_, place) =>
    new AccountStory(`acc_${String(place)}`).opened().granted('1000'),
  );
  for (let call = 0; call < 30; call += 1) {
    for (const story of stories) {
      story.reserved(`r${String(call)}`, '3').settled(`r${String(call)}`, { input: 50 + call });
    }
    await append(store, ...stories);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return counted(stories);
};

describe('a projector', () => {
  it('follows what is stored before and after its start', async () => {
    const database = await newDatabase();
    const [first, ...others] = everything();
    if (!first) throw new Error('no story');
    await append(database.store, first);
    await run(database);
    await untilProjected(database.pool, first.events.length);
    await append(database.store, ...others);
    await untilProjected(database.pool, counted([first, ...others]));
    await prove(database);
  });

  it('applies each event once, however many projectors there are', async () => {
    const database = await newDatabase();
    await Promise.all([run(database), run(database), run(database)]);
    const events = await appendSlowly(database.store, 5);
    await untilProjected(database.pool, events);
    expect(await prove(database)).toMatchObject({ events, accounts: 5 });
  });

  it('stays beside a rebuild, and the books are right', async () => {
    const database = await newDatabase();
    await run(database);
    const appended = appendSlowly(database.store, 5);
    await rebuild(database);
    const events = await appended;
    await rebuild(database);
    await untilProjected(database.pool, events);
    await prove(database);
  });

  it('stops at an unknown event, says so, and steps over nothing', async () => {
    const database = await newDatabase();
    const story = new AccountStory('acc_future').opened();
    const [opened] = story.events;
    if (!opened) throw new Error('no event');
    story.tellStored({ ...opened, id: randomUUID(), type: 'CreditsTeleported' });
    await append(database.store, story);
    const projector = await run(database);
    await waitUntil(() => projector.stoppedBecause !== undefined, { timeoutMs: 10_000 });
    expect(projector.stoppedBecause).toMatch(
      /unknown event type CreditsTeleported in credit-acc_future@1/,
    );
    expect(await eventsProjected(database.pool)).toBe(0);
  });

  it('refuses the read models of another store, and names the rebuild', async () => {
    const database = await newDatabase();
    await resetReadModels(database.pool, randomUUID());
    await expect(run(database)).rejects.toThrow(ForeignStoreError);
    await expect(run(database)).rejects.toThrow(/audit\.main\.js rebuild/);
    await rebuild(database);
    await run(database);
  });

  it('parks an account that it cannot read on, and goes on with the others', async () => {
    const database = await newDatabase();
    const broken = new AccountStory('acc_broken').opened().granted('5').granted('6');
    const granted = broken.events[2];
    if (!granted) throw new Error('no event');
    broken.events[2] = { ...granted, data: '{"amountCredits":6}' };
    broken.reserved('r1', '1');
    const sound = new AccountStory('acc_sound').opened().granted('7');
    await append(database.store, broken, sound);
    await run(database);
    await untilProjected(database.pool, counted([broken, sound]));
    const { pool } = database;
    expect(await findBalance(pool, 'acc_sound')).toMatchObject({
      found: { balance: '7', parkedBecause: null },
      stale: false,
    });
    expect(await findBalance(pool, 'acc_broken')).toMatchObject({
      found: { balance: '5', revision: 1 },
      stale: true,
    });
  });
});

describe('a batch', () => {
  it('is refused whole when the checkpoint has moved', async () => {
    const { pool, store, storage } = await newDatabase();
    await append(store, ...everything());
    const storeId = await store.storeId();
    const first = await BatchProjector.atCheckpoint(pool, storeId);
    const second = await BatchProjector.atCheckpoint(pool, storeId);
    await first.apply(storage.events.slice(0, 4));
    await first.saved();
    await second.apply(storage.events.slice(0, 2));
    await expect(second.saved()).rejects.toThrow(CheckpointMovedError);
    expect(await eventsProjected(pool)).toBe(4);
  });

  it.each(['before', 'after'])(
    'whose connection breaks %s its commit is applied once',
    async (when) => {
      const database = await newDatabase();
      await append(database.store, ...everything());
      const { pool, storage, store } = database;
      const storeId = await store.storeId();
      const query = async (config: { name?: string; text: string }, values?: unknown[]) => {
        const isSave = config.name === 'save-batch';
        if (isSave && when === 'before') throw new Error('connection lost');
        const result = await pool.query(config, values);
        if (isSave) throw new Error('connection lost');
        return result;
      };
      const failing = Object.create(pool, { query: { value: query } }) as Pool;
      const dying = await BatchProjector.atCheckpoint(failing, storeId);
      await dying.apply(storage.events.slice(0, 5));
      await expect(dying.saved()).rejects.toThrow('connection lost');

      await projectAll(database);

      expect((await prove(database)).events).toBe(storage.events.length);
    },
  );

  it('that a kill interrupts is neither lost nor doubled', async () => {
    const database = await newDatabase();
    const store = await openPostgresEventStore({
      url: database.databaseUrl,
      applicationName: 'spec',
      allowUnsafe: true,
    });
    cleanups.push(() => store.close());
    const stories = Array.from({ length: 40 }, (_, place) =>
      new AccountStory(`acc_${String(place)}`).opened().granted('100000'),
    );
    for (let call = 0; call < 60; call += 1) {
      for (const story of stories) {
        story.reserved(`r${String(call)}`, '3').settled(`r${String(call)}`, { output: call });
      }
    }
    await append(store, ...stories);

    for (const delayMs of [0, 20, 60]) await killedProjection(database, store, delayMs);
    const left = { ...database, store };
    expect(await eventsProjected(database.pool)).toBeLessThan(counted(stories));
    await prove(left);
    await projectAll(left, 500);
    expect(await prove(left)).toMatchObject({ events: counted(stories), eventsBehind: 0 });
  });
});

/** A process of its own projects slowly, and is killed in the middle of it. */
const killedProjection = async (
  { databaseUrl, pool }: ReadDatabase,
  store: EventStore,
  delayMs: number,
): Promise<void> => {
  const before = await eventsProjected(pool);
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('../../dist/story/project-slowly.fixture.js', import.meta.url)),
      databaseUrl,
      await store.storeId(),
    ],
    { stdio: 'inherit' },
  );
  const exited = once(child, 'exit');
  await waitUntil(async () => (await eventsProjected(pool)) > before, {
    timeoutMs: 20_000,
    intervalMs: 5,
  });
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  child.kill('SIGKILL');
  await exited;
};
