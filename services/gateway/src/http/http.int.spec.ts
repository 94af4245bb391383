import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { errorOf, hello, json, startWorld, type Json, type World } from '../gateway.fixture.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

describe('HTTP', () => {
  it('lists the models that have a price and a vendor', async () => {
    const response = await fetch(`${world.url}/v1/models`, {
      headers: { authorization: `Bearer ${world.key}` },
    });
    const { object, data } = await json(response);
    expect(object).toBe('list');
    expect((data as Json[]).map(({ id }) => id).sort()).toEqual([
      'azure/gpt-4o',
      'deepseek-chat',
      'gpt-4o',
      'o3',
    ]);
  });

  it('tells the balance of the key’s own account, in credits and dollars', async () => {
    const authorization = `Bearer ${world.key}`;
    const response = await fetch(`${world.url}/api/v1/llm/balance`, { headers: { authorization } });
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({
      accountId: 'acc1',
      balance: '100',
      reserved: '1.5',
      available: '98.5',
      availableUsd: '0.985',
    });
    const own = await fetch(`${world.url}/api/v1/llm/balance?accountId=acc1`, {
      headers: { authorization },
    });
    expect(own.status).toBe(200);
  });

  it.each([
    ['another account', '?accountId=acc2', 'acc1', 403],
    ['an account that does not exist', '', 'nobody', 404],
  ])('refuses the balance of %s as a problem', async (_what, query, accountId, status) => {
    const authorization = `Bearer ${await world.issueKey(accountId)}`;
    const response = await fetch(`${world.url}/api/v1/llm/balance${query}`, {
      headers: { authorization },
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await json(response)).toMatchObject({ status, type: 'about:blank' });
  });

  it.each(['/v1/chat/completions', '/v1/models', '/api/v1/llm/balance'])(
    'answers 401 without a key: %s',
    async (path) => {
      const method = path.endsWith('completions') ? 'POST' : 'GET';
      const response = await fetch(`${world.url}${path}`, { method });
      expect(response.status).toBe(401);
    },
  );

  it.each<[string, string, RequestInit, number]>([
    ['broken JSON', '/v1/chat/completions', { method: 'POST', body: '{"model":' }, 400],
    ['no body', '/v1/chat/completions', { method: 'POST' }, 400],
    ['a text', '/v1/chat/completions', { method: 'POST', body: '"hi"' }, 400],
    [
      'a poisoned prototype',
      '/v1/chat/completions',
      { method: 'POST', body: '{"__proto__":{"a":1}}' },
      400,
    ],
    ['11 MB', '/v1/chat/completions', { method: 'POST', body: 'a'.repeat(11 << 20) }, 413],
    ['another method', '/v1/chat/completions', { method: 'GET' }, 404],
    ['an unknown route', '/v1/nope', { method: 'GET' }, 404],
    ['an unknown route elsewhere', '/nope', { method: 'GET' }, 404],
    ['a broken URL', '/v1/%zz', { method: 'GET' }, 400],
  ])('refuses %s in the route’s own shape', async (_what, path, init, status) => {
    const headers = { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' };
    const response = await fetch(`${world.url}${path}`, { ...init, headers });
    expect(response.status).toBe(status);
    const body = await json(response);
    if (path.startsWith('/v1/'))
      expect(body).toMatchObject({ error: { type: 'invalid_request_error' } });
    else expect(body).toMatchObject({ status });
    expect(JSON.stringify(body)).not.toMatch(/\.js|at \w+/);
  });

  it('refuses a model that nobody knows as OpenAI does', async () => {
    const response = await world.post({ ...hello, model: 'gpt-99' });
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect(world.ledger.seen).toEqual([]);
  });

  it('keeps serving after a client that broke off in the middle of its request', async () => {
    const { port } = new URL(world.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"mod',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await world.post(hello)).status).toBe(200);
  });
});
