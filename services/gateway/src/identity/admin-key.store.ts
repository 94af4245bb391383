import type { AdminKeyView, AdminRole } from '@tollkeeper/contracts';
import type { Queries } from './identity.transaction.js';
import { pageOf, pageSize, type Page } from './page.js';

/** Who acts with a key, and what they may do. */
export interface Admin {
  readonly actor: string;
  readonly role: AdminRole;
}

export interface NewAdminKey extends Admin {
  readonly keyId: string;
  readonly keyHash: string;
}

interface ListedRow extends Admin {
  readonly key_id: string;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

export class AdminKeyStore {
  constructor(private readonly db: Queries) {}

  /** Undefined for a key that is unknown or revoked. Found by its hash, so that no comparison tells how much of a guess is right. */
  async find(keyHash: string): Promise<Admin | undefined> {
    const found = await this.db.query<Admin>({
      name: 'find-admin-key',
      text: `SELECT actor, role FROM identity.admin_keys
             WHERE key_hash = decode($1, 'hex') AND revoked_at IS NULL`,
      values: [keyHash],
    });
    return found.rows[0];
  }

  async add({ keyId, keyHash, actor, role }: NewAdminKey): Promise<void> {
    await this.db.query(
      `INSERT INTO identity.admin_keys (key_id, key_hash, actor, role)
       VALUES ($1, decode($2, 'hex'), $3, $4)`,
      [keyId, keyHash, actor, role],
    );
  }

  /** Since when it is revoked, now or before; undefined where there is no such key. */
  async revoke(keyId: string): Promise<string | undefined> {
    const done = await this.db.query<{ revoked_at: Date }>(
      `UPDATE identity.admin_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1
       RETURNING revoked_at`,
      [keyId],
    );
    return done.rows[0]?.revoked_at.toISOString();
  }

  async list(after = ''): Promise<Page<AdminKeyView>> {
    const found = await this.db.query<ListedRow>(
      `SELECT key_id, actor, role, created_at, revoked_at
       FROM identity.admin_keys WHERE key_id > $1 ORDER BY key_id LIMIT $2`,
      [after, pageSize + 1],
    );
    const keys = found.rows.map((row) => ({
      keyId: row.key_id,
      actor: row.actor,
      role: row.role,
      createdAt: row.created_at.toISOString(),
      ...(row.revoked_at && { revokedAt: row.revoked_at.toISOString() }),
    }));
    return pageOf(keys, ({ keyId }) => keyId);
  }
}
