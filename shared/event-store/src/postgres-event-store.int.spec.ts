import { createDatabase, startEphemeralPostgres } from '@tollkeeper/servers';
import pg from 'pg';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  appendUntilAnswered,
  checkOrder,
  collect,
  eventually,
  follow,
  idsOf,
  lastPosition,
  newEvent,
  newEvents,
  newStream,
  pause,
  rejectionOf,
} from './contract-kit.js';
import { describeEventStore } from './event-store.contract.js';
import {
  InvalidEventError,
  StoreUnavailableError,
  UnknownOutcomeError,
  UnsafeStoreError,
  type EventStore,
} from './event-store.js';
import { startLossyProxy } from '@tollkeeper/testing';
import { openEventStore } from './open-event-store.js';
import { createAppender } from './postgres-append.js';
import { openPostgresEventStore, type PostgresEventStoreOptions } from './postgres-event-store.js';

/** One server for this file; each group of tests has a database of its own. */
let server: Awaited<ReturnType<typeof startEphemeralPostgres>> | undefined;
beforeAll(async () => {
  server = await startEphemeralPostgres();
}, 120_000);
afterAll(async () => {
  await server?.stop();
});

const newDatabase = async (): Promise<string> => {
  if (!server) throw new Error('PostgreSQL is not running');
  return createDatabase(server.url, `es_${randomUUID().replaceAll('-', '')}`);
};

const open = (url: string, options: Partial<PostgresEventStoreOptions> = {}): Promise<EventStore> =>
  openPostgresEventStore({ url, applicationName: 'contract', allowUnsafe: true, ...options });

describeEventStore('the PostgreSQL store', async () => {
  const url = await newDatabase();
  const proxies: (() => Promise<void>)[] = [];
  return {
    open: () => open(url),
    openLossy: async () => {
      const { hostname, port } = new URL(url);
      const proxy = await startLossyProxy(hostname, Number(port));
      proxies.push(proxy.close);
      const through = new URL(url);
      through.hostname = '127.0.0.1';
      through.port = String(proxy.port);
      return { store: await open(through.href, { appendTimeoutMs: 700 }), ...proxy };
    },
    close: async () => {
      await Promise.all(proxies.map((close) => close()));
    },
  };
});

/** What a raw writer needs: a connection whose transaction the test itself begins and ends. */
const callAppend = (
  client: pg.Client,
  stream: string,
  id: string,
): Promise<pg.QueryResult<{ o_head: string }>> =>
  client.query(
    `SELECT * FROM event_store.append(
       ARRAY[split_part($1, '-', 1)], ARRAY[$1], ARRAY[-2]::bigint[], ARRAY[1], ARRAY[1], ARRAY[0],
       ARRAY[$2]::uuid[], ARRAY['Tested'], ARRAY['{}']::json[], ARRAY['{}']::json[])`,
    [stream, id],
  );

