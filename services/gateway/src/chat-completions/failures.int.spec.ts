import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  acceptAll,
  attemptsOf,
  errorOf,
  hello,
  json,
  refused,
  startWorld,
  usageOf,
  type Json,
  type World,
} from '../gateway.fixture.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

describe('a vendor that fails', () => {
  it.each([
    ['status-400', 400, 'simulated'],
    ['status-429', 429, 'rate_limit_exceeded'],
    ['status-500', 502, 'upstream_error'],
    ['status-401', 502, 'upstream_error'],
  ])('with %s before any output costs nothing', async (failure, status, code) => {
    await world.behave({ failure });
    const response = await world.post(hello);
    expect(response.status).toBe(status);
    expect(await errorOf(response)).toMatchObject({ code });
    expect(world.ledger.of('settle')).toEqual([]);
    expect(world.ledger.of('release')).toMatchObject([
      {
        body: {
          reason: 'failed',
          attempts: [{ billed: false, usage: {}, failure: `status-${failure.slice(-3)}` }],
        },
      },
    ]);
  });

  it('hands over to the next of the chain, and both attempts are on record', async () => {
    await world.behave({ models: { 'gpt-4o': { failure: 'status-500' } } });
    const response = await world.post(hello, { 'x-toll-fallback': 'deepseek-chat' });
    expect(response.status).toBe(200);
    expect((await json(response))['model']).toBe('deepseek-chat');
    expect(world.ledger.of('reserve')[0]?.body['candidates']).toHaveLength(2);
    expect(attemptsOf(world.ledger.of('settle')[0])).toMatchObject([
      { provider: 'openai', billed: false, failure: 'status-500' },
      { provider: 'deepseek', billed: true, provenance: 'exact' },
    ]);
  });

  it('by not answering is settled as unknown at the bound, never released', async () => {
    await world.behave({ failure: 'hang' });
    const response = await world.post({ ...hello, max_tokens: 50 });
    expect(response.status).toBe(504);
    expect(await errorOf(response)).toMatchObject({
      code: 'upstream_timeout',
      charge_status: 'settled',
    });
    expect(attemptsOf(world.ledger.of('settle')[0])).toMatchObject([
      { provenance: 'unknown', failure: 'timed-out', usage: { output: 50 } },
    ]);
  });

  it.each([
    ['cut', 502, 'unknown'],
    ['malformed', 502, 'estimated'],
    ['no-usage', 200, 'estimated'],
    ['negative-usage', 200, 'estimated'],
  ])('by %s is never free', async (failure, status, provenance) => {
    await world.behave({ failure });
    const response = await world.post(hello);
    expect(response.status).toBe(status);
    const [attempt] = attemptsOf(world.ledger.of('settle')[0]);
    expect(attempt).toMatchObject({ provenance, billed: true });
    const usage = attempt?.['usage'] as Record<string, number>;
    expect(usage['input']).toBeGreaterThan(0);
    expect(usage['output']).toBeGreaterThan(0);
    if (status === 200) {
      expect(usageOf(await json(response))).toMatchObject({
        completion_tokens: usage['output'],
        provenance,
      });
    }
  });
});

describe('a reservation that is refused', () => {
  it('is a 402 in OpenAI’s shape with balance, required, reason and suggestions', async () => {
    const details = {
      balance: '1',
      available: '0.5',
      required: '12.3',
      balanceUsd: '0.01',
      requiredUsd: '0.123',
      suggestions: [{ action: 'top-up', credits: '12', usd: '0.12' }],
    };
    world.ledger.answer = () => refused('insufficient-credits', false, details);
    const response = await world.post(hello);
    expect(response.status).toBe(402);
    expect(await errorOf(response)).toEqual({
      message: 'refused: insufficient-credits',
      type: 'insufficient_quota',
      code: 'insufficient_credits',
      param: null,
      reason: 'insufficient-credits',
      balance: '1',
      available: '0.5',
      required: '12.3',
      balance_usd: '0.01',
      required_usd: '0.123',
      suggestions: [{ action: 'top-up', credits: '12', usd: '0.12' }],
    });
    expect(await world.health()).toMatchObject({ journal: { open: 0 } });
  });

  it.each([
    ['debt-outstanding', false, 402],
    ['unknown-account', false, 403],
    ['unknown-price', false, 404],
    ['unbounded', false, 400],
    ['overloaded', true, 503],
    ['too-late', true, 503],
    ['not-ready', true, 503],
    ['store-unavailable', true, 503],
    ['model-not-in-tier', false, 403],
    ['limit-reached', false, 402],
  ])('as %s calls no vendor', async (reason, retryable, status) => {
    const billed = (await world.invoice()).length;
    world.ledger.answer = () => refused(reason, retryable);
    const response = await world.post(hello);
    expect(response.status).toBe(status);
    if (status === 503) expect(response.headers.get('retry-after')).toBe('1');
    expect(await world.invoice()).toHaveLength(billed);
  });

  it('as below its cost says not to come back', async () => {
    world.ledger.answer = () => refused('below-cost', false);
    const response = await world.post(hello);
    expect(response.status).toBe(503);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(response.headers.get('retry-after')).toBeNull();
  });

  it('as overloaded says when to come back', async () => {
    world.ledger.answer = () => refused('overloaded', true, { retryAfterMs: 2_500 });
    const response = await world.post(hello);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '3']);
  });

  it('by silence is 503, and is released in the background', async () => {
    world.ledger.answer = ({ verb }) =>
      verb === 'reserve' ? undefined : refused('unknown-reservation', false);
    const response = await world.post(hello);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    await expect
      .poll(() => world.ledger.of('release').length, { timeout: 5_000 })
      .toBeGreaterThan(0);
    const reserved = world.ledger.of('reserve')[0]?.body['commandId'];
    expect(world.ledger.of('release')[0]?.body).toMatchObject({ reservationId: reserved });
    await expect
      .poll(async () => (await world.health())['recovering'], { timeout: 10_000 })
      .toBe(0);
  });
});

describe('a settle that gets no answer', () => {
  it('is spooled, told as pending, and drained with the same id', async () => {
    let silent = true;
    world.ledger.answer = (command) =>
      command.verb === 'settle' && silent ? undefined : acceptAll(command);
    const response = await world.post(hello);
    expect(response.status).toBe(200);
    expect(usageOf(await json(response))).toMatchObject({ charge_status: 'pending' });
    expect(await world.health()).toMatchObject({ spool: { pending: 1 } });
    silent = false;
    await expect
      .poll(async () => ((await world.health())['spool'] as Json)['pending'], { timeout: 10_000 })
      .toBe(0);
    const ids = new Set(world.ledger.of('settle').map(({ body }) => body['commandId']));
    expect(ids.size).toBe(1);
  });
});
