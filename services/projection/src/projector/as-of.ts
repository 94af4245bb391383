import type { Pool } from '@tollkeeper/postgres';
import { projectionName } from './checkpoint.store.js';

/** How current an answer is. */
export interface AsOf {
  /** Time of the last event that the answer knows. */
  readonly asOf: string;
  /** The store's position of that event; null before the first. */
  readonly asOfPosition: string | null;
  /** True while read models are being rebuilt, stand still, or cannot follow the account asked for. */
  readonly stale: boolean;
}

export interface Answer<R> extends AsOf {
  readonly rows: readonly R[];
}

interface CheckpointColumns {
  readonly asOf: Date | null;
  readonly asOfPosition: string | null;
  readonly stale: boolean;
  readonly found: boolean | null;
}

export interface Selection {
  /** Its columns are the answer's fields; no `found`, `stale`, `asOf` among them. */
  readonly select: string;
  readonly orderBy: string;
  readonly values: readonly unknown[];
  /** Whose parked accounts make the answer stale: of the account in `$1`, of any, or nobody's. */
  readonly about: 'account' | 'everyone' | 'sound-accounts';
}

const parkedAbout: Readonly<Record<Selection['about'], string>> = {
  account: 'EXISTS (SELECT FROM parked_accounts WHERE account_id = $1)',
  everyone: 'EXISTS (SELECT FROM parked_accounts)',
  'sound-accounts': 'false',
};

/** Rows and checkpoint in one statement, hence of one moment. */
export const answer = async <R extends object>(
  pool: Pool,
  { select, orderBy, values, about }: Selection,
): Promise<Answer<R>> => {
  const { rows } = await pool.query<CheckpointColumns & R>(
    `SELECT c.position AS "asOfPosition", c.event_at AS "asOf",
       c.rebuilding OR ${parkedAbout[about]} AS stale, r.*
     FROM checkpoints c LEFT JOIN LATERAL (SELECT true AS found, s.* FROM (${select}) s) r ON true
     WHERE c.projection = '${projectionName}'
     ORDER BY ${orderBy}`,
    [...values],
  );
  const first = rows[0];
  return {
    rows: rows
      .filter((row) => row.found === true)
      .map(({ found: _f, stale: _s, asOf: _a, asOfPosition: _p, ...row }) => row as unknown as R),
    asOf: (first?.asOf ?? new Date()).toISOString(),
    asOfPosition: first?.asOfPosition ?? null,
    stale: first?.stale ?? true,
  };
};

/** NATS carries at most 1 MB: a page ends early rather than not at all. */
export const pageBytesMax = 800_000;

export interface Page<R> {
  readonly rows: readonly R[];
  /** Ask again with it as `before`; null at the end. */
  readonly next: string | null;
}

export const pageOf = <R extends { readonly cursor: string }>(
  rows: readonly R[],
  limit: number,
): Page<R> => {
  let bytes = 0;
  let fitting = 0;
  for (const row of rows) {
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > pageBytesMax && fitting > 0) break;
    fitting += 1;
  }
  const page = rows.slice(0, fitting);
  const more = fitting < rows.length || rows.length === limit;
  return { rows: page, next: more ? (page.at(-1)?.cursor ?? null) : null };
};
