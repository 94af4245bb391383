import type { Pool, PoolClient } from '@tollkeeper/postgres';
import { UnsafeStoreError } from './event-store.js';

/** Without any of them a commit is acknowledged that a power loss can take, or tear. */
const needed = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;
const sql = `SELECT ${needed.map((name) => `current_setting('${name}') AS ${name}`).join()}`;

/**
 * The pool, of which no session is given out that may lose what it acknowledges: `connect` rejects with UnsafeStoreError.
 * Each new session is asked once, because settings change under a running service, a server can come back from its
 * end with others, and a role or a database may have its own.
 */
export const safeSessions = (pool: Pool, timeoutMs: number): Pool => {
  const safe = new WeakSet<PoolClient>();
  const connect = async (): Promise<PoolClient> => {
    const session = await pool.connect();
    if (safe.has(session)) return session;
    // One that breaks says so by an event as well, and one that is unheard would end Node.
    session.on('error', ignore);
    try {
      await refuseUnsafe(session, timeoutMs);
      safe.add(session);
      return session;
    } catch (error) {
      session.release(true);
      throw error;
    } finally {
      session.off('error', ignore);
    }
  };
  return Object.assign(Object.create(pool) as Pool, { connect });
};

const ignore = (): void => undefined;

const refuseUnsafe = async (session: PoolClient, timeoutMs: number): Promise<void> => {
  const question = { text: sql, query_timeout: timeoutMs };
  const { rows } = await session.query<Record<string, string>>(question);
  const off = Object.entries(rows[0] ?? {}).filter(([, value]) => value === 'off');
  if (off.length > 0) throw new UnsafeStoreError('PostgreSQL', Object.fromEntries(off));
};
