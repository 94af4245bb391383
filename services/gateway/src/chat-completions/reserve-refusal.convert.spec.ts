import type { Refused } from '@tollkeeper/contracts';
import OpenAI, { APIError, PermissionDeniedError, RateLimitError } from 'openai';
import { describe, expect, it } from 'vitest';
import { toOpenAiError } from '../http/refusal.convert.js';
import { toHttpRefusal } from './reserve-refusal.convert.js';

const refused = (
  reason: string,
  details?: Record<string, unknown>,
  retryable = false,
): Refused => ({
  status: 'refused',
  reason,
  message: `refused: ${reason}`,
  retryable,
  ...(details ? { details } : {}),
});

const limit = {
  limitId: 'lim_1',
  scope: { type: 'key', id: 'key_1' },
  window: 'day',
  unit: 'credits',
  amount: '10',
};

/** What OpenAI's own client makes of it, and how often it asked. */
const throughSdk = async (refusal: Refused, maxRetries: number) => {
  const { fields } = toHttpRefusal(refusal);
  let asked = 0;
  const client = new OpenAI({
    apiKey: 'k',
    baseURL: 'http://gateway.test/v1',
    maxRetries,
    fetch: () => {
      asked++;
      const headers = { 'content-type': 'application/json' };
      const retry =
        fields.retryAfterS === undefined ? {} : { 'retry-after': String(fields.retryAfterS) };
      const never = fields.shouldRetry === false ? { 'x-should-retry': 'false' } : {};
      return Promise.resolve(
        new Response(JSON.stringify(toOpenAiError(fields)), {
          status: fields.status,
          headers: { ...headers, ...retry, ...never },
        }),
      );
    },
  });
  const error = await client.models.list().catch((thrown: unknown) => thrown);
  return { error, asked };
};

describe('a refusal to reserve', () => {
  it.each([
    ['insufficient-credits', 402, 'insufficient_credits', undefined],
    ['debt-outstanding', 402, 'insufficient_credits', undefined],
    ['limit-reached', 402, 'limit_reached', undefined],
    ['free-tier-budget', 402, 'free_tier_budget', undefined],
    ['rate-limited', 429, 'rate_limit_exceeded', 1],
    ['model-not-in-tier', 403, 'model_not_in_tier', undefined],
    ['account-frozen', 403, 'account_frozen', undefined],
    ['unknown-account', 403, 'unknown_account', undefined],
    ['account-parked', 403, 'account_parked', undefined],
    ['unknown-price', 404, 'unknown_price', undefined],
    ['below-cost', 503, 'below_cost', undefined],
    ['unbounded', 400, 'unbounded', undefined],
    ['overloaded', 503, 'overloaded', 1],
    ['too-late', 503, 'too_late', 1],
    ['index-behind', 503, 'index_behind', 1],
    ['not-owner', 503, 'not_owner', 1],
    ['store-unavailable', 503, 'store_unavailable', 1],
    ['something-new', 500, 'something_new', undefined],
  ])('as %s is HTTP %i %s', (reason, status, code, retryAfterS) => {
    const { fields } = toHttpRefusal(refused(reason));
    expect(fields).toMatchObject({ status, code });
    expect(fields.retryAfterS).toBe(retryAfterS);
  });

  it('by a limit tells which one, its figures and when it begins anew', () => {
    const details = {
      ...limit,
      used: '9.9',
      required: '0.3',
      resetsAt: '2026-11-20T23:00:00.000Z',
    };
    const { fields } = toHttpRefusal(refused('limit-reached', details));
    expect(toOpenAiError(fields)).toEqual({
      error: {
        message: 'refused: limit-reached',
        type: 'insufficient_quota',
        code: 'limit_reached',
        param: null,
        reason: 'limit-reached',
        limit_id: 'lim_1',
        scope: { type: 'key', id: 'key_1' },
        window: 'day',
        unit: 'credits',
        amount: '10',
        used: '9.9',
        required: '0.3',
        resets_at: '2026-11-20T23:00:00.000Z',
      },
    });
  });

  it('by a total limit says that it never begins anew', () => {
    const { fields } = toHttpRefusal(refused('limit-reached', { ...limit, window: 'total' }));
    expect(fields.extra).toMatchObject({ window: 'total', resets_at: null });
  });

  it('by the free tier’s budget tells its figures', () => {
    const details = {
      budget: '2000',
      used: '1999',
      required: '3',
      resetsAt: '2026-12-01T00:00:00.000Z',
    };
    const { fields } = toHttpRefusal(refused('free-tier-budget', details));
    expect(fields.extra).toEqual({
      reason: 'free-tier-budget',
      budget: '2000',
      used: '1999',
      required: '3',
      resets_at: '2026-12-01T00:00:00.000Z',
    });
  });

  it.each([
    ['rate-limited', 12_345, 13],
    ['rate-limited', 1_000, 1],
    ['overloaded', 2_001, 3],
    ['not-owner', 0, 1],
  ])('as %s for %i ms says Retry-After: %i', (reason, retryAfterMs, seconds) => {
    const { fields } = toHttpRefusal(refused(reason, { retryAfterMs }, true));
    expect(fields.retryAfterS).toBe(seconds);
  });

  it('by a rate has the unit as its type, as OpenAI’s own have', () => {
    const details = { ...limit, unit: 'tokens', retryAfterMs: 500 };
    const { fields } = toHttpRefusal(refused('rate-limited', details, true));
    expect(fields).toMatchObject({ type: 'tokens', extra: { limit_id: 'lim_1', amount: '10' } });
  });
});

describe('the unchanged SDK', () => {
  it('raises a reached limit at once and does not try it again', async () => {
    const { error, asked } = await throughSdk(refused('limit-reached', limit), 2);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 402, code: 'limit_reached' });
    expect(asked).toBe(1);
  });

  it('raises a model that is below its cost at once, although it is a 503', async () => {
    const { error, asked } = await throughSdk(refused('below-cost'), 2);
    expect(error).toMatchObject({ status: 503, code: 'below_cost', param: 'model' });
    expect(asked).toBe(1);
  });

  it('raises a model outside the tier as a denied permission', async () => {
    const { error, asked } = await throughSdk(refused('model-not-in-tier'), 2);
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(asked).toBe(1);
  });

  it('raises a rate as its RateLimitError, after the retries it was told to make', async () => {
    const limited = refused('rate-limited', { retryAfterMs: 1 }, true);
    const { error, asked } = await throughSdk(limited, 1);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(asked).toBe(2);
  });
});
