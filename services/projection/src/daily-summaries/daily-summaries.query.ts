import type { Pool } from '@tollkeeper/postgres';
import { answer, pageOf, type AsOf, type Page } from '../projector/as-of.js';

/** An account's day at one tier. Decimal strings; counts are numbers. */
export interface DayRead {
  readonly cursor: string;
  readonly localDate: string;
  readonly accountId: string;
  readonly tier: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly vendorCostUsd: string;
  readonly chargeCredits: string;
  readonly chargeUsd: string;
  /** By how much the charges are less. */
  readonly refundedCredits: string;
  readonly refundedUsd: string;
  /** Upward less downward adjustments: no revenue. */
  readonly adjustedCredits: string;
  readonly exact: number;
  readonly vendorReported: number;
  readonly estimated: number;
  readonly unknown: number;
  readonly late: number;
  readonly corrections: number;
  readonly refunds: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
}

/** `localDate.accountId.tier` */
export type DayCursor = readonly [localDate: string, accountId: string, tier: string];

export interface DaysQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accountId?: string | undefined;
  readonly limit: number;
  readonly before: DayCursor | undefined;
}

const count = (column: string, name = column): string => `${column}::float8 AS "${name}"`;

/** Newest day first. */
export const pageDays = async (pool: Pool, query: DaysQuery): Promise<Page<DayRead> & AsOf> => {
  const [beforeDate, beforeAccount, beforeTier] = query.before ?? ['infinity', '', ''];
  const { rows, ...asOf } = await answer<DayRead>(pool, {
    select: `SELECT local_date || '.' || account_id || '.' || tier AS cursor,
        local_date::text AS "localDate", account_id AS "accountId", tier, ${count('calls')},
        ${count('input_tokens', 'inputTokens')}, ${count('output_tokens', 'outputTokens')},
        vendor_cost_usd AS "vendorCostUsd", charge_credits AS "chargeCredits",
        charge_usd AS "chargeUsd", refunded_credits AS "refundedCredits",
        refunded_usd AS "refundedUsd", adjusted_credits AS "adjustedCredits", ${count('refunds')},
        ${count('exact')}, ${count('vendor_reported', 'vendorReported')}, ${count('estimated')},
        ${count('unknown')}, ${count('late')}, ${count('corrections')}, ${count('failed')},
        ${count('cancelled')}, ${count('expired')}
      FROM daily_summaries
      WHERE local_date BETWEEN coalesce($1, '-infinity')::date AND coalesce($2, 'infinity')::date
        AND ($3::text IS NULL OR account_id = $3)
        AND (local_date, account_id, tier) < ($4::date, $5, $6)
      ORDER BY local_date DESC, account_id DESC, tier DESC LIMIT $7`,
    orderBy: 'r."localDate" DESC, r."accountId" DESC, r.tier DESC',
    about: 'everyone',
    values: [
      query.from ?? null,
      query.to ?? null,
      query.accountId ?? null,
      beforeDate,
      beforeAccount,
      beforeTier,
      query.limit,
    ],
  });
  return { ...pageOf(rows, query.limit), ...asOf };
};
