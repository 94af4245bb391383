import type { Pool } from '@tollkeeper/postgres';
import { answer, type AsOf } from '../projector/as-of.js';

/** Decimal strings in credits. The account's owner has the current figures; these are as of the checkpoint. */
export interface BalanceRead {
  readonly accountId: string;
  readonly userId: string;
  readonly tier: string;
  readonly balance: string;
  readonly reserved: string;
  readonly available: string;
  readonly debt: string;
  readonly granted: string;
  readonly charged: string;
  readonly lapsed: string;
  readonly voided: string;
  /** Downward adjustments. */
  readonly adjusted: string;
  readonly frozen: boolean;
  readonly revision: number;
  readonly updatedAt: Date;
  /** Why its events cannot be read on; null for a sound account. */
  readonly parkedBecause: string | null;
}

export const findBalance = async (
  pool: Pool,
  accountId: string,
): Promise<{ readonly found: BalanceRead | undefined } & AsOf> => {
  const { rows, ...asOf } = await answer<BalanceRead>(pool, {
    select: `SELECT account_id AS "accountId", user_id AS "userId", tier, balance, reserved, available,
                    debt, granted, charged, lapsed, voided, adjusted, frozen, revision::float8 AS revision,
                    updated_at AS "updatedAt", parked_because AS "parkedBecause"
             FROM account_balances WHERE account_id = $1`,
    orderBy: '1',
    about: 'account',
    values: [accountId],
  });
  return { found: rows[0], ...asOf };
};
