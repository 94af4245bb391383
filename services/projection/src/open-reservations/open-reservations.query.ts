import type { Pool } from '@tollkeeper/postgres';
import { answer, pageOf, type AsOf, type Page } from '../projector/as-of.js';

export interface OpenReservationRead {
  readonly cursor: string;
  readonly reservationId: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly keyId: string | null;
  readonly taskType: string | null;
  readonly context: Readonly<Record<string, string>> | null;
  readonly tier: string;
  /** Decimal string. */
  readonly amountCredits: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly requestedAt: Date;
  readonly reservedAt: Date;
  readonly expiresAt: Date;
}

export const pageOpenReservations = async (
  pool: Pool,
  accountId: string,
  { limit, before }: { readonly limit: number; readonly before: number | undefined },
): Promise<Page<OpenReservationRead> & AsOf> => {
  const { rows, ...asOf } = await answer<OpenReservationRead>(pool, {
    select: `SELECT revision::text AS cursor, reservation_id AS "reservationId", user_id AS "userId",
        project_id AS "projectId", key_id AS "keyId", task_type AS "taskType", context, tier,
        amount_credits AS "amountCredits", provider, model, requested_at AS "requestedAt",
        reserved_at AS "reservedAt", expires_at AS "expiresAt"
      FROM open_reservations
      WHERE account_id = $1 AND revision < $2
      ORDER BY revision DESC LIMIT $3`,
    orderBy: 'r.cursor::bigint DESC',
    about: 'account',
    values: [accountId, before ?? Number.MAX_SAFE_INTEGER, limit],
  });
  return { ...pageOf(rows, limit), ...asOf };
};

export interface DueReservation {
  readonly accountId: string;
  readonly reservationId: string;
}

/**
 * Open reservations past their expiry, the longest overdue first. Parked accounts are left out: they
 * cannot be expired, and would fill the list for ever. Nothing is due while the list itself is being rebuilt.
 */
export const findDue = async (
  pool: Pool,
  { at, limit }: { readonly at: string; readonly limit: number },
): Promise<{ readonly due: readonly DueReservation[] } & AsOf> => {
  const { rows, ...asOf } = await answer<DueReservation & { readonly dueAt: Date }>(pool, {
    select: `SELECT account_id AS "accountId", reservation_id AS "reservationId", expires_at AS "dueAt"
      FROM open_reservations o
      WHERE expires_at <= $1 AND NOT c.rebuilding
        AND NOT EXISTS (SELECT FROM parked_accounts p WHERE p.account_id = o.account_id)
      ORDER BY expires_at LIMIT $2`,
    orderBy: 'r."dueAt"',
    about: 'sound-accounts',
    values: [at, limit],
  });
  return {
    due: rows.map(({ accountId, reservationId }) => ({ accountId, reservationId })),
    ...asOf,
  };
};
