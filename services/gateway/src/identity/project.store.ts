import type { ProjectView } from '@tollkeeper/contracts';
import type { Queries } from './identity.transaction.js';
import { pageOf, pageSize, type Page } from './page.js';

interface Row {
  readonly project_id: string;
  readonly created_at: Date;
  readonly archived_at: Date | null;
}

const viewOf = (row: Row): ProjectView => ({
  projectId: row.project_id,
  createdAt: row.created_at.toISOString(),
  ...(row.archived_at && { archivedAt: row.archived_at.toISOString() }),
});

/** What calls of an account are for. */
export class ProjectStore {
  constructor(private readonly db: Queries) {}

  async find(accountId: string, projectId: string): Promise<ProjectView | undefined> {
    const found = await this.db.query<Row>(
      `SELECT project_id, created_at, archived_at FROM identity.projects
       WHERE account_id = $1 AND project_id = $2`,
      [accountId, projectId],
    );
    return found.rows[0] && viewOf(found.rows[0]);
  }

  async create(accountId: string, projectId: string): Promise<ProjectView> {
    const made = await this.db.query<Row>(
      `INSERT INTO identity.projects (account_id, project_id) VALUES ($1, $2)
       ON CONFLICT (account_id, project_id) DO UPDATE SET project_id = excluded.project_id
       RETURNING project_id, created_at, archived_at`,
      [accountId, projectId],
    );
    const [row] = made.rows;
    if (!row) throw new Error('no project was returned');
    return viewOf(row);
  }

  /** When it was archived, now or before; undefined where there is no such project. */
  async archive(accountId: string, projectId: string): Promise<string | undefined> {
    const done = await this.db.query<Row>(
      `UPDATE identity.projects SET archived_at = coalesce(archived_at, now())
       WHERE account_id = $1 AND project_id = $2
       RETURNING project_id, created_at, archived_at`,
      [accountId, projectId],
    );
    return done.rows[0] && viewOf(done.rows[0]).archivedAt;
  }

  async list(accountId: string, after = ''): Promise<Page<ProjectView>> {
    const found = await this.db.query<Row>(
      `SELECT project_id, created_at, archived_at FROM identity.projects
       WHERE account_id = $1 AND project_id > $2 ORDER BY project_id LIMIT $3`,
      [accountId, after, pageSize + 1],
    );
    return pageOf(found.rows.map(viewOf), ({ projectId }) => projectId);
  }
}
