import type { Pool } from '@tollkeeper/postgres';

export const insertParked = (rows: string): string => `
  INSERT INTO parked_accounts
  SELECT r.* FROM moved, json_populate_recordset(NULL::parked_accounts, ${rows}) r`;

export const loadParked = async (pool: Pool): Promise<Set<string>> => {
  const { rows } = await pool.query<{ account_id: string }>(
    'SELECT account_id FROM parked_accounts',
  );
  return new Set(rows.map((row) => row.account_id));
};
