import type { Pool } from '@tollkeeper/postgres';
import { pageOf, type Page } from '../projector/as-of.js';

/** A run-time setting that holds now. `value` is text; null times where nobody has changed it. */
export interface SettingRead {
  readonly key: string;
  readonly value: string;
  readonly description: string;
  readonly updatedAt: Date | null;
  readonly updatedBy: string | null;
  readonly reason: string | null;
}

export const readSystemConfig = async (
  pool: Pool,
): Promise<{ readonly settings: readonly SettingRead[]; readonly asOf: string }> => {
  const { rows } = await pool.query<SettingRead>(
    `SELECT key, value, description, updated_at AS "updatedAt", updated_by AS "updatedBy", reason
     FROM system_config ORDER BY key`,
  );
  return { settings: rows, asOf: new Date().toISOString() };
};

/** A line of the price book's audit trail. */
export interface PriceChangeRead {
  readonly cursor: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly subject: string;
  readonly actor: string;
  readonly occurredAt: Date;
  readonly effectiveFrom: Date | null;
  readonly reason: string | null;
  readonly data: unknown;
}

/** Newest first. */
export const pagePriceChanges = async (
  pool: Pool,
  { limit, before }: { readonly limit: number; readonly before: number | undefined },
): Promise<Page<PriceChangeRead> & { readonly asOf: string }> => {
  const { rows } = await pool.query<PriceChangeRead>(
    `SELECT ordinal::text AS cursor, stream, revision::float8 AS revision, event_type AS type, subject, actor,
            occurred_at AS "occurredAt", effective_from AS "effectiveFrom", reason, data
     FROM price_book_changes
     WHERE ordinal < $1
     ORDER BY ordinal DESC LIMIT $2`,
    [before ?? Number.MAX_SAFE_INTEGER, limit],
  );
  return { ...pageOf(rows, limit), asOf: new Date().toISOString() };
};
