import type { Pool } from '@tollkeeper/postgres';
import { inTransaction } from '@tollkeeper/postgres';
import type { Position } from '@tollkeeper/event-store';

export const projectionName = 'ledger';

export const rebuildCommand =
  'npx toll projections rebuild (or: node services/projection/dist/audit.main.js rebuild)';

/** The read models were made from another event store; only a rebuild makes sense of that. */
export class ForeignStoreError extends Error {
  override readonly name = 'ForeignStoreError';
  constructor(checkpointStoreId: string, storeId: string) {
    super(
      `the read models were made from event store ${checkpointStoreId}, but this is ${storeId}; ` +
        `to make them anew from this one, run: ${rebuildCommand}`,
    );
  }
}

export interface Checkpoint {
  readonly position: Position | undefined;
  readonly events: number;
  readonly rebuilding: boolean;
}

interface Loaded {
  readonly store_id: string;
  readonly position: string | null;
  readonly events: string;
  readonly rebuilding: boolean;
}

/** Makes it where there is none. @throws ForeignStoreError */
export const loadCheckpoint = async (pool: Pool, storeId: string): Promise<Checkpoint> => {
  const select =
    'SELECT store_id, position, events, rebuilding FROM checkpoints WHERE projection = $1';
  let { rows } = await pool.query<Loaded>(select, [projectionName]);
  if (rows.length === 0) {
    await pool.query(
      'INSERT INTO checkpoints (projection, store_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [projectionName, storeId],
    );
    ({ rows } = await pool.query<Loaded>(select, [projectionName]));
  }
  const row = rows[0];
  if (!row) throw new Error('the checkpoint vanished');
  if (row.store_id !== storeId) throw new ForeignStoreError(row.store_id, storeId);
  return {
    position: row.position ?? undefined,
    events: Number(row.events),
    rebuilding: row.rebuilding,
  };
};

/** In the order in which every statement of this service locks them. */
export const readModelTables = [
  'checkpoints',
  'parked_accounts',
  'balances',
  'open_reservations',
  'released_reservations',
  'usage_log',
  'credit_transactions',
  'margin_by_tier',
  'daily_summaries',
  'grants',
  'limits',
  'journal_days',
  'due_work',
] as const;

/** Empties every read model together with its checkpoint, which from now on belongs to this store. */
export const resetReadModels = async (pool: Pool, storeId: string): Promise<void> => {
  await inTransaction(pool, async (client) => {
    for (const table of readModelTables) await client.query(`TRUNCATE ${table}`);
    await client.query('INSERT INTO checkpoints (projection, store_id) VALUES ($1, $2)', [
      projectionName,
      storeId,
    ]);
  });
};

/** The head was reached at this position; a reset in between leaves its own mark alone. */
export const markComplete = async (pool: Pool, position: Position | undefined): Promise<void> => {
  await pool.query(
    `UPDATE checkpoints SET rebuilding = false
     WHERE projection = $1 AND rebuilding AND position IS NOT DISTINCT FROM $2`,
    [projectionName, position ?? null],
  );
};

/**
 * The row's lock and the comparison in one: it waits for whoever else moves the checkpoint, then sees where it is.
 * Parameters: projection, store, expected position, next position, time of the last event, number of events.
 */
export const moveCheckpoint = `
  UPDATE checkpoints SET position = $4, event_at = $5, events = events + $6::bigint
  WHERE projection = $1 AND store_id = $2 AND position IS NOT DISTINCT FROM $3
  RETURNING 1`;
