import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, migrate, type Pool } from '@tollkeeper/postgres';
import { startEphemeralPostgres } from '@tollkeeper/servers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MemberStore } from './member.store.js';
import { ProjectStore } from './project.store.js';

const migrations = join(import.meta.dirname, '..', '..', 'migrations');
let postgres: Awaited<ReturnType<typeof startEphemeralPostgres>>;
let pool: Pool;

beforeAll(async () => {
  postgres = await startEphemeralPostgres();
  pool = createPool({ url: postgres.url, connectionsMax: 2, applicationName: 'migrations' });
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

/** As the version before issued them: key, account, user, project, day, whether it is revoked. */
const keys = [
  ['k1', 'acc1', 'u2', null, 2, false],
  ['k2', 'acc1', 'u1', 'p1', 1, false],
  ['k3', 'acc1', 'u1', 'p1', 3, false],
  ['k4', 'acc1', 'gone', 'p2', 0, true],
  ['k5', 'acc2', 'u1', null, 1, false],
] as const;

it('members and projects are made of the keys that are there, and can be undone', async () => {
  const before = await mkdtemp(join(tmpdir(), 'migrations-'));
  await cp(join(migrations, '0001-identity'), join(before, '0001-identity'), { recursive: true });
  await migrate(pool, 'identity', before);
  await rm(before, { recursive: true });
  for (const [keyId, accountId, userId, projectId, day, revoked] of keys) {
    await pool.query('INSERT INTO identity.users VALUES ($1) ON CONFLICT DO NOTHING', [userId]);
    await pool.query(
      `INSERT INTO identity.api_keys
       VALUES ($1, sha256($1::text::bytea), $2, $3, $4, '2026-01-01'::timestamptz + $5 * interval '1 day',
               CASE WHEN $6 THEN now() END)`,
      [keyId, accountId, userId, projectId, day, revoked],
    );
  }

  const isMade = async (): Promise<void> => {
    await migrate(pool, 'identity', migrations);
    const members = new MemberStore(pool);
    expect((await members.list('acc1')).items).toMatchObject([
      { userId: 'u1', role: 'owner' },
      { userId: 'u2', role: 'member' },
    ]);
    expect((await members.list('acc2')).items).toMatchObject([{ userId: 'u1', role: 'owner' }]);
    expect((await new ProjectStore(pool).list('acc1')).items).toMatchObject([
      { projectId: 'p1' },
      { projectId: 'p2' },
    ]);
  };
  await isMade();

  const notes = await readFile(join(migrations, '0002-members-and-projects', 'notes.md'), 'utf8');
  await pool.query(/```sql\n([\s\S]*?)```/.exec(notes)?.[1] ?? '');
  await isMade();
});
