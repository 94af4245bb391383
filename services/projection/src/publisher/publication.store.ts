import type { Position } from '@tollkeeper/event-store';
import type { Pool } from '@tollkeeper/postgres';

/** Another instance publishes as well; what both have sent is stored once, by the messages' ids. */
export class PublicationMovedError extends Error {
  override readonly name = 'PublicationMovedError';
}

export interface Publication {
  readonly stream: string;
  readonly storeId: string;
}

/** How far this store's events have been published to the stream; undefined: nothing yet. */
export const loadPublished = async (
  pool: Pool,
  { stream, storeId }: Publication,
): Promise<Position | undefined> => {
  const { rows } = await pool.query<{ position: string | null }>(
    `INSERT INTO publications AS p (stream, store_id) VALUES ($1, $2)
     ON CONFLICT (stream) DO UPDATE SET
       store_id = excluded.store_id,
       position = CASE WHEN p.store_id = excluded.store_id THEN p.position END
     RETURNING position`,
    [stream, storeId],
  );
  return rows[0]?.position ?? undefined;
};

/** @throws PublicationMovedError when it is not where it was left */
export const movePublished = async (
  pool: Pool,
  { stream, storeId }: Publication,
  from: Position | undefined,
  to: Position,
): Promise<void> => {
  const { rowCount } = await pool.query(
    `UPDATE publications SET position = $4
     WHERE stream = $1 AND store_id = $2 AND position IS NOT DISTINCT FROM $3`,
    [stream, storeId, from ?? null, to],
  );
  if (rowCount !== 1) throw new PublicationMovedError('another instance has published meanwhile');
};
