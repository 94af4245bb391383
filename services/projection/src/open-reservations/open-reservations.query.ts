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
