import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';

interface Issued {
  readonly keyId: string;
  readonly apiKey: string;
}

/** Who may speak for an account, as an operator says it on the command line and a caller finds it over HTTP. */
describe('members, projects and keys', () => {
  let stack: Stack;
  let accountId: string;
  let ownerKey: string;

  beforeAll(async () => {
    stack = await startStack();
    ({ accountId, apiKey: ownerKey } = await stack.openAccount('10'));
  }, 120_000);
  afterAll(() => stack.stop(), 60_000);

  const call = (apiKey: string): Promise<Response> =>
    fetch(`${stack.ready().gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({
        model: 'gpt-4o-mini',
        max_tokens: 5,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    });
  const invalidKey = { error: { type: 'invalid_request_error', code: 'invalid_api_key' } };

  it('refuses a revoked key, and no other one', async () => {
    const { keyId, apiKey } = await stack.toll<Issued>('account', 'key', accountId);
    expect((await call(apiKey)).status).toBe(200);
    expect(await stack.toll('account', 'key', 'revoke', keyId)).toMatchObject({ keyId, accountId });
    const answer = await call(apiKey);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject(invalidKey);
    expect((await call(ownerKey)).status).toBe(200);
    expect(await stack.toll('account', 'keys', accountId)).toMatchObject([
      {},
      { keyId, revokedAt: expect.any(String) as string },
    ]);
  }, 60_000);

  it('gives keys to members, and takes them with the membership', async () => {
    const asStranger = ['account', 'key', accountId, '--user', 'usr_b'];
    const refused = await stack.tollRaw(...asStranger, '--json');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('not-a-member');

    const added = await stack.toll(
      'account',
      'member',
      'add',
      accountId,
      'usr_b',
      '--role',
      'admin',
    );
    expect(added).toEqual({ accountId, userId: 'usr_b', role: 'admin' });
    const { apiKey } = await stack.toll<Issued>(...asStranger);
    expect((await call(apiKey)).status).toBe(200);
    expect(await stack.toll('account', 'members', accountId)).toHaveLength(2);

    expect(await stack.toll('account', 'member', 'remove', accountId, 'usr_b')).toMatchObject({
      revokedKeys: 1,
    });
    const answer = await call(apiKey);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject(invalidKey);
    expect(await stack.toll('account', 'members', accountId)).toMatchObject([{ role: 'owner' }]);
  }, 60_000);

  it('refuses the keys of a project once it is archived', async () => {
    const project = [accountId, 'prj_a'];
    await stack.toll('account', 'project', 'create', ...project);
    expect(await stack.toll('account', 'projects', accountId)).toMatchObject([
      { projectId: 'prj_a' },
    ]);
    const { apiKey } = await stack.toll<Issued>('account', 'key', accountId, '--project', 'prj_a');
    expect((await call(apiKey)).status).toBe(200);
    const { archivedAt } = await stack.toll<{ archivedAt: string }>(
      'account',
      'project',
      'archive',
      ...project,
    );
    expect(await stack.toll('account', 'projects', accountId)).toMatchObject([{ archivedAt }]);
    const answer = await call(apiKey);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: 'project_archived' } });
    expect((await call(ownerKey)).status).toBe(200);
  }, 60_000);
});
