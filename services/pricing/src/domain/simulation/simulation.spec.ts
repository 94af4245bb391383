import type { ChargedAttempt } from '@tollkeeper/contracts';
import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import { compilePriceVersion } from '@tollkeeper/pricing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anyAsked,
  bookOf,
  chargedAt,
  chargedCall,
  version,
  type Asked,
} from './charged-calls.fixture.js';
import { Proposal, type ProposedMultiplier } from './proposal.js';
import { Simulation } from './simulation.js';

const book = bookOf();
const at = new Date('2026-06-01T12:00:00.000Z');
const asked = (more: Partial<Asked> = {}): Asked => ({
  provider: 'openai',
  model: 'gpt-4o',
  tier: 'pro',
  pools: { input: 1000, output: 100 },
  at,
  ...more,
});

const simulate = (
  calls: readonly ReturnType<typeof chargedCall>[],
  multipliers: readonly ProposedMultiplier[],
  prices: Parameters<typeof compilePriceVersion>[0][] = [],
): Simulation => {
  const simulation = new Simulation(
    new Proposal(multipliers, prices.map(compilePriceVersion), book),
    book,
  );
  for (const call of calls) simulation.add(call);
  return simulation;
};

const attemptsWith = (more: Partial<ChargedAttempt>): ChargedAttempt[] =>
  chargedCall(book, asked()).attempts.map((attempt) => ({ ...attempt, ...more }));

