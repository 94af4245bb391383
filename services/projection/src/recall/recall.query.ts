import type { RecallReply } from '@tollkeeper/contracts';
import type { Pool } from '@tollkeeper/postgres';

/** Which events are about a reservation, and how far this index has followed its account: both of one moment. */
export const findRevisions = async (
  pool: Pool,
  accountId: string,
  reservationId: string,
): Promise<RecallReply> => {
  const { rows } = await pool.query<{
    indexedRevision: string | null;
    revisions: readonly string[] | null;
  }>({
    name: 'recall',
    text: `SELECT
        (SELECT revision FROM balances WHERE account_id = $1) AS "indexedRevision",
        coalesce(
          (SELECT revisions FROM usage_log WHERE account_id = $1 AND reservation_id = $2),
          (SELECT revisions FROM released_reservations WHERE account_id = $1 AND reservation_id = $2),
          (SELECT ARRAY[revision] FROM open_reservations WHERE account_id = $1 AND reservation_id = $2)
        ) AS revisions`,
    values: [accountId, reservationId],
  });
  const row = rows[0];
  return {
    revisions: (row?.revisions ?? []).map(Number),
    indexedRevision: Number(row?.indexedRevision ?? -1),
  };
};
