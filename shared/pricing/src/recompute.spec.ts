import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMoney, Money } from '@tollkeeper/kernel';
import type { Charge, PricedAttempt } from '@tollkeeper/events';
import {
  anyBoundedCall,
  anyPrice,
  anyRegion,
  anyServiceTier,
  anyTime,
  propertyTimeoutMs,
} from './arbitrary.fixture.js';
import { chargeFor, type CreditValue } from './charge.js';
import { isUnpriced, priceUsage, type PricedUsage } from './cost.js';
import { gpt4o } from './price-book.fixture.js';
import { compilePriceVersion } from './price-version.js';
import { firstChargeDifference, recomputeCharge } from './recompute.js';

const attemptOf = ({ lines, costUsd }: PricedUsage, multiplier: string): PricedAttempt => ({
  provider: 'openai',
  model: 'gpt-4o',
  billed: true,
  provenance: 'exact',
  priceVersion: 'openai:gpt-4o@1',
  lines,
  costUsd: formatMoney(costUsd),
  multiplier,
  multiplierRule: 'pro@1',
  multiplierLevel: 'tier',
});

const unbilled: PricedAttempt = {
  ...attemptOf({ lines: [], costUsd: new Money(0), flags: [] }, '1.5'),
  billed: false,
};

const chargeOf = (attempts: PricedAttempt[], policy: CreditValue): Charge => {
  const computed = chargeFor(
    attempts.map(({ costUsd, multiplier }) => ({
      costUsd: new Money(costUsd),
      multiplier: new Money(multiplier),
    })),
    policy,
  );
  return {
    tier: 'pro',
    attempts,
    vendorCostUsd: formatMoney(computed.vendorCostUsd),
    policyId: 'policy@1',
    usdPerCredit: formatMoney(policy.usdPerCredit),
    creditDecimals: policy.decimals,
    rounding: 'ceil',
    chargeCredits: formatMoney(computed.chargeCredits),
    roundingCredits: formatMoney(computed.roundingCredits),
  };
};

const cent: CreditValue = { usdPerCredit: new Money('0.01'), decimals: 4 };

const pricedCall = (): PricedUsage => {
  const priced = priceUsage(
    compilePriceVersion(gpt4o),
    { input: 1234, cache_read: 100, output: 567 },
    { at: new Date('2026-06-01T00:00:00.000Z') },
  );
  if (isUnpriced(priced)) throw new Error(priced.meter);
  return priced;
};

const plainAmount: Charge = { ...chargeOf([], cent), chargeCredits: '12.5' };

describe('recomputeCharge', () => {
  test('computes a charge from its lines, multipliers and credit value alone', () => {
    const charge = chargeOf([unbilled, attemptOf(pricedCall(), '1.5')], cent);
    const { attempts, usdPerCredit, creditDecimals } = charge;
    const cleared = { ...charge, vendorCostUsd: '0', chargeCredits: '0', roundingCredits: '0' };
    const recomputed = recomputeCharge({ ...cleared, attempts, usdPerCredit, creditDecimals });
    expect(formatMoney(recomputed.vendorCostUsd)).toBe('0.00888');
    expect(formatMoney(recomputed.chargeCredits)).toBe('1.332');
    expect(formatMoney(recomputed.roundingCredits)).toBe('0');
    expect(recomputed.perAttemptCost.map(formatMoney)).toEqual(['0', '0.00888']);
  });

  test('leaves out what was waived', () => {
    const charge = chargeOf([attemptOf(pricedCall(), '1.5')], cent);
    const recomputed = recomputeCharge({ ...charge, waivedCredits: '0.332' });
    expect(formatMoney(recomputed.chargeCredits)).toBe('1');
    expect(formatMoney(recomputed.vendorCostUsd)).toBe('0.00888');
  });

  test('leaves a plain amount as it is, at no vendor cost', () => {
    const recomputed = recomputeCharge(plainAmount);
    expect(formatMoney(recomputed.chargeCredits)).toBe('12.5');
    expect(formatMoney(recomputed.vendorCostUsd)).toBe('0');
  });
});