describe('a simulation', () => {
  test('of nothing changes nothing', () => {
    const calls = [chargedCall(book, asked()), chargedCall(book, asked({ tier: 'free' }))];
    const figures = simulate(calls, []).figures();
    expect(figures).toMatchObject({ usages: 2, changed: 0 });
    expect(figures.totals.after).toEqual(figures.totals.before);
    expect(figures.net).toEqual({ revenueUsd: '0', costUsd: '0', marginUsd: '0' });
  });

  test('of a multiplier charges what the ledger would', () => {
    const simulation = simulate([chargedCall(book, asked())], [{ scope: {}, multiplier: '3' }]);
    // The tier's own rule is more specific than the default.
    expect(simulation.figures().changed).toBe(0);
    const tier = simulate(
      [chargedCall(book, asked())],
      [{ scope: { tier: 'pro' }, multiplier: '3' }],
    );
    expect(tier.figures()).toMatchObject({
      totals: {
        before: { revenueUsd: '0.00525', costUsd: '0.0035', marginUsd: '0.00175' },
        after: { revenueUsd: '0.0105', costUsd: '0.0035', marginUsd: '0.007', margin: '0.666666' },
      },
      net: { revenueUsd: '0.00525', costUsd: '0', marginUsd: '0.00525' },
      byTier: [{ tier: 'pro', usages: 1 }],
      byProvider: [{ provider: 'openai' }],
      byModel: [{ provider: 'openai', model: 'gpt-4o', share: '1' }],
    });
    expect(tier.users()).toEqual([
      {
        userId: 'usr_1',
        usages: 1,
        beforeCredits: '0.525',
        afterCredits: '1.05',
        deltaCredits: '0.525',
        deltaUsd: '0.00525',
      },
    ]);
  });

  test.each<[string, ProposedMultiplier['scope'], boolean]>([
    ['the default', {}, false],
    ['another tier', { tier: 'free' }, false],
    ['the tier', { tier: 'pro' }, true],
    ['the provider', { provider: 'openai' }, true],
    ['another provider', { provider: 'anthropic' }, false],
    ['the model', { model: 'gpt-4o' }, true],
    ['the provider and model', { provider: 'openai', model: 'gpt-4o' }, true],
    ['all three', { provider: 'openai', model: 'gpt-4o', tier: 'pro' }, true],
    ['all three of another tier', { provider: 'openai', model: 'gpt-4o', tier: 'free' }, false],
  ])(
    'of a multiplier for %s: a call of a tier with a rule changes: %s',
    (_what, scope, changes) => {
      const { changed } = simulate(
        [chargedCall(book, asked())],
        [{ scope, multiplier: '9' }],
      ).figures();
      expect(changed).toBe(changes ? 1 : 0);
    },
  );

  test('takes the most specific of what is proposed', () => {
    const proposed: ProposedMultiplier[] = [
      { scope: { tier: 'pro' }, multiplier: '9' },
      { scope: { model: 'gpt-4o' }, multiplier: '2' },
    ];
    const { totals } = simulate([chargedCall(book, asked())], proposed).figures();
    expect(totals.after.revenueUsd).toBe('0.007');
  });

  test('of a price costs and charges by it, and leaves what it has no rate for', () => {
    const dearer = version('openai', 'gpt-4o', { input: '5', output: '20' });
    const calls = [
      chargedCall(book, asked()),
      chargedCall(book, asked({ model: 'gpt-4o-mini' })),
      chargedCall(book, asked(), {
        attempts: attemptsWith({ lines: [['input_audio_minute', '3']] }),
      }),
    ];
    const figures = simulate(calls, [], [dearer]).figures();
    expect(figures).toMatchObject({
      usages: 3,
      changed: 1,
      net: { revenueUsd: '0.00525', costUsd: '0.0035' },
      unpriced: [{ provider: 'openai', model: 'gpt-4o', meter: 'input_audio_minute', usages: 1 }],
    });
  });

  test('does not price usage that nobody knows', () => {
    const call = chargedCall(book, asked(), {
      attempts: attemptsWith({ provenance: 'unknown', lines: [['bound', '1']] }),
    });
    const { changed, unpriced } = simulate(
      [call],
      [],
      [version('openai', 'gpt-4o', { input: '5', output: '20' })],
    ).figures();
    expect(changed).toBe(0);
    expect(unpriced).toEqual([{ provider: 'openai', model: 'gpt-4o', meter: 'usage', usages: 1 }]);
  });

  test('keeps refunds, and never charges less than nothing', () => {
    const half = chargedCall(book, asked(), { refundedCredits: '0.5' });
    const cheaper = simulate([half], [{ scope: { tier: 'pro' }, multiplier: '1' }]);
    expect(cheaper.users()).toMatchObject([
      { beforeCredits: '0.025', afterCredits: '0', deltaCredits: '-0.025' },
    ]);
  });

  test('counts a plain amount as revenue without a vendor', () => {
    const plain = chargedCall(book, asked(), {
      attempts: [],
      chargeCredits: '7',
      vendorCostUsd: '0',
    });
    const figures = simulate([plain], [{ scope: {}, multiplier: '9' }]).figures();
    expect(figures).toMatchObject({
      changed: 0,
      byModel: [{ provider: '', model: '', after: { revenueUsd: '0.07', margin: '1' } }],
    });
  });

  test('lists users by how much their charge changes', () => {
    const call = (userId: string, input: number) =>
      chargedCall(book, asked({ pools: { input, output: 0 } }), { userId });
    const simulation = simulate(
      [call('usr_a', 1000), call('usr_b', 9000), call('usr_c', 0)],
      [{ scope: { tier: 'pro' }, multiplier: '2' }],
    );
    expect(simulation.users().map(({ userId }) => userId)).toEqual(['usr_b', 'usr_a']);
  });

  test('is the decimals’ own sum, to the last digit, in any order', () => {
    const multiplier = fc
      .integer({ min: 1, max: 99_999_999 })
      .map((n) => formatMoney(parseMoney(String(n)).div(10_000_000)));
    fc.assert(
      fc.property(fc.array(anyAsked, { maxLength: 12 }), multiplier, (questions, times) => {
        const scopes = (['free', 'pro', 'enterprise', 'enterprise_max'] as const).map((tier) => ({
          scope: { tier },
          multiplier: times,
        }));
        const calls = questions.map((question) => chargedCall(book, question));
        const figures = simulate(calls, scopes).figures();
        let revenue: Money = zero;
        for (const question of questions) {
          const { chargeCredits } = chargedAt(book, question, times);
          revenue = revenue.plus(parseMoney(chargeCredits).times('0.01'));
        }
        expect(figures.totals.after.revenueUsd).toBe(formatMoney(revenue));
        expect(simulate(calls.toReversed(), scopes).figures()).toEqual(figures);
      }),
    );
  });

  test('of prices is what pricing them says, rates that do not terminate included', () => {
    const odd = version('openai', 'gpt-4o', {});
    const rates = ['input', 'output'].map((meter) => ({
      meter,
      unit: 'token',
      per: '3000000',
      rateUsd: '1',
    }));
    const other = bookOf({
      type: 'VendorPricePublished',
      data: { ...odd, rates, priceVersion: 'openai:gpt-4o@2' },
    });
    fc.assert(
      fc.property(fc.array(anyAsked, { maxLength: 8 }), (questions) => {
        const calls = questions.map((question) => chargedCall(book, question));
        const { totals } = simulate(calls, [], [{ ...odd, rates }]).figures();
        let cost: Money = zero;
        for (const question of questions) {
          cost = cost.plus(chargedAt(other, question, '1').costUsd);
        }
        expect(totals.after.costUsd).toBe(formatMoney(cost));
      }),
    );
  });
});
