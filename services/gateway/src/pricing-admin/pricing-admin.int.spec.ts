import { identitySubjects } from '@tollkeeper/contracts';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { json, startWorld, type Json, type World } from '../gateway.fixture.js';
import { config, FakePricing, price } from './fake-pricing.fixture.js';

let world: World;
let nats: NatsConnection;
let pricing: FakePricing;
let adminKey: string;

beforeAll(async () => {
  world = await startWorld();
  nats = await connectNats({ url: world.natsUrl('pricing'), name: 'fake-pricing' });
  pricing = new FakePricing(nats);
  await nats.flush();
  adminKey = await adminKeyOf('ann');
});
afterAll(async () => {
  await nats.close();
  await world.stop();
});
beforeEach(() => pricing.reset());

const adminKeyOf = async (actor: string): Promise<string> => {
  const body = { actor, role: 'pricer' };
  const subject = identitySubjects.issueAdminKey;
  const reply = await request(world.operator, subject, body, { timeoutMs: 5_000 });
  return (reply as { adminKey: string }).adminKey;
};

const base = '/api/admin/pricing';

const call = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${world.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

const problem = async (response: Response): Promise<Json> => {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return json(response);
};

const rule = encodeURIComponent(config.ruleId);
const version = encodeURIComponent(price.priceVersion);
const reason = 'because';
const newPrice = {
  provider: 'acme',
  model: 'a/b',
  rates: [{ meter: 'input', rate: '1' }],
  source: { name: 'list' },
};
const readPrice = {
  ...newPrice,
  currency: 'USD',
  rates: [{ meter: 'input', unit: 'token', per: '1000000', rate: '1' }],
};

type Row = [string, string, object | undefined, number, string, object];

describe('an admin over HTTP', () => {
  it.each<Row>([
    ['GET', '/configs', undefined, 200, 'list-configs', { limit: 100 }],
    [
      'GET',
      '/configs?status=approved&limit=7&after=x%2Fy',
      undefined,
      200,
      'list-configs',
      { status: 'approved', limit: 7, after: 'x/y' },
    ],
    [
      'POST',
      '/configs',
      { scope: { tier: 'pro' }, multiplier: '1.4', reason },
      201,
      'propose-config',
      { scope: { tier: 'pro' }, multiplier: '1.4', reason },
    ],
    [
      'PATCH',
      `/configs/${rule}`,
      { multiplier: '1.3', reason },
      201,
      'propose-config',
      { scope: config.scope, multiplier: '1.3', reason },
    ],
    [
      'DELETE',
      `/configs/${rule}?reason=because`,
      undefined,
      202,
      'propose-withdrawal',
      { ruleId: config.ruleId, reason },
    ],
    [
      'DELETE',
      `/configs/${rule}`,
      { reason },
      202,
      'propose-withdrawal',
      { ruleId: config.ruleId, reason },
    ],
    [
      'POST',
      `/configs/${rule}/approve`,
      { reason },
      200,
      'approve',
      { proposalId: config.ruleId, reason },
    ],
    [
      'POST',
      `/configs/${rule}-withdrawal-1/reject`,
      { reason },
      200,
      'reject',
      { proposalId: `${config.ruleId}-withdrawal-1`, reason },
    ],
    [
      'GET',
      '/vendor-prices?provider=openai',
      undefined,
      200,
      'list-vendor-prices',
      { provider: 'openai', limit: 100 },
    ],
    [
      'GET',
      '/vendor-prices/history?provider=openrouter&model=meta%2Fllama:free',
      undefined,
      200,
      'list-vendor-prices',
      { provider: 'openrouter', model: 'meta/llama:free', history: true, limit: 100 },
    ],
    [
      'POST',
      '/vendor-prices',
      { ...newPrice, reason },
      201,
      'publish-vendor-price',
      { price: readPrice, reason },
    ],
    [
      'PATCH',
      `/vendor-prices/${version}`,
      { rates: [{ meter: 'input', rate: '0.3' }], notes: 'dearer', reason },
      201,
      'publish-vendor-price',
      {
        price: {
          provider: 'openrouter',
          model: 'meta/llama:free',
          aliases: [],
          rates: [{ meter: 'input', unit: 'token', per: '1000000', rate: '0.3' }],
          currency: 'USD',
          source: { name: 'list' },
          notes: 'dearer',
        },
        reason,
      },
    ],
    [
      'DELETE',
      `/vendor-prices/${version}?reason=because&effectiveFrom=2027-01-01T00:00:00Z`,
      undefined,
      200,
      'withdraw-vendor-price',
      {
        priceVersion: price.priceVersion,
        reason,
        effectiveFrom: '2027-01-01T00:00:00Z',
      },
    ],
    ['GET', '/alerts?state=open', undefined, 200, 'list-alerts', { state: 'open', limit: 100 }],
    [
      'POST',
      '/alerts/alert-1',
      { decision: 'apply', proposeMultiplier: true, reason },
      200,
      'decide-alert',
      { alertId: 'alert-1', decision: 'apply', proposeMultiplier: true, reason },
    ],
    [
      'DELETE',
      '/alerts/alert-1?reason=because',
      undefined,
      200,
      'decide-alert',
      { alertId: 'alert-1', decision: 'ignore', reason },
    ],
    ['GET', '/settings', undefined, 200, 'list-settings', {}],
    [
      'PATCH',
      '/settings/margin_guard',
      { value: 'flag', reason },
      200,
      'change-setting',
      { key: 'margin_guard', value: 'flag', reason },
    ],
  ])(
    '%s %s is the message of its name, with the key',
    async (method, path, body, status, ...message) => {
      const id = { 'idempotency-key': 'cmd-1' };
      const response = await call(method, `${base}${path}`, body, id);
      expect(await json(response)).not.toHaveProperty('type');
      expect(response.status).toBe(status);
      const [subject, sent] = message;
      expect(pricing.seen.at(-1)).toEqual({
        subject: `pricing.admin.v1.${subject}`,
        body: sent,
        adminKey,
        commandId: 'cmd-1',
      });
    },
  );

  it('gets the answer as it is on NATS', async () => {
    const body = { scope: {}, multiplier: '1.4', reason };
    const response = await call('POST', `${base}/configs`, body);
    expect(await json(response)).toEqual({ status: 'accepted', config });
  });

  it('is told by the OpenAPI document what there is', async () => {
    const response = await fetch(`${world.url}/api/openapi.json`);
    expect(response.headers.get('content-type')).toContain('application/json');
    const { openapi, paths } = (await json(response)) as { openapi: string; paths: Json };
    expect(openapi).toBe('3.1.1');
    expect(Object.keys(paths)).toContain(`${base}/configs/{ruleId}`);
  });

  it('may leave the id of a command to the gateway', async () => {
    await call('POST', `${base}/configs/${rule}/approve`, { reason });
    await call('POST', `${base}/configs/${rule}/approve`, { reason });
    const [first, second] = pricing.seen.map(({ commandId }) => commandId);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
  });

  it('finds the rule or version to revise on a later page', async () => {
    pricing.answer = ({ subject, body }) => {
      if (subject.endsWith('propose-config')) return { status: 'accepted', config };
      const first = {
        configs: [{ ...config, ruleId: 'tier:pro@1' }],
        next: 'tier:pro@1',
        asOf: '',
      };
      return body['after'] === undefined ? first : { configs: [config], asOf: '' };
    };
    const revision = { multiplier: '1.3', reason };
    const response = await call('PATCH', `${base}/configs/${rule}`, revision);
    expect(response.status).toBe(201);
    expect(pricing.seen.map(({ body }) => body['after'])).toEqual([
      undefined,
      'tier:pro@1',
      undefined,
    ]);
  });

  it.each([
    [`/configs/tier:pro@9`, { multiplier: '1.3', reason }, 'unknown-config'],
    ['/vendor-prices/openrouter:meta%2Fllama:free@9', { notes: 'x', reason }, 'unknown-price'],
    ['/vendor-prices/nonsense', { notes: 'x', reason }, 'unknown-price'],
  ])('may revise only what there is: %s', async (path, body, code) => {
    const response = await call('PATCH', `${base}${path}`, body);
    expect(response.status).toBe(404);
    expect(await problem(response)).toMatchObject({ code, type: `urn:tollkeeper:problem:${code}` });
  });
});

describe('a refusal', () => {
  it.each([
    ['not-authorized', 401],
    ['not-permitted', 403],
    ['own-proposal', 403],
    ['unknown-config', 404],
    ['not-pending', 409],
    ['replay-mismatch', 409],
    ['invalid-request', 422],
  ])('as %s is a problem of its own, %i', async (code, status) => {
    pricing.refuse(code, { details: { at: 1 } });
    const response = await call('POST', `${base}/configs/${rule}/approve`, { reason });
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBeNull();
    expect(await problem(response)).toEqual({
      type: `urn:tollkeeper:problem:${code}`,
      title: expect.stringMatching(/^[A-Z][a-z ]+$/) as string,
      status,
      detail: `is ${code}`,
      code,
      details: { at: 1 },
    });
  });

  it.each(['busy', 'store-unavailable', 'internal'])(
    'as %s says when to try again',
    async (code) => {
      pricing.refuse(code, { retryable: true });
      const response = await call('POST', `${base}/configs/${rule}/approve`, { reason });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await problem(response)).toMatchObject({ code });
    },
  );

  it('for want of an answer names the id to send it again under', async () => {
    pricing.answer = () => undefined;
    const id = { 'idempotency-key': 'cmd-9' };
    const response = await call('POST', `${base}/configs/${rule}/approve`, { reason }, id);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problem(response)).toMatchObject({ code: 'no-reply', commandId: 'cmd-9' });
  }, 15_000);
});

