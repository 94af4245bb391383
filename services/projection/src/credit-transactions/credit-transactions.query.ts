import type { Pool } from '@tollkeeper/postgres';
import { answer, pageOf, type AsOf, type Page } from '../projector/as-of.js';

/** One movement of an account's balance. Decimal strings in credits, signed. */
export interface TransactionRead {
  readonly cursor: string;
  readonly id: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly usageId: string | null;
  readonly type: string;
  readonly amount: string;
  readonly balanceBefore: string;
  readonly balanceAfter: string;
  readonly vendorCostUsd: string | null;
  readonly externalId: string | null;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

/** `revision.part` */
export type TransactionCursor = readonly [revision: number, part: number];

export const pageTransactions = async (
  pool: Pool,
  accountId: string,
  { limit, before }: { readonly limit: number; readonly before: TransactionCursor | undefined },
): Promise<Page<TransactionRead> & AsOf> => {
  const [revision, part] = before ?? [Number.MAX_SAFE_INTEGER, 0];
  const { rows, ...asOf } = await answer<TransactionRead>(pool, {
    select: `SELECT revision || '.' || part AS cursor, id, user_id AS "userId",
        project_id AS "projectId", usage_id AS "usageId", type, amount,
        balance_before AS "balanceBefore", balance_after AS "balanceAfter",
        vendor_cost_usd AS "vendorCostUsd", external_id AS "externalId", description, metadata,
        created_at AS "createdAt"
      FROM credit_transactions
      WHERE account_id = $1 AND (revision, part) < ($2::bigint, $3::smallint)
      ORDER BY revision DESC, part DESC LIMIT $4`,
    orderBy: `split_part(r.cursor, '.', 1)::bigint DESC, split_part(r.cursor, '.', 2)::int DESC`,
    about: 'account',
    values: [accountId, revision, part, limit],
  });
  return { ...pageOf(rows, limit), ...asOf };
};
