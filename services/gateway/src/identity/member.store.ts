import type { MemberRole, MemberView } from '@tollkeeper/contracts';
import type { Queries } from './identity.transaction.js';
import type { Standing } from './membership.js';
import { pageOf, pageSize, type Page } from './page.js';

interface Row {
  readonly user_id: string;
  readonly role: MemberRole;
  readonly added_at: Date;
}

/** Who belongs to an account, by id. */
export class MemberStore {
  constructor(private readonly db: Queries) {}

  async standingOf(accountId: string, userId: string): Promise<Standing> {
    const found = await this.db.query<{
      role: MemberRole | null;
      members: number;
      owners: number;
    }>(
      `SELECT max(role) FILTER (WHERE user_id = $2) AS role,
              (count(*) FILTER (WHERE user_id <> $2))::int AS members,
              (count(*) FILTER (WHERE user_id <> $2 AND role = 'owner'))::int AS owners
       FROM identity.members WHERE account_id = $1 AND removed_at IS NULL`,
      [accountId, userId],
    );
    const row = found.rows[0];
    return {
      role: row?.role ?? undefined,
      otherMembers: row?.members ?? 0,
      otherOwners: row?.owners ?? 0,
    };
  }

  async wasRemoved(accountId: string, userId: string): Promise<boolean> {
    const found = await this.db.query(
      `SELECT FROM identity.members
       WHERE account_id = $1 AND user_id = $2 AND removed_at IS NOT NULL`,
      [accountId, userId],
    );
    return found.rowCount === 1;
  }

  async put(accountId: string, userId: string, role: MemberRole): Promise<void> {
    await this.db.query('INSERT INTO identity.users (user_id) VALUES ($1) ON CONFLICT DO NOTHING', [
      userId,
    ]);
    await this.db.query(
      `INSERT INTO identity.members AS m (account_id, user_id, role) VALUES ($1, $2, $3)
       ON CONFLICT (account_id, user_id) DO UPDATE SET role = excluded.role, removed_at = NULL,
         added_at = CASE WHEN m.removed_at IS NULL THEN m.added_at ELSE excluded.added_at END`,
      [accountId, userId, role],
    );
  }

  async remove(accountId: string, userId: string): Promise<void> {
    await this.db.query(
      `UPDATE identity.members SET removed_at = now()
       WHERE account_id = $1 AND user_id = $2 AND removed_at IS NULL`,
      [accountId, userId],
    );
  }

  async list(accountId: string, after = ''): Promise<Page<MemberView>> {
    const found = await this.db.query<Row>(
      `SELECT user_id, role, added_at FROM identity.members
       WHERE account_id = $1 AND removed_at IS NULL AND user_id > $2 ORDER BY user_id LIMIT $3`,
      [accountId, after, pageSize + 1],
    );
    const members = found.rows.map((row) => ({
      userId: row.user_id,
      role: row.role,
      addedAt: row.added_at.toISOString(),
    }));
    return pageOf(members, ({ userId }) => userId);
  }
}