describe('what nobody is asked about', () => {
  const proposal = { scope: { tier: 'pro' }, multiplier: '1.4', reason };

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer tka_short',
    'Basic YTpi',
    `Bearer tk_${'a'.repeat(43)}`,
  ])('is a request without an admin key: %s', async (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${world.url}${base}/configs`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problem(response)).toMatchObject({ code: 'not-authorized' });
    expect(pricing.seen).toEqual([]);
  });

  it.each<[string, string, string, unknown, string[]]>([
    ['a number for money', 'POST', '/configs', { ...proposal, multiplier: 1.4 }, ['#/multiplier']],
    [
      'a multiplier of zero',
      'POST',
      '/configs',
      { ...proposal, multiplier: '0' },
      ['#/multiplier'],
    ],
    ['no reason', 'POST', '/configs', { ...proposal, reason: ' ' }, ['#/reason']],
    [
      'a tier that is none',
      'POST',
      '/configs',
      { ...proposal, scope: { tier: 'x' } },
      ['#/scope/tier'],
    ],
    [
      'a misspelt field',
      'POST',
      '/configs',
      { ...proposal, effectivefrom: 'x' },
      ['#/effectivefrom'],
    ],
    [
      'a misspelt scope',
      'POST',
      '/configs',
      { ...proposal, scope: { teir: 'pro' } },
      ['#/scope/teir'],
    ],
    [
      'a field whose name is no path',
      'POST',
      '/configs',
      { ...proposal, 'scope/tier~ ü\ud83d': 'pro' },
      ['#/scope~1tier~0%20%C3%BC%EF%BF%BD'],
    ],
    ['a NUL', 'POST', '/configs', { ...proposal, reason: 'a\0' }, ['#/reason']],
    ['half a character', 'POST', '/configs', { ...proposal, reason: '\ud83d' }, ['#/reason']],
    [
      'a local time',
      'POST',
      '/configs',
      { ...proposal, effectiveFrom: '2026-01-01' },
      ['#/effectiveFrom'],
    ],
    ['an id in the body', 'POST', '/configs', { ...proposal, commandId: 'c' }, ['#/commandId']],
    ['a list', 'POST', '/configs', [proposal], ['#']],
    ['a text', 'POST', '/configs', '"hi"', ['#']],
    ['no body', 'POST', '/configs', undefined, ['#/scope', '#/multiplier', '#/reason']],
    ['a withdrawal without reason', 'DELETE', `/configs/${rule}`, undefined, ['#/reason']],
    ['a page of 501', 'GET', '/configs?limit=501', undefined, ['#/limit']],
    ['a page of nothing', 'GET', '/configs?limit=', undefined, ['#/limit']],
    ['a page of a size in another notation', 'GET', '/configs?limit=0x10', undefined, ['#/limit']],
    ['a page of two sizes', 'GET', '/configs?limit=1&limit=2', undefined, ['#/limit']],
    ['an unknown state', 'GET', '/alerts?state=shut', undefined, ['#/state']],
    ['a misspelt filter', 'GET', '/alerts?stat=open', undefined, ['#/stat']],
    ['a history of no model', 'GET', '/vendor-prices/history?provider=a', undefined, ['#/model']],
    ['to ignore by POST', 'POST', '/alerts/a1', { decision: 'ignore', reason }, ['#/decision']],
    ['an alert of no id', 'DELETE', '/alerts/a%2Fb?reason=x', undefined, ['#/alertId']],
    [
      'an amount for a setting',
      'PATCH',
      '/settings/margin_guard',
      { value: 1, reason },
      ['#/value'],
    ],
    [
      'a rate below zero',
      'POST',
      '/vendor-prices',
      { ...newPrice, rates: [{ meter: 'input', rate: '-1' }], reason },
      ['#/rates/0/rate'],
    ],
    [
      'another model by PATCH',
      'PATCH',
      `/vendor-prices/${version}`,
      { model: 'other', reason },
      ['#/model'],
    ],
  ])('is %s', async (_what, method, path, body, pointers) => {
    const response = await call(method, `${base}${path}`, body);
    expect(response.status).toBe(422);
    const { code, errors } = await problem(response);
    expect(code).toBe('invalid-request');
    expect((errors as Json[]).map(({ pointer }) => pointer)).toEqual(pointers);
    expect(pricing.seen).toEqual([]);
  });

  it.each<[string, RequestInit & { path?: string }, number]>([
    ['broken JSON', { method: 'POST', body: '{"scope":' }, 400],
    ['a poisoned prototype', { method: 'POST', body: '{"__proto__":{"a":1}}' }, 400],
    ['a body of 600 kB', { method: 'POST', body: 'a'.repeat(600 << 10) }, 413],
    ['another method', { method: 'PUT', body: '{}' }, 404],
    [
      'a path part of 2 kB',
      { path: `/configs/${'a'.repeat(2_048)}/approve`, method: 'POST', body: '{}' },
      400,
    ],
    [
      'an id that cannot be',
      {
        path: '/configs/a/approve',
        method: 'POST',
        body: '{"reason":"x"}',
        headers: { 'idempotency-key': 'a b' },
      },
      422,
    ],
    ['a broken path', { path: '/configs/%zz', method: 'DELETE' }, 400],
  ])('is %s', async (_what, { path = '/configs', headers, ...init }, status) => {
    const response = await fetch(`${world.url}${base}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${adminKey}`,
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(headers as Record<string, string> | undefined),
      },
    });
    expect(response.status).toBe(status);
    expect(JSON.stringify(await problem(response))).not.toMatch(/\.js|at \w+ \(/);
    expect(pricing.seen).toEqual([]);
  });

  it('is no content at all under a content type, where none is needed', async () => {
    const response = await call('DELETE', `${base}/configs/${rule}?reason=x`, '', {
      'content-type': 'application/json',
    });
    expect(response.status).toBe(202);
  });
});

describe('an explanation', () => {
  const path = `${base}/explain/acc1/r1`;

  it('is for every admin', async () => {
    const response = await call('GET', path);
    expect(response.status).toBe(200);
    expect(pricing.seen).toMatchObject([
      { subject: 'pricing.v1.explain', body: { accountId: 'acc1', reservationId: 'r1' } },
    ]);
  });

  it('is for nobody else, since the question itself is open to all services', async () => {
    const authorization = `Bearer tka_${'a'.repeat(43)}`;
    const response = await call('GET', path, undefined, { authorization });
    expect(response.status).toBe(401);
    expect(pricing.seen).toEqual([]);
  });

  it('of an unknown reservation is a 404', async () => {
    pricing.refuse('unknown-reservation');
    expect((await call('GET', path)).status).toBe(404);
  });
});

describe('a quote', () => {
  const usage = { provider: 'openai', model: 'gpt-4o', usage: { input: 1000 } };
  const quote = (body: unknown, key = world.key): Promise<Response> =>
    call('POST', '/api/quote', body, { authorization: `Bearer ${key}` });

  it('is in the tier of the key’s account', async () => {
    const response = await quote(usage);
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ chargeCredits: '15' });
    expect(pricing.seen).toMatchObject([
      { subject: 'pricing.v1.quote', body: { ...usage, tier: 'pro' } },
    ]);
    expect(pricing.seen[0]?.adminKey).toBe('');
  });

  it.each<[string, unknown]>([
    ['a tier of the caller’s choice', { ...usage, tier: 'enterprise' }],
    ['neither usage nor bounds', { provider: 'openai', model: 'gpt-4o' }],
    ['both', { ...usage, bounds: { inputTokens: 1, outputTokens: 1 } }],
    ['a part of a token', { ...usage, usage: { input: 0.5 } }],
    ['fewer tokens than none', { ...usage, usage: { input: -1 } }],
  ])('is not given for %s', async (_what, body) => {
    const response = await quote(body);
    expect(response.status).toBe(422);
    expect(await problem(response)).toMatchObject({ code: 'invalid-request' });
    expect(pricing.seen).toEqual([]);
  });

  it('is for callers with an API key', async () => {
    const response = await quote(usage, adminKey);
    expect(response.status).toBe(401);
    expect(await problem(response)).toMatchObject({
      type: 'urn:tollkeeper:problem:not-authorized',
      status: 401,
    });
  });

  it.each([
    ['unknown-price', 404],
    ['below-cost', 422],
  ])('that is refused as %s is a %i', async (code, status) => {
    pricing.refuse(code);
    const response = await quote(usage);
    expect(response.status).toBe(status);
    expect(await problem(response)).toMatchObject({ code });
  });

  it('of an account that does not exist is a 404', async () => {
    const response = await quote(usage, await world.issueKey('nobody'));
    expect(response.status).toBe(404);
    expect(await problem(response)).toMatchObject({ code: 'unknown-account' });
  });
});
