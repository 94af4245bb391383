import { inTransaction, type Pool, type PoolClient } from '@tollkeeper/postgres';
import { migrateReadModels, openProjectorPool, readSchema } from '../database.js';
import {
  ForeignStoreError,
  projectionName,
  readModelTables,
} from '../projector/checkpoint.store.js';
import { priceBookTables } from '../price-book/price-book.store.js';
import { DifferenceError } from './difference.js';

/** The primary keys: what a difference is named by, and found first by. */
const keys: Readonly<
  Record<
    Exclude<(typeof readModelTables)[number], 'checkpoints'> | (typeof priceBookTables)[number],
    string
  >
> = {
  parked_accounts: 'account_id',
  balances: 'account_id',
  open_reservations: 'account_id, reservation_id',
  released_reservations: 'account_id, reservation_id',
  usage_log: 'account_id, reservation_id',
  credit_transactions: 'account_id, revision, part',
  margin_by_tier: 'tier, local_date',
  daily_summaries: 'account_id, local_date, tier',
  grants: 'account_id, grant_id',
  limits: 'account_id, limit_id',
  journal_days: 'local_date, account',
  due_work: 'account_id, kind, id',
  price_book_changes: 'stream, revision',
  vendor_prices: 'price_version',
  multiplier_rules: 'rule_id',
  price_alerts: 'alert_id',
  setting_changes: 'key, stream, revision',
};
const everyTable = [...readModelTables, 'price_book_checkpoint', ...priceBookTables];

export interface LiveCheckpoint {
  readonly position: string | undefined;
  readonly events: number;
  /** Of the read price book, which has a checkpoint of its own. */
  readonly priceBookPosition: string | undefined;
}

/** Letters only, as `migrate` wants it. */
const schemaOf = (pid: number): string =>
  `read_verify_${String(pid).replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)))}`;

const lockOf = (schema: string): string => `hashtext('tollkeeper ${schema}')`;

/**
 * A schema beside the live one, with a copy of the live tables as of one moment (`live_…`) and empty read models
 * to project into. It is this process's for as long as `owner` is connected, and is dropped in any case.
 */
export class Shadow {
  private constructor(
    readonly pool: Pool,
    readonly schema: string,
    private readonly live: Pool,
    private readonly owner: PoolClient,
  ) {}

  static async create(live: Pool, databaseUrl: string): Promise<Shadow> {
    const schema = schemaOf(process.pid);
    const owner = await live.connect();
    try {
      await dropAbandoned(owner);
      await owner.query(`SELECT pg_advisory_lock(${lockOf(schema)})`);
      await owner.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    } catch (error) {
      owner.release(true);
      throw error;
    }
    const pool = openProjectorPool({ databaseUrl, schema, applicationName: 'audit-shadow' });
    const shadow = new Shadow(pool, schema, live, owner);
    try {
      await migrateReadModels(pool, schema);
      for (const table of everyTable) await pool.query(`ALTER TABLE ${table} SET UNLOGGED`);
      return shadow;
    } catch (error) {
      await shadow.drop();
      throw error;
    }
  }

  async drop(): Promise<void> {
    await this.pool.end();
    try {
      await this.owner.query(`DROP SCHEMA IF EXISTS ${this.schema} CASCADE`);
    } finally {
      // Ends the session, and the advisory lock with it.
      this.owner.release(true);
    }
  }

  /**
   * Copies all live tables and their checkpoint as of one moment, while the projector runs on. Locked first, because a
   * rebuild's TRUNCATE would otherwise show through the snapshot.
   *
   * @throws ForeignStoreError
   */
  async copyLive(storeId: string): Promise<LiveCheckpoint> {
    return inTransaction(this.live, async (client) => {
      await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      for (const table of everyTable) {
        await client.query(`LOCK TABLE ${readSchema}.${table} IN ACCESS SHARE MODE`);
      }
      for (const table of Object.keys(keys)) {
        await client.query(
          `CREATE UNLOGGED TABLE ${this.schema}.live_${table} AS SELECT * FROM ${readSchema}.${table}`,
        );
      }
      const { rows } = await client.query<{
        store_id: string;
        position: string | null;
        events: string;
      }>(`SELECT store_id, position, events FROM ${readSchema}.checkpoints WHERE projection = $1`, [
        projectionName,
      ]);
      const { rows: priceBook } = await client.query<{ position: string | null }>(
        `SELECT position FROM ${readSchema}.price_book_checkpoint`,
      );
      const priceBookPosition = priceBook[0]?.position ?? undefined;
      const row = rows[0];
      if (!row) return { position: undefined, events: 0, priceBookPosition };
      if (row.store_id !== storeId) throw new ForeignStoreError(row.store_id, storeId);
      const { position, events } = row;
      return { position: position ?? undefined, events: Number(events), priceBookPosition };
    });
  }

