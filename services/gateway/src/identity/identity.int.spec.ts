import { identitySubjects, personalAccountId } from '@tollkeeper/contracts';
import { request } from '@tollkeeper/messaging';
import { waitUntil } from '@tollkeeper/servers';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, startWorld, type Json, type World } from '../gateway.fixture.js';

let world: World;
let accounts = 0;

/** A gateway that reads a key once an hour: what it refuses sooner, it was told of. */
const slow = { API_KEY_TTL_MS: '3600000' };

beforeAll(async () => {
  world = await startWorld(slow);
});
afterAll(() => world.stop());

const ask = async (subject: keyof typeof identitySubjects, body: object): Promise<Json> =>
  (await request(world.operator, identitySubjects[subject], body, { timeoutMs: 5_000 })) as Json;

const newAccount = (): string => `acc-of-identity-${String(++accounts)}`;

const keyOf = async (accountId: string, userId: string, projectId?: string) => {
  const reply = await ask('issueKey', { accountId, userId, projectId });
  expect(reply).toMatchObject({ status: 'accepted' });
  return reply as { keyId: string; apiKey: string };
};

const modelsFor = (apiKey: string, url = world.url): Promise<Response> =>
  fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } });

const refused = (reason: string) =>
  expect.objectContaining({ status: 'refused', reason, retryable: false }) as object;

describe('members', () => {
  it('begin with the user of the first key, as owner', async () => {
    const accountId = newAccount();
    await keyOf(accountId, 'u1');
    expect(await ask('issueKey', { accountId, userId: 'u2' })).toEqual(refused('not-a-member'));
    expect(await ask('listMembers', { accountId })).toMatchObject({
      members: [{ userId: 'u1', role: 'owner' }],
    });
  });

  it('are one owner where many first keys are asked for at once', async () => {
    const accountId = newAccount();
    const asked = ['u1', 'u2', 'u3', 'u4'].map((userId) => ask('issueKey', { accountId, userId }));
    const accepted = (await Promise.all(asked)).filter(({ status }) => status === 'accepted');
    expect(accepted).toHaveLength(1);
    expect((await ask('listMembers', { accountId }))['members']).toHaveLength(1);
  });

  it('are added, keep their role when added again, and change it when told to', async () => {
    const accountId = newAccount();
    const add = (userId: string, role?: string) => ask('addMember', { accountId, userId, role });
    expect(await add('u1')).toEqual({ status: 'accepted', role: 'owner' });
    expect(await add('u2')).toEqual({ status: 'accepted', role: 'member' });
    expect(await add('u2', 'admin')).toEqual({ status: 'accepted', role: 'admin' });
    expect(await add('u2')).toEqual({ status: 'accepted', role: 'admin' });
    expect(await add('u1', 'member')).toEqual(refused('owner-required'));
    expect(await add('u3', 'king')).toEqual(refused('invalid-request'));
  });

  it('are removed with their keys, at once and only once', async () => {
    const accountId = newAccount();
    const owner = await keyOf(accountId, 'u1');
    await ask('addMember', { accountId, userId: 'u2' });
    const gone = await keyOf(accountId, 'u2');
    expect((await modelsFor(gone.apiKey)).status).toBe(200);

    const removal = { accountId, userId: 'u2' };
    expect(await ask('removeMember', removal)).toEqual({ status: 'accepted', revokedKeys: 1 });
    expect((await modelsFor(gone.apiKey)).status).toBe(401);
    expect((await modelsFor(owner.apiKey)).status).toBe(200);
    expect(await ask('removeMember', removal)).toEqual({ status: 'accepted', revokedKeys: 0 });
    expect(await ask('issueKey', removal)).toEqual(refused('not-a-member'));

    await ask('addMember', removal);
    expect((await modelsFor(gone.apiKey)).status).toBe(401);
    expect((await modelsFor((await keyOf(accountId, 'u2')).apiKey)).status).toBe(200);
  });

  it('are never without an owner', async () => {
    const accountId = newAccount();
    await keyOf(accountId, 'u1');
    const removal = { accountId, userId: 'u1' };
    expect(await ask('removeMember', removal)).toEqual(refused('owner-required'));
    await ask('addMember', { accountId, userId: 'u2', role: 'owner' });
    expect(await ask('removeMember', removal)).toMatchObject({ status: 'accepted' });
    expect(await ask('removeMember', { accountId, userId: 'nobody' })).toEqual(
      refused('not-a-member'),
    );
  });

  it.each(['short', 'u'.repeat(64)])(
    'of a personal account are its owner alone: %s',
    async (userId) => {
      const accountId = personalAccountId(userId);
      const stranger = { accountId, userId: 'stranger' };
      expect(await ask('issueKey', stranger)).toEqual(refused('personal-account'));
      await keyOf(accountId, userId);
      expect(await ask('addMember', stranger)).toEqual(refused('personal-account'));
      expect(await ask('issueKey', stranger)).toMatchObject({ status: 'refused' });
      expect(await ask('removeMember', { accountId, userId })).toEqual(refused('owner-required'));
    },
  );
});

