import { createHash } from 'node:crypto';
import { inTransaction, type Pool } from '@tollkeeper/postgres';
import { priceBookTables } from '../price-book/price-book.store.js';
import { readModelTables } from '../projector/checkpoint.store.js';

export interface Checksum {
  readonly checksum: string;
  /** By table: rows and a sum over the hash of each row's text. */
  readonly tables: Readonly<Record<string, string>>;
  readonly position: string | null;
}

/** Of all read models as of one moment. Equal after a rebuild to the same position, byte for byte. */
export const checksum = (pool: Pool): Promise<Checksum> =>
  inTransaction(pool, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ position: string | null }>(
      'SELECT position FROM checkpoints',
    );
    const tables: Record<string, string> = {};
    for (const table of [...readModelTables, ...priceBookTables]) {
      if (table === 'checkpoints') continue;
      const { rows: sums } = await client.query<{ sum: string }>(
        `SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS sum
         FROM ${table} t`,
      );
      tables[table] = sums[0]?.sum ?? '';
    }
    return {
      checksum: createHash('sha256').update(JSON.stringify(tables)).digest('hex'),
      tables,
      position: rows[0]?.position ?? null,
    };
  });