describe('firstChargeDifference', () => {
  const call = pricedCall();
  const good = chargeOf([attemptOf(call, '1.5')], cent);
  const tampered = (more: Partial<PricedAttempt>): Charge => ({
    ...good,
    attempts: [{ ...attemptOf(call, '1.5'), ...more }],
  });

  test(
    'finds none in what was priced and charged, at any price, time and policy',
    () => {
      const percent = fc.integer({ min: 1, max: 400 });
      const usdPerCredit = fc.constantFrom('0.01', '1', '0.03', '0.007');
      const policies = fc.tuple(usdPerCredit, fc.integer({ min: 0, max: 6 }));
      fc.assert(
        fc.property(
          fc.tuple(anyPrice, anyBoundedCall, anyServiceTier, anyRegion, anyTime),
          fc.tuple(percent, percent),
          policies,
          ([data, { pools }, serviceTier, region, at], percents, [usd, decimals]) => {
            const priced = priceUsage(compilePriceVersion(data), pools, {
              serviceTier,
              region,
              at,
            });
            if (isUnpriced(priced)) throw new Error(priced.meter);
            const attempts = percents.map((p) =>
              attemptOf(priced, formatMoney(new Money(p).div(100))),
            );
            const charge = chargeOf(attempts, { usdPerCredit: new Money(usd), decimals });
            expect(firstChargeDifference(charge)).toBeUndefined();
          },
        ),
        { numRuns: 300 },
      );
    },
    propertyTimeoutMs,
  );

  test.each<[string, Charge, string]>([
    ['a cost', tampered({ costUsd: '0.0088' }), 'attempts[0].costUsd'],
    ['a quantity', tampered({ lines: call.lines.slice(1) }), 'attempts[0].costUsd'],
    ['a multiplier', tampered({ multiplier: '1.4' }), 'chargeCredits'],
    ['lines of an unbilled attempt', tampered({ billed: false }), 'attempts[0].lines'],
    ['the vendor cost', { ...good, vendorCostUsd: '0.009' }, 'vendorCostUsd'],
    ['the charge', { ...good, chargeCredits: '1.3321' }, 'chargeCredits'],
    ['the rounding', { ...good, roundingCredits: '0.0001' }, 'roundingCredits'],
    ['the credit value', { ...good, usdPerCredit: '0.02' }, 'chargeCredits'],
    ['the decimals', { ...good, creditDecimals: 2 }, 'chargeCredits'],
    ['a waiver', { ...good, chargeCredits: '1', waivedCredits: '0.3' }, 'chargeCredits'],
    [
      'a waiver below zero',
      { ...good, chargeCredits: '2', waivedCredits: '-0.668' },
      'waivedCredits',
    ],
    [
      'a charge below zero',
      { ...good, chargeCredits: '-1', waivedCredits: '2.332' },
      'chargeCredits',
    ],
    ['the vendor cost of a plain amount', { ...plainAmount, vendorCostUsd: '1' }, 'vendorCostUsd'],
  ])('finds %s that was changed', (_, charge, field) => {
    expect(firstChargeDifference(charge)?.field).toBe(field);
  });

  test('names the stored figure and the recomputed one', () => {
    expect(firstChargeDifference({ ...good, chargeCredits: '1' })).toEqual({
      field: 'chargeCredits',
      stored: '1',
      recomputed: '1.332',
    });
  });

  test('finds none where the charge and what was waived are what the lines come to', () => {
    const waived = { ...good, chargeCredits: '1', waivedCredits: '0.332' };
    expect(firstChargeDifference(waived)).toBeUndefined();
  });

  test('finds none in a plain amount', () => {
    expect(firstChargeDifference(plainAmount)).toBeUndefined();
  });
});