describe('the global order of PostgreSQL', () => {
  let url = '';
  let store: EventStore;
  const clients: pg.Client[] = [];

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    clients.push(client);
    return client;
  };
  const isWaitingForLock = async (watcher: pg.Client, pid: number): Promise<boolean> => {
    const { rows } = await watcher.query('SELECT 1 FROM pg_locks WHERE pid = $1 AND NOT granted', [
      pid,
    ]);
    return rows.length > 0;
  };
  const pidOf = async (client: pg.Client): Promise<number> => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]?.pid ?? 0;
  };

  beforeAll(async () => {
    url = await newDatabase();
    store = await open(url);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
  });
  afterAll(async () => {
    await store.close();
  });

  /**
   * The schedule that loses events elsewhere: A draws its place first, B second, and B ends while
   * A is still open; a reader looks in between and remembers the highest place it has seen.
   */
  it('makes a writer wait for one that began before it, so nothing appears behind a reader', async () => {
    const [watcher, a, b] = [await connect(), await connect(), await connect()];
    const category = newStream().split('-')[0] ?? '';
    const follower = follow(store, { categories: [category] });
    await follower.caughtUp;
    const [idOfA, idOfB] = [randomUUID(), randomUUID()];
    const pidOfB = await pidOf(b);

    await a.query('BEGIN');
    await callAppend(a, `${category}-a`, idOfA);
    let bIsDone = false;
    const bDone = callAppend(b, `${category}-b`, idOfB).then(() => {
      bIsDone = true;
    });
    await eventually('B to wait', () => isWaitingForLock(watcher, pidOfB));
    // The reader looks in between: neither is there, so it cannot pass over A.
    const { rows } = await watcher.query('SELECT 1 FROM event_store.read_categories($1, 0, 10)', [
      [category],
    ]);
    expect(rows).toHaveLength(0);
    expect(bIsDone).toBe(false);
    expect(follower.received).toEqual([]);

    await a.query('COMMIT');
    await bDone;
    await follower.count(2);
    expect(idsOf(follower.received)).toEqual([idOfA, idOfB]);
    checkOrder(store, follower.received);
    await follower.stop();
  });

  it('leaves no gap when the writer in front rolls back', async () => {
    const [watcher, a, b] = [await connect(), await connect(), await connect()];
    const category = newStream().split('-')[0] ?? '';
    await store.append(`${category}-x`, 'no-stream', newEvents(1));
    const before = await lastPosition(store, `${category}-x`);
    const idOfB = randomUUID();
    const pidOfB = await pidOf(b);
    await a.query('BEGIN');
    await callAppend(a, `${category}-a`, randomUUID());
    const bDone = callAppend(b, `${category}-b`, idOfB);
    await eventually('B to wait', () => isWaitingForLock(watcher, pidOfB));
    await a.query('ROLLBACK');
    expect((await bDone).rows[0]?.o_head).toBe(before);
    await store.append(`${category}-y`, 'no-stream', newEvents(1));
    expect(Number(await lastPosition(store, `${category}-y`))).toBe(Number(before) + 2);
  });

  it('counts positions from 1 without a gap, whatever was refused meanwhile', async () => {
    const own = await open(await newDatabase());
    try {
      const streams = Array.from({ length: 20 }, () => newStream());
      const outcomes = await Promise.allSettled(
        Array.from({ length: 200 }, (_, n) => {
          const events = n % 7 === 0 ? [newEvent(), newEvent('bad')] : newEvents(1 + (n % 3));
          return own.append(streams[n % 20] ?? '', n < 100 ? 'no-stream' : 'any', events);
        }),
      );
      expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
      const categories = streams.map((stream) => stream.split('-')[0] ?? '');
      const follower = follow(own, { categories });
      await follower.caughtUp;
      const positions = follower.received.map(({ position }) => Number(position));
      expect(positions).toEqual(positions.map((_, index) => index + 1));
      expect(Number(await own.head())).toBe(positions.length);
    } finally {
      await own.close();
    }
  });

  /** The control: were it impossible to lose an event in this schedule, the test above would prove nothing. */
  it('is not given by a sequence: there the same schedule loses an event', async () => {
    const [reader, a, b] = [await connect(), await connect(), await connect()];
    await reader.query('CREATE TABLE naive (position bigserial PRIMARY KEY, writer text)');
    const seen: string[] = [];
    let checkpoint = '0';
    const readOn = async (): Promise<void> => {
      const { rows } = await reader.query<{ position: string; writer: string }>(
        'SELECT position, writer FROM naive WHERE position > $1 ORDER BY position',
        [checkpoint],
      );
      for (const { position, writer } of rows) {
        seen.push(writer);
        checkpoint = position;
      }
    };
    await a.query('BEGIN');
    await a.query(`INSERT INTO naive (writer) VALUES ('a')`);
    await b.query(`INSERT INTO naive (writer) VALUES ('b')`);
    await readOn();
    await a.query('COMMIT');
    await readOn();
    const { rows } = await reader.query('SELECT 1 FROM naive');
    expect(rows).toHaveLength(2);
    expect(seen).toEqual(['b']);
  });
});

