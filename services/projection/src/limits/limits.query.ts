import type { Pool } from '@tollkeeper/postgres';
import { answer, pageOf, type AsOf, type Page } from '../projector/as-of.js';

/** A limit in force. `amount` and `warnedUsed` are decimal strings in `unit`. */
export interface LimitRead {
  readonly cursor: string;
  readonly limitId: string;
  readonly scope: { readonly type: string; readonly id?: string };
  readonly window: string;
  readonly unit: string;
  readonly amount: string;
  readonly mode: string;
  /** From when it counts. */
  readonly setAt: Date;
  readonly changedAt: Date;
  /** The last window in which it was passed; null: never. */
  readonly warnedPeriod: string | null;
  readonly warnedUsed: string | null;
  readonly warnedAt: Date | null;
}

export const pageLimits = async (
  pool: Pool,
  accountId: string,
  { limit, before }: { readonly limit: number; readonly before: number | undefined },
): Promise<Page<LimitRead> & AsOf> => {
  const { rows, ...asOf } = await answer<LimitRead>(pool, {
    select: `SELECT revision::text AS cursor, limit_id AS "limitId",
        jsonb_strip_nulls(jsonb_build_object('type', scope_type, 'id', scope_id)) AS scope,
        time_window AS "window", unit, amount, mode, set_at AS "setAt", changed_at AS "changedAt",
        warned_period AS "warnedPeriod", warned_used AS "warnedUsed", warned_at AS "warnedAt"
      FROM limits
      WHERE account_id = $1 AND revision < $2
      ORDER BY revision DESC LIMIT $3`,
    orderBy: 'r.cursor::bigint DESC',
    about: 'account',
    values: [accountId, before ?? Number.MAX_SAFE_INTEGER, limit],
  });
  return { ...pageOf(rows, limit), ...asOf };
};