  /** Number of rows by table. @throws DifferenceError at the first row that differs */
  async compare(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [table, key] of Object.entries(keys)) {
      counts[table] = await this.compareTable(table, key);
    }
    return counts;
  }

  private async compareTable(table: string, key: string): Promise<number> {
    const columns = await this.comparableColumns(table);
    const { rows } = await this.pool.query<{ side: string; key: string; row: string }>(
      `WITH l AS (SELECT ${columns} FROM live_${table}), r AS (SELECT ${columns} FROM ${table}),
            live AS (SELECT * FROM l EXCEPT SELECT * FROM r),
            recomputed AS (SELECT * FROM r EXCEPT SELECT * FROM l)
       SELECT side, row, concat_ws(' ', ${key}) AS key FROM (
         SELECT 'live' AS side, to_jsonb(live)::text AS row, live.* FROM live
         UNION ALL
         SELECT 'recomputed', to_jsonb(recomputed)::text, recomputed.* FROM recomputed
       ) AS differing ORDER BY ${key}, side LIMIT 2`,
    );
    const first = rows[0];
    if (first) {
      const rowOn = (side: string): string | null =>
        rows.find((row) => row.side === side && row.key === first.key)?.row ?? null;
      throw new DifferenceError({
        check: 'read-model',
        message: `${table} differs at ${first.key}`,
        table,
        key: first.key,
        live: rowOn('live'),
        recomputed: rowOn('recomputed'),
      });
    }
    return this.sameCount(table);
  }

  /** All columns; `json` has no equality of its own. */
  private async comparableColumns(table: string): Promise<string> {
    const { rows } = await this.pool.query<{ column: string }>(
      `SELECT CASE WHEN atttypid = 'json'::regtype THEN format('%1$I::jsonb AS %1$I', attname)
                   ELSE quote_ident(attname) END AS column
       FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
       ORDER BY attnum`,
      [`${this.schema}.${table}`],
    );
    return rows.map((row) => row.column).join(', ');
  }

  /** Set operations do not see a row that is there twice. */
  private async sameCount(table: string): Promise<number> {
    const { rows } = await this.pool.query<{ live: number; recomputed: number }>(
      `SELECT (SELECT count(*)::float8 FROM live_${table}) AS live,
              (SELECT count(*)::float8 FROM ${table}) AS recomputed`,
    );
    const { live, recomputed } = rows[0] ?? { live: 0, recomputed: 0 };
    if (live !== recomputed) {
      throw new DifferenceError({
        check: 'read-model',
        message: `${table} has ${String(live)} rows, recomputed ${String(recomputed)}`,
        table,
      });
    }
    return recomputed;
  }
}

/** Left by a verification that was killed: nobody holds its lock. */
const dropAbandoned = async (owner: PoolClient): Promise<void> => {
  const { rows } = await owner.query<{ nspname: string }>(
    `SELECT nspname FROM pg_namespace WHERE nspname ~ '^read_verify_[a-j]+$'`,
  );
  for (const { nspname } of rows) {
    const { rows: locked } = await owner.query<{ free: boolean }>(
      `SELECT pg_try_advisory_lock(${lockOf(nspname)}) AS free`,
    );
    if (locked[0]?.free !== true) continue;
    await owner.query(`DROP SCHEMA IF EXISTS ${nspname} CASCADE`);
    await owner.query(`SELECT pg_advisory_unlock(${lockOf(nspname)})`);
  }
};