describe('a PostgreSQL that could lose what it acknowledged', () => {
  const settings = ['fsync', 'full_page_writes', 'synchronous_commit'];
  let durable: Awaited<ReturnType<typeof startEphemeralPostgres>>;
  let admin: pg.Client;
  beforeAll(async () => {
    durable = await startEphemeralPostgres({ durable: true });
    admin = new pg.Client({ connectionString: durable.url });
    await admin.connect();
  }, 120_000);
  afterAll(async () => {
    await admin.end();
    await durable.stop();
  });

  const set = async (setting: string, value: 'on' | 'off'): Promise<void> => {
    await admin.query(`ALTER SYSTEM SET ${setting} = ${value}`);
    await admin.query('SELECT pg_reload_conf()');
    await eventually(`${setting} ${value}`, async () => {
      const { rows } = await admin.query<{ now: string }>(
        `SELECT current_setting('${setting}') AS now`,
      );
      return rows[0]?.now === value;
    });
  };
  const opening = (): Promise<EventStore> =>
    openPostgresEventStore({ url: durable.url, applicationName: 'safe' });

  it.each(settings)('is not started on with %s off', async (setting) => {
    await set(setting, 'off');
    const refusal = await rejectionOf(opening());
    await set(setting, 'on');
    expect(refusal).toMatchObject({ name: 'UnsafeStoreError', settings: { [setting]: 'off' } });
    await (await opening()).close();
  });

  it.each(settings)(
    'acknowledges nothing over a new connection with %s off, and goes on once it is on',
    async (setting) => {
      const store = await opening();
      const append = [newStream(), 'no-stream', newEvents(1)] as const;
      await set(setting, 'off');
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'safe'`,
      );
      // The first may still meet the connection that was cut off.
      await eventually('the refusal', async () => {
        const error = await rejectionOf(store.append(...append));
        return error instanceof UnknownOutcomeError && error.cause instanceof UnsafeStoreError;
      });
      await set(setting, 'on');
      expect((await store.append(...append)).revision).toBe(0);
      await store.close();
    },
  );
});

describe('the PostgreSQL store', () => {
  const stores: EventStore[] = [];
  const opened = async (
    url: string,
    options?: Partial<PostgresEventStoreOptions>,
  ): Promise<EventStore> => {
    const store = await open(url, options);
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });
  const query = async (url: string, text: string, values: unknown[] = []): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, values)).rows;
    } finally {
      await client.end();
    }
  };

  it('does not start on a server that could lose what it acknowledged', async () => {
    const refusal = await rejectionOf(open(await newDatabase(), { allowUnsafe: false }));
    expect(refusal).toBeInstanceOf(UnsafeStoreError);
    expect((refusal as UnsafeStoreError).settings).toEqual({
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
    });
    expect(refusal).toMatchObject({ message: expect.stringContaining('fsync off') as string });
  });

  it('is what openEventStore opens where there is no KurrentDB', async () => {
    const databaseUrl = await newDatabase();
    const store = await openEventStore({ databaseUrl, applicationName: 'x', allowUnsafe: true });
    stores.push(store);
    await store.append(newStream(), 'no-stream', newEvents(1));
    expect(await store.head()).toBe('1');
    await expect(openEventStore({ applicationName: 'x' })).rejects.toThrow('no event store');
  });

  it('is migrated once when several instances start at once', async () => {
    const url = await newDatabase();
    const together = await Promise.all(Array.from({ length: 4 }, () => opened(url)));
    const ids = await Promise.all(together.map((store) => store.storeId()));
    expect(new Set(ids).size).toBe(1);
    expect(await together[0]?.head()).toBeUndefined();
  });

  it('refuses an id that is stored in another place, and nothing else of its batch', async () => {
    const store = await opened(await newDatabase());
    const events = newEvents(1);
    await store.append(newStream(), 'no-stream', events);
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 9 }, () => store.append(newStream(), 'no-stream', newEvents(1))),
      store.append(newStream(), 'no-stream', events),
      ...Array.from({ length: 9 }, () => store.append(newStream(), 'no-stream', newEvents(1))),
    ]);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toBeInstanceOf(InvalidEventError);
    expect(outcomes.indexOf(refused[0] as never)).toBe(9);
  });

  it('stores appends that were queued together in one transaction', async () => {
    const url = await newDatabase();
    const store = await opened(url);
    const [blocker] = newEvents(1);
    await Promise.all([
      store.append(newStream(), 'no-stream', blocker ? [blocker] : []),
      ...Array.from({ length: 50 }, () => store.append(newStream(), 'no-stream', newEvents(2))),
    ]);
    const rows = await query(url, 'SELECT DISTINCT xmin::text FROM event_store.events');
    // The first one leaves alone, the other fifty together.
    expect(rows).toHaveLength(2);
  });

  it('cuts batches by their bytes', async () => {
    const url = await newDatabase();
    const store = await opened(url);
    const large = () => [newEvent(JSON.stringify('x'.repeat(900_000)))];
    await Promise.all(
      Array.from({ length: 11 }, () => store.append(newStream(), 'no-stream', large())),
    );
    const rows = (await query(
      url,
      'SELECT count(*)::int AS appends FROM event_store.events GROUP BY xmin::text',
    )) as { appends: number }[];
    expect(Math.max(...rows.map(({ appends }) => appends))).toBeLessThanOrEqual(4);
  });

  it('answers "unknown outcome" when its backend is killed, and stores a retry once', async () => {
    const url = await newDatabase();
    const store = await opened(url, { applicationName: 'victim' });
    const stream = newStream();
    const [first, second] = [newEvents(1), newEvents(3)];
    await store.append(stream, 'no-stream', first);
    // A raw transaction holds the head, so that the append is surely in flight when its backend dies.
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query('BEGIN; SELECT * FROM event_store.head FOR UPDATE');
    const appended = rejectionOf(store.append(stream, 0, second));
    const kill = `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE NOT l.granted AND a.application_name = 'victim'`;
    await eventually('the kill', async () => (await holder.query(kill)).rows.length > 0);
    expect(await appended).toBeInstanceOf(UnknownOutcomeError);
    const retried = appendUntilAnswered(store, [stream, 0, second]);
    await holder.query('ROLLBACK');
    await holder.end();
    expect((await retried).revision).toBe(3);
    expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf([...first, ...second]));
  });

  it('gives up an append that waits too long, and stores its retry once', async () => {
    const url = await newDatabase();
    const store = await opened(url, { appendTimeoutMs: 300 });
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query('BEGIN; SELECT * FROM event_store.head FOR UPDATE');
    const [stream, events] = [newStream(), newEvents(2)];
    const error = await rejectionOf(store.append(stream, 'no-stream', events));
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    await holder.query('ROLLBACK');
    await holder.end();
    await appendUntilAnswered(store, [stream, 'no-stream', events]);
    expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
  });

  it('goes on appending and delivering after every connection was killed', async () => {
    const url = await newDatabase();
    const errors: unknown[] = [];
    const store = await opened(url, {
      applicationName: 'victim',
      onError: (error) => errors.push(error),
    });
    const stream = newStream();
    const follower = follow(store, { categories: [stream.split('-')[0] ?? ''] });
    await follower.caughtUp;
    const ids: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const killed = await query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'`,
      );
      expect(killed.length).toBeGreaterThan(0);
      const events = newEvents(2);
      const expected = round === 0 ? 'no-stream' : round * 2 - 1;
      await appendUntilAnswered(store, [stream, expected, events]);
      ids.push(...idsOf(events));
      await follower.count(ids.length);
    }
    expect(idsOf(follower.received)).toEqual(ids);
    expect(follower.errors).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
    await follower.stop();
  });

  it('outlives an error event of a connection that is checked out', async () => {
    const url = await newDatabase();
    await opened(url);
    const pool = new pg.Pool({ connectionString: url });
    const appender = createAppender(pool, 5_000);
    // As a killed server does it; unheard, the event would end the process.
    pool.on('acquire', (client) => {
      setImmediate(() => client.emit('error', new Error('broken')));
    });
    await appender.append(newStream(), 'no-stream', newEvents(1), 1);
    await appender.close();
    await pool.end();
  });

  it('delivers at once by notification, without waiting for its next poll', async () => {
    const store = await opened(await newDatabase(), { pollMs: 60_000 });
    const stream = newStream();
    const follower = follow(store, { categories: [stream.split('-')[0] ?? ''] });
    await follower.caughtUp;
    for (let revision = -1; revision < 10; revision += 1) {
      const expected = revision < 0 ? 'no-stream' : revision;
      await store.append(stream, expected, newEvents(1));
      await follower.count(revision + 2);
    }
    await follower.stop();
  });

  it('delivers by polling where notifications do not arrive', async () => {
    const url = await newDatabase();
    const store = await opened(url, { pollMs: 50 });
    const stream = newStream();
    const follower = follow(store, { categories: [stream.split('-')[0] ?? ''] });
    await follower.caughtUp;
    // Stored behind the function's back, so nobody is told.
    await query(
      url,
      `INSERT INTO event_store.events VALUES (1, 0, now(), gen_random_uuid(), $1, 'Tested', '{}', '{}')`,
      [stream],
    );
    await follower.count(1);
    await follower.stop();
  });

  it('notifies the categories that were written, once a commit, and no others', async () => {
    const url = await newDatabase();
    const store = await opened(url);
    const [written, other] = [newStream(), newStream()];
    const listener = new pg.Client({ connectionString: url });
    await listener.connect();
    const channels: string[] = [];
    listener.on('notification', ({ channel }) => channels.push(channel));
    const [category = '', otherCategory = ''] = [written, other].map((name) => name.split('-')[0]);
    await listener.query(`LISTEN "event_store:${category}"; LISTEN "event_store:${otherCategory}"`);
    await store.append(written, 'no-stream', newEvents(50));
    await rejectionOf(store.append(written, 'no-stream', newEvents(1)));
    await eventually('a notification', async () => {
      await listener.query('SELECT 1');
      return channels.length > 0;
    });
    await pause(20);
    expect(channels).toEqual([`event_store:${category}`]);
    await listener.end();
  });

  it('finds the few events of a rare category without walking over the many of another', async () => {
    const url = await newDatabase();
    const store = await opened(url);
    for (let batch = 0; batch < 10; batch += 1) {
      await store.append(`credit-${String(batch)}`, 'no-stream', newEvents(1_000));
      if (batch % 4 === 0) {
        await store.append(`setting-${String(batch)}`, 'no-stream', newEvents(1));
      }
    }
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const blocksOf = async (text: string): Promise<number> => {
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
      );
      return rows[0]?.['QUERY PLAN'][0].Plan['Shared Hit Blocks'] ?? Infinity;
    };
    const page = `SELECT * FROM event_store.read_categories(ARRAY['vendorPrice','setting'], 0, 1000)`;
    // The first call also reads the catalogue.
    await blocksOf(page);
    expect(await blocksOf(page)).toBeLessThan(20);
    expect(await blocksOf('SELECT * FROM event_store.events')).toBeGreaterThan(100);
    await client.end();
    const follower = follow(store, { categories: ['vendorPrice', 'setting'] });
    await follower.caughtUp;
    expect(follower.received.map(({ stream }) => stream)).toEqual([
      'setting-0',
      'setting-4',
      'setting-8',
    ]);
    await follower.stop();
  });

  it('fails a read that is not answered in time, and reads again when it can', async () => {
    const url = new URL(await newDatabase());
    const proxy = await startLossyProxy(url.hostname, Number(url.port));
    url.port = String(proxy.port);
    const store = await opened(url.href, { readTimeoutMs: 300 });
    const stream = newStream();
    await store.append(stream, 'no-stream', newEvents(1));
    proxy.loseReplies();
    const failed = await Promise.allSettled([
      store.lastRevision(stream),
      collect(store.read(stream)),
    ]);
    expect(failed.map((each) => (each as PromiseRejectedResult).reason as unknown)).toEqual([
      expect.any(StoreUnavailableError),
      expect.any(StoreUnavailableError),
    ]);
    proxy.heal();
    expect(await store.lastRevision(stream)).toBe(0);
    expect(await collect(store.read(stream))).toHaveLength(1);
    await proxy.close();
  });

  it('does not take repeatable read, under which its check could be stale', async () => {
    const url = await newDatabase();
    await opened(url);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await expect(callAppend(client, newStream(), randomUUID())).rejects.toThrow('read committed');
    await client.end();
  });
});
