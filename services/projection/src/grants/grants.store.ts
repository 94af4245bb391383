import type { Pool } from '@tollkeeper/postgres';
import { grantPots } from './grants.projection.js';

export const insertGrants = (rows: string): string => `
  INSERT INTO grants
  SELECT r.* FROM moved, json_populate_recordset(NULL::grants, ${rows}) r`;

/** Amounts are trimmed, so that they are the same bytes however the events were batched. */
export const moveGrants = (rows: string): string => `
  UPDATE grants g
  SET ${grantPots.map((pot) => `${pot} = trim_scale(g.${pot} + r.${pot})`).join(', ')},
    state = coalesce(r.state, g.state), ended_at = coalesce(r.ended_at, g.ended_at)
  FROM moved, json_populate_recordset(NULL::grants, ${rows}) r
  WHERE g.account_id = r.account_id AND g.grant_id = r.grant_id`;

export interface GrantKey {
  readonly account_id: string;
  readonly grant_id: string;
}

/** Those of the keys that there are rows of. */
export const loadAvailable = async (
  pool: Pool,
  keys: readonly GrantKey[],
): Promise<(GrantKey & { readonly available: string })[]> => {
  const { rows } = await pool.query<GrantKey & { readonly available: string }>(
    `SELECT g.account_id, g.grant_id, g.available
     FROM json_to_recordset($1) AS k(account_id text, grant_id text)
     JOIN grants g ON g.account_id = k.account_id AND g.grant_id = k.grant_id`,
    [JSON.stringify(keys)],
  );
  return rows;
};
