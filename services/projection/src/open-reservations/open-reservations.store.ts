import type { Pool } from '@tollkeeper/postgres';
import type { OpenReservationRow, ReleasedReservationRow } from './open-reservations.projection.js';

export const insertOpened = (rows: string): string => `
  INSERT INTO open_reservations
  SELECT r.* FROM moved, json_populate_recordset(NULL::open_reservations, ${rows}) r`;

export const deleteClosed = (keys: string): string => `
  DELETE FROM open_reservations o
  USING moved, json_populate_recordset(NULL::open_reservations, ${keys}) r
  WHERE o.account_id = r.account_id AND o.reservation_id = r.reservation_id`;

export const insertReleased = (rows: string): string => `
  INSERT INTO released_reservations
  SELECT r.* FROM moved, json_populate_recordset(NULL::released_reservations, ${rows}) r`;

export interface Key {
  readonly account_id: string;
  readonly reservation_id: string;
}

type Times = 'requested_at' | 'reserved_at' | 'expires_at';
type Loaded<R> = Omit<R, Times | 'revision'> & Record<Times, Date> & { readonly revision: string };

const byKeys = (table: string): string => `
  SELECT t.* FROM json_to_recordset($1) AS k(account_id text, reservation_id text)
  JOIN ${table} t ON t.account_id = k.account_id AND t.reservation_id = k.reservation_id`;

const times = (
  row: Record<Times, Date> & { readonly revision: string },
): Record<Times, string> & { readonly revision: number } => ({
  requested_at: row.requested_at.toISOString(),
  reserved_at: row.reserved_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  revision: Number(row.revision),
});

export const loadOpen = async (pool: Pool, keys: readonly Key[]): Promise<OpenReservationRow[]> => {
  const { rows } = await pool.query<Loaded<OpenReservationRow>>(byKeys('open_reservations'), [
    JSON.stringify(keys),
  ]);
  return rows.map((row) => ({ ...row, ...times(row) }));
};

type LoadedReleased = Loaded<Omit<ReleasedReservationRow, 'released_at' | 'revisions'>> & {
  readonly released_at: Date;
  readonly revisions: readonly string[];
};

export const loadReleased = async (
  pool: Pool,
  keys: readonly Key[],
): Promise<ReleasedReservationRow[]> => {
  const { rows } = await pool.query<LoadedReleased>(
    byKeys('released_reservations').replace('t.*', 't.*, t.local_date::text AS local_date'),
    [JSON.stringify(keys)],
  );
  return rows.map((row) => ({
    ...row,
    ...times(row),
    released_at: row.released_at.toISOString(),
    revisions: row.revisions.map(Number),
  }));
};
