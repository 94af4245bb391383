import type { Pool } from '@tollkeeper/postgres';
import { answer, pageOf, type AsOf, type Page } from '../projector/as-of.js';

/** One charged call. Decimal strings; token counts are numbers. */
export interface UsageRead {
  readonly cursor: string;
  readonly reservationId: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly keyId: string | null;
  readonly taskType: string | null;
  readonly context: Readonly<Record<string, string>> | null;
  readonly tier: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly answeredModel: string | null;
  readonly vendorRequestId: string | null;
  readonly serviceTier: string | null;
  readonly priceVersion: string | null;
  readonly multiplier: string | null;
  readonly multiplierRule: string | null;
  readonly multiplierLevel: string | null;
  readonly provenance: string | null;
  /** Null where nobody knows. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly pools: Readonly<Record<string, number>>;
  readonly vendorCostUsd: string;
  readonly usdPerCredit: string;
  readonly chargeCredits: string;
  readonly chargeUsd: string;
  /** Given back of `chargeCredits`. */
  readonly refundedCredits: string;
  readonly roundingCredits: string;
  readonly debtCredits: string;
  readonly flags: readonly string[];
  readonly late: boolean;
  readonly corrected: boolean;
  readonly requestedAt: Date;
  readonly settledAt: Date;
  readonly localDate: string;
  readonly attempts: readonly unknown[];
}

export const pageUsage = async (
  pool: Pool,
  accountId: string,
  { limit, before }: { readonly limit: number; readonly before: number | undefined },
): Promise<Page<UsageRead> & AsOf> => {
  const { rows, ...asOf } = await answer<UsageRead>(pool, {
    select: `SELECT revision::text AS cursor, reservation_id AS "reservationId", user_id AS "userId",
        project_id AS "projectId", key_id AS "keyId", task_type AS "taskType", context, tier, provider,
        model, answered_model AS "answeredModel", vendor_request_id AS "vendorRequestId",
        service_tier AS "serviceTier", price_version AS "priceVersion", multiplier,
        multiplier_rule AS "multiplierRule", multiplier_level AS "multiplierLevel", provenance,
        input_tokens::float8 AS "inputTokens", output_tokens::float8 AS "outputTokens", pools,
        vendor_cost_usd AS "vendorCostUsd", usd_per_credit AS "usdPerCredit",
        charge_credits AS "chargeCredits", charge_usd AS "chargeUsd",
        refunded_credits AS "refundedCredits", rounding_credits AS "roundingCredits", debt_credits AS "debtCredits", flags, late, corrected,
        requested_at AS "requestedAt", settled_at AS "settledAt", local_date::text AS "localDate",
        attempts
      FROM usage_log
      WHERE account_id = $1 AND revision < $2
      ORDER BY revision DESC LIMIT $3`,
    orderBy: 'r.cursor::bigint DESC',
    about: 'account',
    values: [accountId, before ?? Number.MAX_SAFE_INTEGER, limit],
  });
  return { ...pageOf(rows, limit), ...asOf };
};
