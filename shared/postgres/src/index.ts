import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

export type { Pool, PoolClient } from 'pg';

export interface PoolOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly applicationName: string;
  /** Told of idle connections that broke; the pool replaces them by itself. */
  readonly onError?: (error: Error) => void;
}

/** A pool whose broken idle connections are reported, not thrown (an unheard 'error' ends Node). */
export const createPool = (options: PoolOptions): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    application_name: options.applicationName,
    connectionTimeoutMillis: 10_000,
  });
  pool.on('error', (error) => options.onError?.(error));
  return pool;
};

/** Runs the work in one transaction; whatever it throws rolls everything back. */
export const inTransaction = async <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  // A connection that breaks while nobody waits for an answer says so by an event, and one that is
  // unheard ends Node. The next query fails by itself.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let usable = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    usable = true;
    return result;
  } catch (error) {
    usable = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    throw error;
  } finally {
    client.off('error', ignore);
    // A connection whose ROLLBACK failed too is destroyed, so that no one inherits its transaction.
    client.release(!usable);
  }
};

const migrationsLock = 7_261_013;

/**
 * Applies `NNNN-name/up.sql` folders in order, each once, in one transaction with its record.
 * An advisory lock lets several instances start at once.
 */
export const migrate = async (pool: pg.Pool, schema: string, folder: string): Promise<void> => {
  if (!/^[a-z_]+$/.test(schema)) throw new Error(`not a schema name: ${schema}`);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  await inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [migrationsLock]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${schema}.migrations
         (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const done = await client.query<{ name: string }>(`SELECT name FROM ${schema}.migrations`);
    const applied = new Set(done.rows.map((row) => row.name));
    for (const name of names) {
      if (applied.has(name)) continue;
      await client.query(await readFile(join(folder, name, 'up.sql'), 'utf8'));
      await client.query(`INSERT INTO ${schema}.migrations (name) VALUES ($1)`, [name]);
    }
  });
};
