import type { Pool } from '@tollkeeper/postgres';
import type { LimitRow } from './limits.projection.js';

/** All columns but the key. */
const columns = [
  'revision',
  'scope_type',
  'scope_id',
  'time_window',
  'unit',
  'amount',
  'mode',
  'set_at',
  'changed_at',
  'warned_period',
  'warned_used',
  'warned_at',
] as const;

export const saveLimits = (rows: string): string => `
  INSERT INTO limits
  SELECT r.* FROM moved, json_populate_recordset(NULL::limits, ${rows}) r
  ON CONFLICT (account_id, limit_id) DO UPDATE SET
    ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`;

export const deleteLimits = (keys: string): string => `
  DELETE FROM limits l
  USING moved, json_populate_recordset(NULL::limits, ${keys}) r
  WHERE l.account_id = r.account_id AND l.limit_id = r.limit_id`;

export interface LimitKey {
  readonly account_id: string;
  readonly limit_id: string;
}

type Loaded = Omit<LimitRow, 'revision' | 'set_at' | 'changed_at' | 'warned_at'> & {
  readonly revision: string;
  readonly set_at: Date;
  readonly changed_at: Date;
  readonly warned_at: Date | null;
};

export const loadLimits = async (pool: Pool, keys: readonly LimitKey[]): Promise<LimitRow[]> => {
  const { rows } = await pool.query<Loaded>(
    `SELECT l.* FROM json_to_recordset($1) AS k(account_id text, limit_id text)
     JOIN limits l ON l.account_id = k.account_id AND l.limit_id = k.limit_id`,
    [JSON.stringify(keys)],
  );
  return rows.map((row) => ({
    ...row,
    revision: Number(row.revision),
    set_at: row.set_at.toISOString(),
    changed_at: row.changed_at.toISOString(),
    warned_at: row.warned_at?.toISOString() ?? null,
  }));
};
