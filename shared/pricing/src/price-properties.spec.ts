import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMoney, Money } from '@tollkeeper/kernel';
import type { UsagePools, VendorPricePublished, VendorRate } from '@tollkeeper/events';
import {
  anyBoundedCall,
  anyPrice,
  anyRegion,
  anyServiceTier,
  anyTime,
  propertyTimeoutMs,
} from './arbitrary.fixture.js';
import { boundUsd } from './bound.js';
import { chargeFor, creditsToUsd } from './charge.js';
import { isUnpriced, priceUsage, type PricingConditions } from './cost.js';
import { publish } from './price-book.fixture.js';
import { PriceBook } from './price-book.js';
import { compilePriceVersion, type PriceVersion } from './price-version.js';

const anyWhere: fc.Arbitrary<PricingConditions> = fc.record({
  serviceTier: anyServiceTier,
  region: anyRegion,
  at: anyTime,
});

const costOf = (version: PriceVersion, pools: UsagePools, where: PricingConditions): Money => {
  const priced = priceUsage(version, pools, where);
  if (isUnpriced(priced)) throw new Error(priced.meter);
  return priced.costUsd;
};

test(
  'a charge is never below the vendor cost where the multiplier is at least one',
  () => {
    const policy = fc.record({
      usdPerCredit: fc.constantFrom('0.01', '1', '0.003', '7').map((usd) => new Money(usd)),
      decimals: fc.integer({ min: 0, max: 6 }),
    });
    const multiplier = fc
      .integer({ min: 10_000, max: 100_000 })
      .map((parts) => new Money(parts).div(10_000));
    fc.assert(
      fc.property(
        anyPrice,
        anyBoundedCall,
        anyWhere,
        multiplier,
        policy,
        (data, { pools }, where, by, credit) => {
          const costUsd = costOf(compilePriceVersion(data), pools, where);
          const { chargeCredits } = chargeFor([{ costUsd, multiplier: by }], credit);
          expect(creditsToUsd(chargeCredits, credit).gte(costUsd)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  },
  propertyTimeoutMs,
);

/** A context tier may be cheaper than the one below; without tiers nothing is. */
const flat = (data: VendorPricePublished): VendorPricePublished => ({
  ...data,
  rates: data.rates.filter(({ inputTokensOver }) => inputTokensOver === undefined),
});

test(
  'no token of any pool makes a call cheaper, at any tier, region and time',
  () => {
    const more = fc.integer({ min: 1, max: 10_000_000 });
    fc.assert(
      fc.property(anyPrice, anyBoundedCall, anyWhere, more, (data, { pools }, where, tokens) => {
        const version = compilePriceVersion(flat(data));
        const before = costOf(version, pools, where);
        for (const [meter, count] of Object.entries(pools)) {
          const after = costOf(version, { ...pools, [meter]: count + tokens }, where);
          expect(after.gte(before), meter).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  },
  propertyTimeoutMs,
);

const minuteText = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');

const isWithin = ({ from, to }: { from: string; to: string }, time: string): boolean =>
  from < to ? from < time && time < to : from < time || time < to;

const keyOf = ({ meter, serviceTier, region, inputTokensOver }: VendorRate): string =>
  JSON.stringify([meter, serviceTier, region, inputTokensOver]);

/** Every window that holds the time becomes two, and so does every day without windows. */
const cutAt = (data: VendorPricePublished, time: string): VendorPricePublished => {
  const windowed = new Set(data.rates.filter(({ window }) => window).map(keyOf));
  const halves = (rate: VendorRate, from: string, to: string): VendorRate[] => [
    { ...rate, window: { from, to: time } },
    { ...rate, window: { from: time, to } },
  ];
  return {
    ...data,
    rates: data.rates.flatMap((rate) => {
      const { window } = rate;
      if (window) return isWithin(window, time) ? halves(rate, window.from, window.to) : [rate];
      const isWhole = windowed.has(keyOf(rate)) || time === '00:00';
      return isWhole ? [rate] : halves(rate, '00:00', '00:00');
    }),
  };
};

describe('splitting changes nothing', () => {
  test(
    'of a day: a window boundary anywhere',
    () => {
      const cut = fc.integer({ min: 0, max: 24 * 60 - 1 }).map(minuteText);
      fc.assert(
        fc.property(anyPrice, anyBoundedCall, anyWhere, cut, (data, call, where, time) => {
          const whole = compilePriceVersion(data);
          const split = compilePriceVersion(cutAt(data, time));
          expect(priceUsage(split, call.pools, where)).toEqual(
            priceUsage(whole, call.pools, where),
          );
          expect(boundUsd(split, call.bounds)).toEqual(boundUsd(whole, call.bounds));
          const bounds = { ...call.bounds, ...where };
          expect(boundUsd(split, bounds)).toEqual(boundUsd(whole, bounds));
        }),
        { numRuns: 300 },
      );
    },
    propertyTimeoutMs,
  );

  test(
    'of a version: another with the same rates from any moment on',
    () => {
      fc.assert(
        fc.property(anyPrice, anyBoundedCall, anyWhere, anyTime, (data, { pools }, where, from) => {
          const book = new PriceBook();
          const name = { provider: data.provider, model: data.model };
          book.apply(publish(data));
          book.apply(
            publish({ ...data, priceVersion: 'same@2', effectiveFrom: from.toISOString() }),
          );
          const version = book.priceAt(name, where.at);
          expect(version?.id).toBe(where.at < from ? data.priceVersion : 'same@2');
          expect(version && formatMoney(costOf(version, pools, where))).toBe(
            formatMoney(costOf(compilePriceVersion(data), pools, where)),
          );
        }),
        { numRuns: 300 },
      );
    },
    propertyTimeoutMs,
  );
});

test('a call is priced by the version, window and multiplier of the moment that it began in', () => {
  const rate = (rateUsd: string, window?: { from: string; to: string }): VendorRate => ({
    meter: 'input',
    unit: 'token',
    per: '1',
    rateUsd,
    ...(window ? { window } : {}),
  });
  const data = (id: string, effectiveFrom: string, rates: VendorRate[]): VendorPricePublished => ({
    priceVersion: id,
    provider: 'p',
    model: 'm',
    effectiveFrom,
    rates,
    source: { name: 'spec' },
  });
  const book = new PriceBook();
  book.apply(publish(data('p:m@1', '2026-01-01T00:00:00.000Z', [rate('1')])));
  const night = rate('3', { from: '22:00', to: '06:00' });
  book.apply(publish(data('p:m@2', '2026-06-01T12:00:00.000Z', [rate('2'), night])));
  const costAt = (time: string): string | undefined => {
    const at = new Date(time);
    const version = book.priceAt({ provider: 'p', model: 'm' }, at);
    return version && formatMoney(costOf(version, { input: 1 }, { at }));
  };
  expect(costAt('2025-12-31T23:59:59.999Z')).toBeUndefined();
  expect(costAt('2026-06-01T11:59:59.999Z')).toBe('1');
  expect(costAt('2026-06-01T12:00:00.000Z')).toBe('2');
  expect(costAt('2026-06-01T21:59:59.999Z')).toBe('2');
  expect(costAt('2026-06-02T00:00:00.000Z')).toBe('3');
  // A zone that moves its clocks moves no window: they are of UTC.
  expect(costAt('2026-10-25T02:30:00.000+02:00')).toBe('3');
  expect(costAt('2026-10-25T06:59:59.999+01:00')).toBe('3');
  expect(costAt('2026-10-25T07:00:00.000+01:00')).toBe('2');
});
