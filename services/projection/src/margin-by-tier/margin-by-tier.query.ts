import type { Pool } from '@tollkeeper/postgres';
import { answer, type Answer } from '../projector/as-of.js';

/** One tier's calls of one day, in US dollars as decimal strings. */
export interface MarginRead {
  readonly localDate: string;
  readonly tier: string;
  readonly calls: number;
  /** Less by `refundedUsd`. */
  readonly revenueUsd: string;
  readonly refundedUsd: string;
  readonly vendorCostUsd: string;
  readonly marginUsd: string;
  /** Of the revenue, to 2 decimals; null without revenue. */
  readonly marginPercent: string | null;
}

export interface DateRange {
  /** Both inclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const rowsMax = 4_000;

/** Newest day first. */
export const readMargins = (pool: Pool, { from, to }: DateRange): Promise<Answer<MarginRead>> =>
  answer<MarginRead>(pool, {
    select: `SELECT local_date::text AS "localDate", tier, calls::float8 AS calls,
        revenue_usd AS "revenueUsd", refunded_usd AS "refundedUsd",
        vendor_cost_usd AS "vendorCostUsd", margin_usd AS "marginUsd",
        margin_percent AS "marginPercent"
      FROM margin_by_tier_report
      WHERE local_date BETWEEN coalesce($1, '-infinity')::date AND coalesce($2, 'infinity')::date
      ORDER BY local_date DESC, tier LIMIT ${String(rowsMax)}`,
    orderBy: 'r."localDate" DESC, r.tier',
    about: 'everyone',
    values: [from ?? null, to ?? null],
  });
