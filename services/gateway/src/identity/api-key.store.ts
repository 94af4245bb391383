import type { KeyView } from '@tollkeeper/contracts';
import type { Queries } from './identity.transaction.js';
import { pageOf, pageSize, type Page } from './page.js';

/** Whom a key speaks for. */
export interface Caller {
  readonly keyId: string;
  readonly accountId: string;
  readonly userId: string;
  readonly projectId: string | undefined;
}

/** A key that is not revoked; it may be one of a project that is archived. */
export interface KnownKey extends Caller {
  readonly projectArchived?: boolean;
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

interface ListedRow extends Row {
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

export class ApiKeyStore {
  constructor(private readonly db: Queries) {}

  /** Undefined for a key that is unknown or revoked. */
  async find(keyHash: string): Promise<KnownKey | undefined> {
    const found = await this.db.query<Row & { readonly archived: boolean }>({
      name: 'find-api-key',
      text: `SELECT k.key_id, k.account_id, k.user_id, k.project_id,
                    p.archived_at IS NOT NULL AS archived
             FROM identity.api_keys k
             LEFT JOIN identity.projects p USING (account_id, project_id)
             WHERE k.key_hash = decode($1, 'hex') AND k.revoked_at IS NULL`,
      values: [keyHash],
    });
    const row = found.rows[0];
    return (
      row && {
        keyId: row.key_id,
        accountId: row.account_id,
        userId: row.user_id,
        projectId: row.project_id ?? undefined,
        projectArchived: row.archived,
      }
    );
  }

  async add(key: NewKey): Promise<void> {
    await this.db.query(
      `INSERT INTO identity.api_keys (key_id, key_hash, account_id, user_id, project_id)
       VALUES ($1, decode($2, 'hex'), $3, $4, $5)`,
      [key.keyId, key.keyHash, key.accountId, key.userId, key.projectId ?? null],
    );
  }

  /** Since when it is revoked, now or before; undefined where there is no such key. */
  async revoke(
    keyId: string,
  ): Promise<{ readonly accountId: string; readonly revokedAt: string } | undefined> {
    const done = await this.db.query<{ account_id: string; revoked_at: Date }>(
      `UPDATE identity.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1
       RETURNING account_id, revoked_at`,
      [keyId],
    );
    const row = done.rows[0];
    return row && { accountId: row.account_id, revokedAt: row.revoked_at.toISOString() };
  }

  /** How many there were. */
  async revokeAllOf(accountId: string, userId: string): Promise<number> {
    const done = await this.db.query(
      `UPDATE identity.api_keys SET revoked_at = now()
       WHERE account_id = $1 AND user_id = $2 AND revoked_at IS NULL`,
      [accountId, userId],
    );
    return done.rowCount ?? 0;
  }

  async list(accountId: string, after = ''): Promise<Page<KeyView>> {
    const found = await this.db.query<ListedRow>(
      `SELECT key_id, account_id, user_id, project_id, created_at, revoked_at
       FROM identity.api_keys WHERE account_id = $1 AND key_id > $2 ORDER BY key_id LIMIT $3`,
      [accountId, after, pageSize + 1],
    );
    const keys = found.rows.map((row) => ({
      keyId: row.key_id,
      userId: row.user_id,
      ...(row.project_id !== null && { projectId: row.project_id }),
      createdAt: row.created_at.toISOString(),
      ...(row.revoked_at && { revokedAt: row.revoked_at.toISOString() }),
    }));
    return pageOf(keys, ({ keyId }) => keyId);
  }
}
