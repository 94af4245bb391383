import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMoney, Money } from '@tollkeeper/kernel';
import {
  anyBoundedCall,
  anyPrice,
  anyRegion,
  anyServiceTier,
  anyTime,
  propertyTimeoutMs,
} from './arbitrary.fixture.js';
import { affordableOutputTokens, boundUsd, type CallBounds } from './bound.js';
import { chargeFor, usdBudgetFor } from './charge.js';
import { isUnpriced, priceUsage } from './cost.js';
import { gpt4o, perMillion, price, sonnet45 } from './price-book.fixture.js';
import { compilePriceVersion, type PriceVersion } from './price-version.js';

const bound = (version: PriceVersion, bounds: CallBounds): Money => {
  const usd = boundUsd(version, bounds);
  if (isUnpriced(usd)) throw new Error(`refused: ${usd.meter}`);
  return usd;
};

const call = (inputTokens: number, outputTokens: number, choices = 1): CallBounds => ({
  inputTokens,
  outputTokens,
  choices,
});

const flex = { serviceTier: 'flex' };
const windowed = price([
  perMillion('input', '1'),
  perMillion('output', '1'),
  { ...perMillion('output', '9'), window: { from: '08:00', to: '20:00' } },
]);
const dearFlex = price([
  perMillion('input', '1'),
  perMillion('output', '1'),
  { ...perMillion('output', '2'), ...flex },
]);
const cheapFlex = price([
  perMillion('input', '1'),
  perMillion('output', '1'),
  { ...perMillion('output', '0.5'), ...flex },
]);
const fast = { serviceTier: 'fast' };
const us = { region: 'us' };
const eu = { region: 'eu' };
const factored = price([perMillion('input', '1'), perMillion('output', '1')], {
  factors: [
    { ...us, factor: '1.1' },
    { ...fast, factor: '6' },
  ],
});
const cheapEu = price([
  perMillion('input', '1'),
  perMillion('output', '1'),
  { ...perMillion('output', '0.5'), ...eu },
]);
const partly = price([perMillion('input', '1')], {
  fallbacks: [{ meter: 'cache_write', of: 'input', ratio: '1.25' }],
});
const night = new Date('2026-06-01T22:00:00.000Z');

describe('boundUsd', () => {
  test.each<[string, typeof gpt4o, CallBounds, string]>([
    ['input and output', gpt4o, call(1000, 500), '0.0075'],
    ['each choice', gpt4o, call(1000, 500, 3), '0.0175'],
    ['nothing', gpt4o, call(0, 0), '0'],
    [
      'a lower context tier where it is dearer',
      price([
        perMillion('input', '5'),
        perMillion('output', '6'),
        { ...perMillion('input', '1'), inputTokensOver: 100 },
        { ...perMillion('output', '1'), inputTokensOver: 100 },
      ]),
      call(1000, 1000),
      '0.011',
    ],
    [
      'output alone where input has no rate',
      price([perMillion('output', '1')]),
      call(0, 9),
      '0.000009',
    ],
    ['all input as the dearest cache write', sonnet45, call(1000, 0), '0.006'],
    ['the base context tier at its threshold', sonnet45, call(200_000, 1000), '1.215'],
    ['the next one above it, output too', sonnet45, call(200_001, 1000), '2.422512'],
    [
      'reasoning where it is dearer',
      price([perMillion('input', '1'), perMillion('output', '2'), perMillion('reasoning', '3')]),
      call(0, 1000),
      '0.003',
    ],
    ['the dearest time of day', windowed, call(0, 1000), '0.009'],
    ['the time of day when it is known', windowed, { ...call(0, 1000), at: night }, '0.001'],
    ['the tier that was asked for', dearFlex, { ...call(0, 1000), ...flex }, '0.002'],
    [
      'the standard tier, which may answer instead',
      cheapFlex,
      { ...call(0, 1000), ...flex },
      '0.001',
    ],
    ['a tier that is asked for, by its factor', factored, { ...call(0, 1000), ...fast }, '0.006'],
    ['a region that is asked for, by its factor', factored, { ...call(0, 1000), ...us }, '0.0011'],
    ['both factors', factored, { ...call(0, 1000), ...fast, ...us }, '0.0066'],
    ['anywhere, where it is dearer than the region', cheapEu, { ...call(0, 1000), ...eu }, '0.001'],
    ['no factor that was not asked for', factored, call(0, 1000), '0.001'],
    ['a dear part of input as input', partly, call(1000, 0), '0.00125'],
    [
      'a fee for the call',
      price([
        perMillion('input', '1'),
        perMillion('output', '1'),
        { meter: 'request', unit: 'call', per: '1', rateUsd: '0.005' },
      ]),
      call(1000, 1000),
      '0.007',
    ],
    [
      'input alone where output has no rate',
      price([perMillion('input', '1')]),
      call(1000, 0),
      '0.001',
    ],
  ])('counts %s', (_, data, bounds, usd) => {
    expect(formatMoney(bound(compilePriceVersion(data), bounds))).toBe(usd);
  });

  test('is the very cost of a gpt-4o call that uses all of it', () => {
    const version = compilePriceVersion(gpt4o);
    const priced = priceUsage(version, { input: 1234, output: 567 }, { at: night });
    expect(isUnpriced(priced) ? undefined : formatMoney(priced.costUsd)).toBe(
      formatMoney(bound(version, call(1234, 567))),
    );
  });

  test.each<[string, typeof gpt4o, CallBounds, string]>([
    ['output without a rate', price([perMillion('input', '1')]), call(1, 1), 'output'],
    ['input without a rate', price([perMillion('output', '1')]), call(1, 1), 'input'],
    [
      'input that only its cached part has a rate for',
      price([perMillion('cache_read', '1'), perMillion('output', '1')]),
      call(1, 1),
      'input',
    ],
  ])('refuses %s', (_, data, bounds, meter) => {
    expect(boundUsd(compilePriceVersion(data), bounds)).toEqual({
      refused: 'unpriced-meter',
      meter,
    });
    expect(affordableOutputTokens(compilePriceVersion(data), bounds, new Money(1))).toBeUndefined();
  });

  test(
    'is at least the cost of any usage within it, at any tier, region and time',
    () => {
      fc.assert(
        fc.property(
          anyPrice,
          anyBoundedCall,
          fc.record({ serviceTier: anyServiceTier, region: anyRegion }),
          anyTime,
          (data, { bounds, pools }, asked, at) => {
            const version = compilePriceVersion(data);
            const most = bound(version, { ...bounds, ...asked, at });
            expect(most.lte(bound(version, { ...bounds, ...asked }))).toBe(true);
            for (const serviceTier of [asked.serviceTier, 'standard']) {
              for (const region of [asked.region, undefined]) {
                const priced = priceUsage(version, pools, { serviceTier, region, at });
                expect(!isUnpriced(priced) && priced.costUsd.lte(most)).toBe(true);
              }
            }
          },
        ),
        { numRuns: 300 },
      );
    },
    propertyTimeoutMs,
  );
});

