import pg from 'pg';

/**
 * The design that most credit systems begin with: one SERIALIZABLE transaction for each movement,
 * SELECT … FOR UPDATE, UPDATE of the balance, INSERT of a row, and a retry on serialization failures.
 */
export interface ClassicLedger {
  /** Reserves and settles: two transactions, as our two commands. */
  readonly pair: (accountId: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Prisma's default pool on two cores. */
const connectionsMax = 5;
const serializationFailure = '40001';
const deadlock = '40P01';

export const openClassicLedger = async (
  url: string,
  accountIds: readonly string[],
): Promise<ClassicLedger> => {
  const pool = new pg.Pool({ connectionString: url, max: connectionsMax });
  await pool.query(`
    DROP SCHEMA IF EXISTS classic CASCADE;
    CREATE SCHEMA classic;
    CREATE TABLE classic.balances (account_id text PRIMARY KEY, available numeric NOT NULL, reserved numeric NOT NULL);
    CREATE TABLE classic.movements (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(), account_id text NOT NULL, kind text NOT NULL,
      amount numeric NOT NULL, balance_after numeric NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON classic.movements (account_id, created_at);`);
  await pool.query(
    `INSERT INTO classic.balances SELECT id, 1000000000, 0 FROM unnest($1::text[]) AS id`,
    [accountIds],
  );

  const movement = async (accountId: string, kind: 'reserve' | 'settle'): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
      const { rows } = await client.query<{ available: string; reserved: string }>(
        'SELECT available, reserved FROM classic.balances WHERE account_id = $1 FOR UPDATE',
        [accountId],
      );
      const row = rows[0];
      if (!row) throw new Error('no account');
      const sql =
        kind === 'reserve'
          ? 'UPDATE classic.balances SET available = available - $2, reserved = reserved + $2 WHERE account_id = $1 RETURNING available'
          : 'UPDATE classic.balances SET available = available + $3, reserved = reserved - $2 WHERE account_id = $1 RETURNING available';
      const params = kind === 'reserve' ? [accountId, '0.525'] : [accountId, '0.525', '0.1125'];
      const after = await client.query<{ available: string }>(sql, params);
      await client.query(
        'INSERT INTO classic.movements (account_id, kind, amount, balance_after) VALUES ($1, $2, $3, $4)',
        [accountId, kind, '0.525', after.rows[0]?.available],
      );
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  };

  const untilDone = async (accountId: string, kind: 'reserve' | 'settle'): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      try {
        await movement(accountId, kind);
        return;
      } catch (error) {
        const code = (error as { code?: string }).code;
        if (code !== serializationFailure && code !== deadlock) throw error;
        const backOffMs = Math.random() * Math.min(50, 2 ** Math.min(attempt, 6));
        await new Promise((resolve) => setTimeout(resolve, backOffMs));
      }
    }
  };

  return {
    pair: async (accountId) => {
      await untilDone(accountId, 'reserve');
      await untilDone(accountId, 'settle');
    },
    close: () => pool.end(),
  };
};
