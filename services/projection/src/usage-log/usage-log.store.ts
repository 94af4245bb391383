import type { Pool } from '@tollkeeper/postgres';
import type { Key } from '../open-reservations/open-reservations.store.js';
import type { PriorUsage } from './usage-log.projection.js';

export const insertUsage = (rows: string): string => `
  INSERT INTO usage_log
  SELECT r.* FROM moved, json_populate_recordset(NULL::usage_log, ${rows}) r`;

/** The columns of `UsageCorrection`. */
const corrected = [
  'tier',
  'provider',
  'model',
  'answered_model',
  'vendor_request_id',
  'service_tier',
  'price_version',
  'multiplier',
  'multiplier_rule',
  'multiplier_level',
  'provenance',
  'input_tokens',
  'output_tokens',
  'pools',
  'vendor_cost_usd',
  'usd_per_credit',
  'charge_credits',
  'charge_usd',
  'rounding_credits',
  'flags',
  'attempts',
  'refunded_credits',
  'revisions',
];

/** Never of a row that the same batch corrects: a statement changes a row once. */
export const refundUsage = (rows: string): string => `
  UPDATE usage_log u SET refunded_credits = r.refunded_credits, revisions = r.revisions
  FROM moved, json_populate_recordset(NULL::usage_log, ${rows}) r
  WHERE u.account_id = r.account_id AND u.reservation_id = r.reservation_id`;

export const correctUsage = (rows: string): string => `
  UPDATE usage_log u
  SET corrected = true, ${corrected.map((column) => `${column} = r.${column}`).join(', ')}
  FROM moved, json_populate_recordset(NULL::usage_log, ${rows}) r
  WHERE u.account_id = r.account_id AND u.reservation_id = r.reservation_id`;

type Loaded = Omit<PriorUsage, 'input_tokens' | 'output_tokens' | 'revisions'> & {
  readonly revisions: readonly string[];
  readonly input_tokens: string | null;
  readonly output_tokens: string | null;
};

const toCount = (text: string | null): number | null => (text === null ? null : Number(text));

export const loadUsage = async (pool: Pool, keys: readonly Key[]): Promise<PriorUsage[]> => {
  const { rows } = await pool.query<Loaded>(
    `SELECT u.account_id, u.reservation_id, user_id, project_id, tier, input_tokens, output_tokens,
            vendor_cost_usd, usd_per_credit, charge_credits, charge_usd, refunded_credits, revisions
     FROM json_to_recordset($1) AS k(account_id text, reservation_id text)
     JOIN usage_log u ON u.account_id = k.account_id AND u.reservation_id = k.reservation_id`,
    [JSON.stringify(keys)],
  );
  return rows.map((row) => ({
    ...row,
    input_tokens: toCount(row.input_tokens),
    output_tokens: toCount(row.output_tokens),
    revisions: row.revisions.map(Number),
  }));
};
