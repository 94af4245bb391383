import type { DueItem } from '@tollkeeper/contracts';
import type { Pool } from '@tollkeeper/postgres';
import { answer, type AsOf } from '../projector/as-of.js';

export interface DueQuery {
  readonly at: string;
  readonly limit: number;
  readonly after: DueItem | undefined;
}

const named = (kind: string): string => `'${kind}'::text COLLATE "C"`;

/** One order over all tables, so that a page can begin after any item. */
const pageOf = (table: string, kind: string, id: string, dueAt: string, where = 'true'): string => `
  (SELECT account_id AS "accountId", ${kind} AS kind, ${id} AS id, ${dueAt} AS "dueAt"
   FROM ${table} d
   WHERE ${where} AND ${dueAt} <= $1 AND ${dueAt} >= $3::timestamptz
     AND (${dueAt}, account_id, ${kind}, ${id}) > ($3::timestamptz, $4, $5, $6)
     AND NOT c.rebuilding
     AND NOT EXISTS (SELECT FROM parked_accounts p WHERE p.account_id = d.account_id)
   ORDER BY ${dueAt}, account_id, ${kind}, ${id} LIMIT $2)`;

const select = `SELECT * FROM (
  ${pageOf('open_reservations', named('reservation'), 'reservation_id', 'expires_at')}
  UNION ALL
  ${pageOf('grants', named('grant'), 'grant_id', 'expires_at', `state = 'active'`)}
  UNION ALL
  ${pageOf('due_work', 'kind', 'id', 'due_at')}
) AS due ORDER BY "dueAt", "accountId", kind, id LIMIT $2`;

/**
 * Open reservations and grants past their expiry and other work whose time has come, the longest overdue first. Parked accounts
 * are left out: they cannot do it, and would fill the list for ever. Nothing is due while the list itself is being rebuilt.
 */
export const findDue = async (
  pool: Pool,
  { at, limit, after }: DueQuery,
): Promise<{ readonly due: readonly DueItem[]; readonly next: DueItem | null } & AsOf> => {
  const { rows, ...asOf } = await answer<Omit<DueItem, 'dueAt'> & { readonly dueAt: Date }>(pool, {
    select,
    orderBy: 'r."dueAt", r."accountId", r.kind, r.id',
    about: 'sound-accounts',
    values: [
      at,
      limit,
      after?.dueAt ?? '-infinity',
      after?.accountId ?? '',
      after?.kind ?? '',
      after?.id ?? '',
    ],
  });
  const due = rows.map(({ accountId, kind, id, dueAt }) => ({
    accountId,
    kind,
    id,
    dueAt: dueAt.toISOString(),
  }));
  return { due, next: due.length === limit ? (due.at(-1) ?? null) : null, ...asOf };
};
