import fc from 'fast-check';
import type { UsagePools, VendorPricePublished, VendorRate } from '@tollkeeper/events';
import { price } from './price-book.fixture.js';

/** Any price that can be published for text tokens: tiers, regions, windows, factors, ratios and odd units included. */

const meters = [
  'input',
  'cache_read',
  'cache_write',
  'cache_write_1h',
  'output',
  'reasoning',
] as const;

const decimalText = (max: number, places: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((n) => {
    const digits = String(n).padStart(places + 1, '0');
    const fraction = digits.slice(-places).replace(/0+$/, '');
    return digits.slice(0, -places) + (fraction ? `.${fraction}` : '');
  });

const rateUsd = decimalText(1_000_000, 5);
const per = fc.constantFrom('1', '1000', '1000000', '3600', '7');

const condition = fc.record(
  {
    serviceTier: fc.constantFrom('flex', 'priority'),
    region: fc.constant('us'),
    inputTokensOver: fc.constantFrom(0, 100, 1000),
    window: fc.constantFrom({ from: '08:00', to: '20:00' }, { from: '22:30', to: '01:00' }),
  },
  { requiredKeys: [] },
);

const base = (meter: string): fc.Arbitrary<VendorRate> =>
  fc.record({ meter: fc.constant(meter), unit: fc.constant('token'), per, rateUsd });

const conditional: fc.Arbitrary<VendorRate> = fc
  .tuple(fc.constantFrom(...meters).chain(base), condition)
  .map(([rate, more]) => ({ ...rate, ...more }));

const anyFactor = fc.record(
  {
    serviceTier: fc.constantFrom('priority', 'fast'),
    region: fc.constantFrom('us', 'eu'),
    meters: fc.subarray([...meters], { minLength: 1 }),
    factor: fc.constantFrom('1.1', '6', '0.5', '1.0000001'),
  },
  { requiredKeys: ['factor'] },
);

const anyRatio = fc.record({
  meter: fc.constantFrom(...meters),
  of: fc.constantFrom(...meters),
  ratio: fc.constantFrom('0.1', '0.05', '1.25', '2'),
});

export const anyPrice: fc.Arbitrary<VendorPricePublished> = fc
  .record({
    provider: fc.constantFrom('openai', 'anthropic', 'google'),
    listed: fc.tuple(base('input'), base('output')),
    more: fc.array(conditional, { maxLength: 8 }),
    factors: fc.array(anyFactor, { maxLength: 3 }),
    fallbacks: fc.array(anyRatio, { maxLength: 2 }),
  })
  .map(({ provider, listed, more, factors, fallbacks }) =>
    price([...listed, ...more], { provider, factors, fallbacks }),
  );

export const anyServiceTier = fc.constantFrom(undefined, 'flex', 'priority', 'fast', 'batch');
export const anyRegion = fc.constantFrom(undefined, 'us', 'eu', 'moon');

export const anyTime = fc
  .integer({ min: 0, max: 24 * 60 - 1 })
  .map((minute) => new Date(Date.UTC(2026, 5, 1, 0, minute)));

/** For properties over prices, which are compiled anew for each run: a busy machine takes its time. */
export const propertyTimeoutMs = 240_000;

/** Splits so many tokens over so many meters. */
const split = (total: number, cuts: readonly number[]): number[] => {
  const places = [
    0,
    ...[...cuts].sort((a, b) => a - b).map((cut) => Math.floor(cut * total)),
    total,
  ];
  return places.slice(1).map((place, index) => place - (places[index] ?? 0));
};

export interface BoundedCall {
  readonly bounds: { inputTokens: number; outputTokens: number; choices: number };
  /** Within the bounds. */
  readonly pools: UsagePools;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });

export const anyBoundedCall: fc.Arbitrary<BoundedCall> = fc
  .record({
    inputTokens: fc.integer({ min: 0, max: 3000 }),
    outputTokens: fc.integer({ min: 0, max: 3000 }),
    choices: fc.integer({ min: 1, max: 4 }),
    used: fc.tuple(share, share),
    cuts: fc.tuple(share, share, share),
    cut: share,
  })
  .map(({ inputTokens, outputTokens, choices, used, cuts, cut }) => {
    const input = split(Math.round(used[0] * inputTokens), cuts);
    const output = split(Math.round(used[1] * outputTokens * choices), [cut]);
    const pools = Object.fromEntries(
      meters.map((meter, place) => [meter, [...input, ...output][place] ?? 0]),
    );
    return { bounds: { inputTokens, outputTokens, choices }, pools };
  });
