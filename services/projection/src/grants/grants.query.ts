import type { Pool } from '@tollkeeper/postgres';
import { answer, pageOf, type AsOf, type Page } from '../projector/as-of.js';

/** A grant and where its credits are. Decimal strings: amount = available + reserved + drawn + lapsed + voided. */
export interface GrantRead {
  readonly cursor: string;
  readonly grantId: string;
  readonly kind: string;
  readonly priority: number;
  readonly effectiveAt: Date;
  readonly expiresAt: Date | null;
  readonly amountCredits: string;
  readonly availableCredits: string;
  readonly reservedCredits: string;
  readonly drawnCredits: string;
  readonly lapsedCredits: string;
  readonly voidedCredits: string;
  readonly costBasisUsd: string | null;
  readonly externalReference: string | null;
  readonly reasonCode: string | null;
  readonly refundId: string | null;
  readonly topUpId: string | null;
  readonly recurringId: string | null;
  readonly recurringPeriod: string | null;
  /** Active until an event says otherwise, also past `expiresAt`. */
  readonly state: 'active' | 'expired' | 'voided';
  readonly grantedAt: Date;
  readonly endedAt: Date | null;
}

export const pageGrants = async (
  pool: Pool,
  accountId: string,
  { limit, before }: { readonly limit: number; readonly before: number | undefined },
): Promise<Page<GrantRead> & AsOf> => {
  const { rows, ...asOf } = await answer<GrantRead>(pool, {
    select: `SELECT revision::text AS cursor, grant_id AS "grantId", kind, priority::float8 AS priority,
        effective_at AS "effectiveAt", expires_at AS "expiresAt", amount AS "amountCredits",
        available AS "availableCredits", reserved AS "reservedCredits", drawn AS "drawnCredits",
        lapsed AS "lapsedCredits", voided AS "voidedCredits", cost_basis_usd AS "costBasisUsd",
        external_reference AS "externalReference", reason_code AS "reasonCode",
        refund_id AS "refundId", top_up_id AS "topUpId", recurring_id AS "recurringId",
        recurring_period AS "recurringPeriod", state, granted_at AS "grantedAt",
        ended_at AS "endedAt"
      FROM grants
      WHERE account_id = $1 AND revision < $2
      ORDER BY revision DESC LIMIT $3`,
    orderBy: 'r.cursor::bigint DESC',
    about: 'account',
    values: [accountId, before ?? Number.MAX_SAFE_INTEGER, limit],
  });
  return { ...pageOf(rows, limit), ...asOf };
};
