import type { Pool } from '@tollkeeper/postgres';

/** Whom a key speaks for. */
export interface Caller {
  readonly keyId: string;
  readonly accountId: string;
  readonly userId: string;
  readonly projectId: string | undefined;
}

export interface NewKey extends Caller {
  readonly keyHash: string;
}

interface Row {
  readonly key_id: string;
  readonly account_id: string;
  readonly user_id: string;
  readonly project_id: string | null;
}

export class ApiKeyStore {
  constructor(private readonly pool: Pool) {}

  /** Undefined for a key that is unknown or revoked. */
  async find(keyHash: string): Promise<Caller | undefined> {
    const found = await this.pool.query<Row>({
      name: 'find-api-key',
      text: `SELECT key_id, account_id, user_id, project_id FROM identity.api_keys
             WHERE key_hash = decode($1, 'hex') AND revoked_at IS NULL`,
      values: [keyHash],
    });
    const row = found.rows[0];
    return (
      row && {
        keyId: row.key_id,
        accountId: row.account_id,
        userId: row.user_id,
        projectId: row.project_id ?? undefined,
      }
    );
  }

  async add(key: NewKey): Promise<void> {
    await this.pool.query(
      `WITH owner AS (INSERT INTO identity.users (user_id) VALUES ($4) ON CONFLICT DO NOTHING)
       INSERT INTO identity.api_keys (key_id, key_hash, account_id, user_id, project_id)
       VALUES ($1, decode($2, 'hex'), $3, $4, $5)`,
      [key.keyId, key.keyHash, key.accountId, key.userId, key.projectId ?? null],
    );
  }
}