describe('projects', () => {
  it('are created and archived once, and stay archived', async () => {
    const project = { accountId: newAccount(), projectId: 'p1' };
    expect(await ask('archiveProject', project)).toEqual(refused('unknown-project'));
    const created = await ask('createProject', project);
    expect(created).toMatchObject({ status: 'accepted' });
    expect(await ask('createProject', project)).toEqual(created);
    const archived = await ask('archiveProject', project);
    expect(await ask('archiveProject', project)).toEqual(archived);
    expect(await ask('createProject', project)).toEqual(refused('project-archived'));
    expect(await ask('listProjects', { accountId: project.accountId })).toMatchObject({
      projects: [
        {
          projectId: 'p1',
          createdAt: created['createdAt'],
          archivedAt: archived['archivedAt'],
        },
      ],
    });
  });

  it('let their keys work until they are archived', async () => {
    const accountId = newAccount();
    const project = { accountId, projectId: 'p1' };
    const owned = { ...project, userId: 'u1' };
    expect(await ask('issueKey', owned)).toEqual(refused('unknown-project'));
    await ask('createProject', project);
    const { apiKey } = await keyOf(accountId, 'u1', 'p1');
    expect((await modelsFor(apiKey)).status).toBe(200);
    await ask('archiveProject', project);
    const answer = await modelsFor(apiKey);
    expect(answer.status).toBe(403);
    expect(await errorOf(answer)).toMatchObject({ code: 'project_archived' });
    expect(await ask('issueKey', owned)).toEqual(refused('project-archived'));
  });

  it('are the account’s own', async () => {
    const [accountId, elsewhere] = [newAccount(), newAccount()];
    await ask('createProject', { accountId: elsewhere, projectId: 'p1' });
    expect(await ask('issueKey', { accountId, userId: 'u1', projectId: 'p1' })).toEqual(
      refused('unknown-project'),
    );
    expect(await ask('listMembers', { accountId })).toMatchObject({ members: [] });
  });
});

describe('keys', () => {
  it('are listed without what would open the door', async () => {
    const accountId = newAccount();
    await ask('createProject', { accountId, projectId: 'p1' });
    const first = await keyOf(accountId, 'u1');
    const second = await keyOf(accountId, 'u1', 'p1');
    const revoked = await ask('revokeKey', { keyId: first.keyId });
    const createdAt = expect.any(String) as string;
    expect((await ask('listKeys', { accountId }))['keys']).toEqual([
      { keyId: first.keyId, userId: 'u1', createdAt, revokedAt: revoked['revokedAt'] },
      { keyId: second.keyId, userId: 'u1', projectId: 'p1', createdAt },
    ]);
  });

  it('are listed page by page, each once', async () => {
    const accountId = newAccount();
    const projectIds = Array.from({ length: 501 }, (_, n) => `p${String(n)}`);
    await Promise.all(
      projectIds.map((projectId) => ask('createProject', { accountId, projectId })),
    );
    const page = await ask('listProjects', { accountId });
    const last = await ask('listProjects', { accountId, after: page['next'] });
    const listed = [page, last].flatMap(({ projects }) => projects as Json[]);
    expect(last['next']).toBeUndefined();
    expect(listed.map(({ projectId }) => projectId).sort()).toEqual(projectIds.sort());
  });

  it('that are revoked are refused at once, as OpenAI refuses a key', async () => {
    const { keyId, apiKey } = await keyOf(newAccount(), 'u1');
    expect((await modelsFor(apiKey)).status).toBe(200);
    const revoked = await ask('revokeKey', { keyId });
    const answer = await modelsFor(apiKey);
    expect(answer.status).toBe(401);
    expect(await errorOf(answer)).toMatchObject({
      type: 'invalid_request_error',
      code: 'invalid_api_key',
    });
    expect(await ask('revokeKey', { keyId })).toEqual(revoked);
    expect(await ask('revokeKey', { keyId: 'none' })).toEqual(refused('unknown-key'));
  });
});

describe('a second gateway', () => {
  it('refuses a revoked key when it is told, whichever of them revoked it', async () => {
    const other = await world.start({
      ...slow,
      GATEWAY_DATA_DIR: join(world.dir, 'other-gateway'),
    });
    try {
      const { keyId, apiKey } = await keyOf(newAccount(), 'u1');
      const urls = [world.url, other.url ?? ''];
      for (const url of urls) expect((await modelsFor(apiKey, url)).status).toBe(200);
      await ask('revokeKey', { keyId });
      for (const url of urls) {
        const refusedSoon = await waitUntil(
          async () => (await modelsFor(apiKey, url)).status === 401,
          { timeoutMs: 20_000 },
        );
        expect(refusedSoon).toBe(true);
      }
    } finally {
      await other.stop();
    }
  });
});
