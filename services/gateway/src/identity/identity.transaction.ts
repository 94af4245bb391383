import { inTransaction, type Pool, type PoolClient } from '@tollkeeper/postgres';

/** A pool, or the connection of a transaction. */
export type Queries = Pick<PoolClient, 'query'>;

/** One change of an account's members, projects or keys at a time, whichever gateway makes it. */
export const inAccount = <T>(
  pool: Pool,
  accountId: string,
  work: (db: Queries) => Promise<T>,
): Promise<T> =>
  inTransaction(pool, async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('identity:' || $1, 0))`, [
      accountId,
    ]);
    return work(client);
  });
