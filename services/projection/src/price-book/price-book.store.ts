import { fromStoredPriceBook } from '@tollkeeper/events';
import type { Position, RecordedEvent } from '@tollkeeper/event-store';
import { inTransaction, type Pool, type PoolClient } from '@tollkeeper/postgres';
import { settingDefinitions } from '@tollkeeper/pricing';
import { ForeignStoreError } from '../projector/checkpoint.store.js';
import { storable } from '../projector/storable.js';
import { CheckpointMovedError } from '../projector/save-batch.js';
import { writesOf } from './price-book.projection.js';

const projectionName = 'price-book';

/** Without the checkpoint and what settings there are: those are no words of events. */
export const priceBookTables = [
  'price_book_changes',
  'vendor_prices',
  'multiplier_rules',
  'price_alerts',
  'setting_changes',
] as const;

export interface PriceBookCheckpoint {
  readonly position: Position | undefined;
  readonly events: number;
}

interface Row {
  readonly store_id: string;
  readonly position: string | null;
  readonly events: string;
}

/** Makes it where there is none. @throws ForeignStoreError */
export const loadPriceBookCheckpoint = async (
  pool: Pool,
  storeId: string,
): Promise<PriceBookCheckpoint> => {
  await pool.query(
    'INSERT INTO price_book_checkpoint (projection, store_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [projectionName, storeId],
  );
  const { rows } = await pool.query<Row>(
    'SELECT store_id, position, events FROM price_book_checkpoint WHERE projection = $1',
    [projectionName],
  );
  const row = rows[0];
  if (!row) throw new Error('the checkpoint of the price book vanished');
  if (row.store_id !== storeId) throw new ForeignStoreError(row.store_id, storeId);
  return { position: row.position ?? undefined, events: Number(row.events) };
};

/** Empties the read price book; its checkpoint belongs to this store from now on. */
export const resetPriceBook = async (pool: Pool, storeId: string): Promise<void> => {
  await inTransaction(pool, async (client) => {
    // The checkpoint first, as every writer locks it first.
    await client.query('TRUNCATE price_book_checkpoint');
    for (const table of priceBookTables) await client.query(`TRUNCATE ${table}`);
    await client.query('INSERT INTO price_book_checkpoint (projection, store_id) VALUES ($1, $2)', [
      projectionName,
      storeId,
    ]);
  });
};

const moveCheckpoint = `
  UPDATE price_book_checkpoint SET position = $4, event_at = $5, events = events + $6::bigint
  WHERE projection = $1 AND store_id = $2 AND position IS NOT DISTINCT FROM $3
  RETURNING events - $6::bigint AS before`;

/**
 * Writes what the events say, and the checkpoint, in one transaction.
 *
 * @throws CheckpointMovedError, UndecodableEventError
 */
export const savePriceBook = async (
  pool: Pool,
  { storeId, after }: { readonly storeId: string; readonly after: Position | undefined },
  events: readonly RecordedEvent[],
): Promise<void> => {
  const changes = events.map((event) => ({
    ...storable(fromStoredPriceBook(event)),
    ...placeOf(event),
  }));
  const last = changes.at(-1);
  if (!last) return;
  await inTransaction(pool, async (client: PoolClient) => {
    const moved = await client.query<{ before: string }>(moveCheckpoint, [
      projectionName,
      storeId,
      after ?? null,
      events.at(-1)?.position,
      last.metadata.occurredAt,
      events.length,
    ]);
    const [found] = moved.rows;
    if (!found) throw new CheckpointMovedError();
    for (const [place, change] of changes.entries()) {
      const ordinal = Number(found.before) + place + 1;
      for (const { text, values } of writesOf({ ...change, ordinal })) {
        await client.query(text, [...values]);
      }
    }
  });
};

const placeOf = ({ id, stream, revision }: RecordedEvent) => ({ id, stream, revision });

/** What settings there are, in the words of this version. */
export const saveSettingDefinitions = async (pool: Pool): Promise<void> => {
  const rows = Object.entries(settingDefinitions).map(([key, { standard, description }]) => ({
    key,
    standard,
    description,
  }));
  await inTransaction(pool, async (client) => {
    await client.query('LOCK TABLE setting_definitions IN EXCLUSIVE MODE');
    await client.query('DELETE FROM setting_definitions');
    await client.query(
      'INSERT INTO setting_definitions SELECT * FROM json_populate_recordset(NULL::setting_definitions, $1)',
      [JSON.stringify(rows)],
    );
  });
};