describe('affordableOutputTokens', () => {
  const version = compilePriceVersion(gpt4o);

  test.each<[string, CallBounds, string, number | undefined]>([
    ['all of it, exactly', call(1000, 500), '0.0075', 500],
    ['one token less', call(1000, 500), '0.0074999', 499],
    ['a part', call(1000, 500), '0.005', 250],
    ['a part of each choice', call(1000, 500, 3), '0.005', 83],
    ['no output', call(1000, 500), '0.0025', 0],
    ['not even the input', call(1000, 500), '0.0024999', undefined],
    ['nothing of no budget', call(0, 500), '0', 0],
    ['no more than asked', call(0, 500), '1000000', 500],
  ])('affords %s', (_, bounds, budgetUsd, tokens) => {
    expect(affordableOutputTokens(version, bounds, new Money(budgetUsd))).toBe(tokens);
  });

  test('affords all of it with an endless budget', () => {
    expect(affordableOutputTokens(version, call(1, 7), new Money(Infinity))).toBe(7);
  });

  test(
    'is the largest limit whose bound is within the budget',
    () => {
      const budget = fc
        .bigInt({ min: 0n, max: 10n ** 14n })
        .map((n) => new Money(n.toString()).div('1e12'));
      fc.assert(
        fc.property(
          anyPrice,
          anyBoundedCall,
          anyServiceTier,
          budget,
          (data, { bounds }, serviceTier, budgetUsd) => {
            const priceVersion = compilePriceVersion(data);
            const asked = { ...bounds, serviceTier };
            const at = (outputTokens: number): Money =>
              bound(priceVersion, { ...asked, outputTokens });
            const tokens = affordableOutputTokens(priceVersion, asked, budgetUsd);
            if (tokens === undefined) {
              expect(at(0).gt(budgetUsd)).toBe(true);
              return;
            }
            expect(at(tokens).lte(budgetUsd)).toBe(true);
            expect(tokens === bounds.outputTokens || at(tokens + 1).gt(budgetUsd)).toBe(true);
          },
        ),
        { numRuns: 300 },
      );
    },
    propertyTimeoutMs,
  );

  test(
    'keeps the charge of the bound within the credits that the budget came from',
    () => {
      fc.assert(
        fc.property(
          anyPrice,
          anyBoundedCall,
          fc.integer({ min: 0, max: 10 ** 9 }),
          fc.integer({ min: 1, max: 400 }),
          fc.constantFrom('0.01', '1', '0.03', '0.007'),
          fc.integer({ min: 0, max: 6 }),
          (data, { bounds }, microCredits, percent, usdPerCredit, decimals) => {
            const priceVersion = compilePriceVersion(data);
            const policy = { usdPerCredit: new Money(usdPerCredit), decimals };
            const credits = new Money(microCredits).div(10 ** 6);
            const multiplier = new Money(percent).div(100);
            const budgetUsd = usdBudgetFor(credits, multiplier, policy);
            const outputTokens = affordableOutputTokens(priceVersion, bounds, budgetUsd);
            if (outputTokens === undefined) return;
            const costUsd = bound(priceVersion, { ...bounds, outputTokens });
            const { chargeCredits } = chargeFor([{ costUsd, multiplier }], policy);
            expect(chargeCredits.lte(credits)).toBe(true);
          },
        ),
        { numRuns: 300 },
      );
    },
    propertyTimeoutMs,
  );
});
