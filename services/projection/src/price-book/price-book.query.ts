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

/** Of the same moment as the rows beside it: when the last event was recorded that they know. */
const asOfColumn = `(SELECT event_at FROM price_book_checkpoint) AS "asOf"`;

interface Dated {
  readonly asOf: Date | null;
}

const dated = <R extends object>(rows: readonly (R & Dated)[]) => ({
  rows: rows.map(({ asOf: _, ...row }) => row as unknown as R),
  asOf: (rows[0]?.asOf ?? new Date()).toISOString(),
});

export const readSystemConfig = async (
  pool: Pool,
): Promise<{ readonly settings: readonly SettingRead[]; readonly asOf: string }> => {
  const found = await pool.query<SettingRead & Dated>(
    `SELECT key, value, description, updated_at AS "updatedAt", updated_by AS "updatedBy", reason,
            ${asOfColumn}
     FROM system_config ORDER BY key`,
  );
  const { rows, asOf } = dated<SettingRead>(found.rows);
  return { settings: rows, asOf };
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
  const found = await pool.query<PriceChangeRead & Dated>(
    `SELECT ordinal::text AS cursor, stream, revision::float8 AS revision, event_type AS type, subject, actor,
            occurred_at AS "occurredAt", effective_from AS "effectiveFrom", reason, data,
            ${asOfColumn}
     FROM price_book_changes
     WHERE ordinal < $1
     ORDER BY ordinal DESC LIMIT $2`,
    [before ?? Number.MAX_SAFE_INTEGER, limit],
  );
  const { rows, asOf } = dated<PriceChangeRead>(found.rows);
  return { ...pageOf(rows, limit), asOf };
};
