import { describe, expect, it } from 'vitest';
import { InvalidRequest } from './credit-request.js';
import { balanceRequest, converters, type Verb } from './credit.convert.js';
import { envelope, serve } from './credit.fixture.js';
import {
  given,
  granted,
  opened,
  priceBook,
  startedAt,
} from './domain/credit-account/credit-account.fixture.js';
import { adjust, at, grant } from './domain/credit-account/operator.fixture.js';
import { defaultRules } from './domain/credit-account/rules.js';

describe('a grant', () => {
  it.each([
    ['ends after the year 9999', { expiresAt: '9999-12-31T23:59:59-01:00' }],
    ['begins before the year 1', { effectiveAt: '0000-06-01T00:00:00Z' }],
  ])('that %s is no request', (_what, times) => {
    const body = { amountCredits: '1', ...times };
    expect(() => converters.grant(body, envelope)).toThrow(InvalidRequest);
  });
});

describe('an amount of more than 18 digits or 12 decimals', () => {
  const nines = '9'.repeat(30);
  const topUp = { thresholdCredits: '5', amountCredits: '10', monthlyCapCredits: '20' };
  const limit = { limitId: 'l', scope: { type: 'account' }, window: 'total', unit: 'credits' };

  it.each<[Verb, object]>([
    ['grant', { amountCredits: nines }],
    ['grant', { amountCredits: '0.0000000000001' }],
    ['grant', { amountCredits: '1', costBasisUsd: nines }],
    ['reserve', { amountCredits: nines }],
    ['charge', { amountCredits: nines }],
    ['settle', { reservationId: 'r1', amountCredits: nines }],
    ['refund', { reservationId: 'r1', amountCredits: nines, reasonCode: 'goodwill' }],
    ['adjust', { amountCredits: `-${nines}`, reasonCode: 'goodwill', bookDebt: true }],
    ['recur', { recurringId: 'm1', amountCredits: nines }],
    ['recur', { recurringId: 'm1', amountCredits: '1', rolloverCapCredits: nines }],
    ['setLimit', { ...limit, amount: nines }],
    ['alerts', { thresholdsCredits: [nines] }],
    ['topUpRule', { ...topUp, thresholdCredits: nines }],
    ['topUpRule', { ...topUp, amountCredits: nines }],
    ['topUpRule', { ...topUp, monthlyCapCredits: nines }],
  ])('makes %s no request: %o', (verb, body) => {
    expect(() => converters[verb](body, envelope)).toThrow(InvalidRequest);
  });
});

describe('a body', () => {
  const attempts = [{ provider: 'openai', model: 'gpt-4o', usage: { input: 9 } }];
  const candidates = [{ provider: 'openai', model: 'gpt-4o' }];
  const bounds = { inputTokens: 1000, outputTokens: 100 };

  it.each<[string, Verb, object]>([
    ['whose grant cost less than nothing', 'grant', { amountCredits: '1', costBasisUsd: '-5' }],
    ['that grants an adjustment', 'grant', { amountCredits: '1', kind: 'adjustment' }],
    ['that grants a refund', 'grant', { amountCredits: '1', kind: 'refund' }],
    [
      'that releases what was billed',
      'release',
      { reservationId: 'r1', reason: 'failed', attempts },
    ],
    [
      'that reserves a call and an amount',
      'reserve',
      { amountCredits: '0.0001', candidates, bounds },
    ],
    [
      'that settles by usage and an amount',
      'settle',
      { reservationId: 'r1', amountCredits: '0', attempts },
    ],
  ])('%s is no request', (_what, verb, body) => {
    expect(() => converters[verb](body, envelope)).toThrow(InvalidRequest);
  });

  it('may release what was attempted and not billed', () => {
    const unbilled = attempts.map((attempt) => ({ ...attempt, billed: false }));
    const body = { reservationId: 'r1', reason: 'failed', attempts: unbilled };
    expect(converters.release(body, envelope).command).toMatchObject({ type: 'Release' });
  });

  it.each([undefined, ''])('that adjusts is no request of nobody: %j', (actor) => {
    const body = { amountCredits: '1', reasonCode: 'goodwill' };
    expect(() => converters.adjust(body, { ...envelope, actor })).toThrow(InvalidRequest);
    expect(converters.adjust(body, envelope).actor).toBe('spec');
  });
});

describe('a re-rating', () => {
  it('answers whether it changed the charge, and the same again after another one', async () => {
    const { ask, fund } = serve();
    await fund('100');
    const model = { provider: 'openai', model: 'gpt-4o' };
    const attempts = [{ ...model, usage: { input: 1000, output: 100 } }];
    const bounds = { inputTokens: 1000, outputTokens: 100 };
    await ask('reserve', { commandId: 'r1', candidates: [model], bounds });
    await ask('settle', { reservationId: 'r1', attempts });
    const rerate = (commandId: string, priceVersion: string) =>
      ask('rerate', { commandId, reservationId: 'r1', priceVersion, attempts, reason: 'invoice' });
    const dearer = { chargeCredits: '1.05', costUsd: '0.007' };
    expect(await rerate('k1', 'openai:gpt-4o@2')).toMatchObject({ changed: true, ...dearer });
    expect(await rerate('k2', 'openai:gpt-4o@2')).toMatchObject({ changed: false, ...dearer });
    expect(await rerate('k3', 'openai:gpt-4o@1')).toMatchObject({
      changed: true,
      chargeCredits: '0.525',
    });
    expect(await rerate('k2', 'openai:gpt-4o@2')).toMatchObject({ changed: false, ...dearer });
  });
});

describe('a balance', () => {
  const prices = priceBook();
  const due = at('2026-03-01T13:00:00.000Z');
  const owing = given(opened, granted('1'))
    .when(grant('4', 'g2', { effectiveAt: due }))
    .when(adjust('-6', { bookDebt: true }));
  const viewAt = (time: Date, account = owing.account) => {
    const context = { at: time, prices, rules: defaultRules, reservationTtlMs: 0 };
    const look = balanceRequest((when) => prices.policyAt(when));
    return look.answer(account, time, context, (command) => ({ command }));
  };

  it('is what is available and reserved less what is owed', () => {
    expect(viewAt(startedAt)).toMatchObject({ balance: '-5', available: '0', debt: '5' });
  });

  it('is so also where credits have come into force that have yet to pay a debt', () => {
    expect(viewAt(due)).toMatchObject({ balance: '-1', available: '0', debt: '1' });
    const more = owing.when(grant('3', 'g3', { effectiveAt: due }));
    expect(viewAt(due, more.account)).toMatchObject({ balance: '2', available: '2', debt: '0' });
  });
});
