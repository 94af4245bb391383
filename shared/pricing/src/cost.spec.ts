import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMoney } from '@tollkeeper/kernel';
import type { UsagePools, VendorRate } from '@tollkeeper/events';
import { isUnpriced, priceUsage, type PricedUsage } from './cost.js';
import { gpt4o, perMillion, price, sonnet45 } from './price-book.fixture.js';
import { compilePriceVersion } from './price-version.js';
import { CorruptPriceBookError } from './rate.js';

const noon = new Date('2026-06-01T12:00:00.000Z');

const priced = (
  data: typeof gpt4o,
  pools: UsagePools,
  conditions: { serviceTier?: string; at?: Date } = {},
): PricedUsage => {
  const result = priceUsage(compilePriceVersion(data), pools, { at: noon, ...conditions });
  if (isUnpriced(result)) throw new Error(`refused: ${result.meter}`);
  return result;
};

const costOf = (...args: Parameters<typeof priced>): string => formatMoney(priced(...args).costUsd);

const refusedMeter = (data: typeof gpt4o, pools: UsagePools): string | undefined => {
  const result = priceUsage(compilePriceVersion(data), pools, { at: noon });
  return isUnpriced(result) ? result.meter : undefined;
};

const onTier = (serviceTier: string, rate: VendorRate): VendorRate => ({ ...rate, serviceTier });
const during = (from: string, to: string, rate: VendorRate): VendorRate => ({
  ...rate,
  window: { from, to },
});

describe('priceUsage', () => {
  test.each<[string, typeof gpt4o, UsagePools, string]>([
    ['a plain call', gpt4o, { input: 1000, output: 500 }, '0.0075'],
    ['one token', gpt4o, { input: 1 }, '0.0000025'],
    ['no token', gpt4o, { input: 0, output: 0 }, '0'],
    ['no pool', gpt4o, {}, '0'],
    ['ten million tokens', gpt4o, { input: 10_000_000, output: 10_000_000 }, '125'],
    ['cached input at its own rate', gpt4o, { cache_read: 1000 }, '0.00125'],
    [
      'a rate of 13 decimals a token',
      price([perMillion('input', '0.00013')]),
      { input: 7 },
      '0.00000000091',
    ],
    ['reasoning as output', gpt4o, { reasoning: 100, output: 100 }, '0.002'],
    ['a cache write as input', gpt4o, { cache_write: 1000 }, '0.0025'],
    ['a cache write of an hour as input', gpt4o, { cache_write_1h: 1000 }, '0.0025'],
    [
      'a cache write of an hour as a cache write',
      price([perMillion('input', '3'), perMillion('cache_write', '3.75')]),
      { cache_write_1h: 1000 },
      '0.00375',
    ],
    ['a cache read as input', price([perMillion('input', '3')]), { cache_read: 1000 }, '0.003'],
    ['audio in as input', gpt4o, { input_audio: 1000 }, '0.0025'],
    ['cached audio as a cache read', gpt4o, { cache_read_audio: 1000 }, '0.00125'],
    ['an image out as output', gpt4o, { output_image: 1000 }, '0.01'],
    [
      'audio at its own rate',
      price([perMillion('input', '0.3'), perMillion('input_audio', '1')]),
      { input: 1000, input_audio: 1000 },
      '0.0013',
    ],
    [
      'searches by the thousand',
      price([{ meter: 'web_search', unit: 'search', per: '1000', rateUsd: '10' }]),
      { web_search: 3 },
      '0.03',
    ],
    [
      'seconds by the hour, rounded at 30 places',
      price([{ meter: 'seconds', unit: 'second', per: '3600', rateUsd: '0.4' }]),
      { seconds: 7 },
      '0.000777777777777777777777777778',
    ],
    [
      'a tie at 30 places to the even digit, as recomputing it from its line does',
      price([{ meter: 'sixths', unit: 'sixth', per: '6', rateUsd: `0.${'0'.repeat(29)}1` }]),
      { sixths: 3 },
      '0',
    ],
    [
      'a whole hour exactly, although a second does not terminate',
      price([{ meter: 'seconds', unit: 'second', per: '3600', rateUsd: '0.4' }]),
      { seconds: 3600 },
      '0.4',
    ],
    [
      'a call once, although the usage does not name it',
      price([
        perMillion('input', '1'),
        { meter: 'request', unit: 'call', per: '1000', rateUsd: '5' },
      ]),
      { input: 1000 },
      '0.006',
    ],
    [
      'calls as often as the usage says',
      price([{ meter: 'request', unit: 'call', per: '1000', rateUsd: '5' }]),
      { request: 2 },
      '0.01',
    ],
    [
      'a free model at zero',
      price([perMillion('input', '0'), perMillion('output', '0')]),
      { input: 9 },
      '0',
    ],
  ])('prices %s', (_, data, pools, costUsd) => {
    expect(costOf(data, pools)).toBe(costUsd);
  });

  test.each<[string, UsagePools, string]>([
    ['at the threshold', { input: 200_000 }, '0.6'],
    ['one above it, the whole request', { input: 200_001 }, '1.200006'],
    [
      'at the threshold by total input',
      { input: 100_000, cache_read: 99_999, cache_write: 1 },
      '0.33000345',
    ],
    ['above it by cached input', { input: 100_000, cache_read: 100_001 }, '0.6600006'],
    ['above it by a cache write of an hour', { cache_write_1h: 200_001 }, '2.400012'],
    ['above it by audio', { input: 100_000, input_audio: 100_001 }, '1.200006'],
    ['output at the higher rate too', { input: 200_001, output: 1000 }, '1.222506'],
    ['whatever the output', { input: 1, output: 300_000 }, '4.500003'],
  ])('takes a context tier %s', (_, pools, costUsd) => {
    expect(costOf(sonnet45, pools)).toBe(costUsd);
  });

  test('gives lines from which the cost is computed again', () => {
    expect(priced(gpt4o, { input: 1000, cache_read: 200, output: 30, reasoning: 0 })).toMatchObject(
      {
        lines: [
          { meter: 'input', quantity: '1000', unit: 'token', per: '1000000', rateUsd: '2.5' },
          { meter: 'cache_read', quantity: '200', unit: 'token', per: '1000000', rateUsd: '1.25' },
          { meter: 'output', quantity: '30', unit: 'token', per: '1000000', rateUsd: '10' },
        ],
        flags: [],
      },
    );
  });

  test.each<[string, typeof gpt4o, UsagePools, string]>([
    ['a meter that nobody prices', gpt4o, { input: 1, web_search: 1 }, 'web_search'],
    [
      'output where only input has a rate',
      price([perMillion('input', '1')]),
      { output: 1 },
      'output',
    ],
    [
      'reasoning without an output rate',
      price([perMillion('input', '1')]),
      { reasoning: 1 },
      'reasoning',
    ],
    ['citations', gpt4o, { citation: 1 }, 'citation'],
    ['a name of the prototype', gpt4o, { constructor: 1 }, 'constructor'],
  ])('refuses %s', (_, data, pools, meter) => {
    expect(refusedMeter(data, pools)).toBe(meter);
  });

  test('needs no rate for a quantity of zero', () => {
    expect(costOf(gpt4o, { web_search: 0, input: 1000 })).toBe('0.0025');
  });

  test.each([-1, 0.5, NaN, Infinity, 2 ** 53])('throws for a quantity of %d', (quantity) => {
    expect(() => priced(gpt4o, { input: quantity })).toThrow(RangeError);
  });
});

describe('a service tier', () => {
  const tiered = price([
    perMillion('input', '2'),
    perMillion('cache_read', '0.5'),
    perMillion('output', '8'),
    onTier('flex', perMillion('input', '1')),
    onTier('flex', perMillion('output', '4')),
  ]);

  test.each<[string | undefined, UsagePools, string, string[]]>([
    [undefined, { input: 1000, output: 1000 }, '0.01', []],
    ['', { input: 1000, output: 1000 }, '0.01', []],
    ['default', { input: 1000, output: 1000 }, '0.01', []],
    ['standard', { input: 1000, output: 1000 }, '0.01', []],
    ['ON_DEMAND', { input: 1000, output: 1000 }, '0.01', []],
    ['flex', { input: 1000, output: 1000 }, '0.005', []],
    ['Flex', { input: 1000, reasoning: 1000 }, '0.005', []],
    ['flex', { input: 1000, cache_read: 1000 }, '0.0015', ['service-tier-unpriced']],
    ['flex', { input: 1000, cache_write: 1000 }, '0.002', []],
    ['priority', { input: 1000, output: 1000 }, '0.01', ['service-tier-unpriced']],
  ])('%s prices %o', (serviceTier, pools, costUsd, flags) => {
    const found = priced(tiered, pools, serviceTier === undefined ? {} : { serviceTier });
    expect(formatMoney(found.costUsd)).toBe(costUsd);
    expect(found.flags).toEqual(flags);
  });
});

describe('a time-of-day window', () => {
  const at = (time: string): { at: Date } => ({ at: new Date(`2026-06-01T${time}Z`) });
  const day = price([perMillion('input', '1'), during('00:30', '16:30', perMillion('input', '2'))]);
  const night = price([
    perMillion('input', '2'),
    during('16:30', '00:30', perMillion('input', '1')),
  ]);
  const two = price([
    perMillion('input', '1'),
    during('01:00', '04:00', perMillion('input', '2')),
    during('06:00', '10:00', perMillion('input', '2')),
  ]);

  test.each([
    [day, '00:29:59.999', '1'],
    [day, '00:30:00.000', '2'],
    [day, '16:29:59.999', '2'],
    [day, '16:30:00.000', '1'],
    [night, '16:29:59.999', '2'],
    [night, '16:30:00.000', '1'],
    [night, '23:59:59.999', '1'],
    [night, '00:00:00.000', '1'],
    [night, '00:29:59.999', '1'],
    [night, '00:30:00.000', '2'],
    [two, '03:59:59.999', '2'],
    [two, '05:00:00.000', '1'],
    [two, '06:00:00.000', '2'],
    [two, '10:00:00.000', '1'],
  ])('%# picks the rate at %s %s', (data, time, costUsd) => {
    expect(costOf(data, { input: 1_000_000 }, at(time))).toBe(costUsd);
  });

  test('throws for a time that no clock shows', () => {
    const odd = price([during('24:00', '01:00', perMillion('input', '1'))]);
    expect(() => compilePriceVersion(odd)).toThrow(CorruptPriceBookError);
  });
});

test('throws for a negative rate and for a rate per nothing', () => {
  expect(() => compilePriceVersion(price([perMillion('input', '-1')]))).toThrow(
    CorruptPriceBookError,
  );
  expect(() => compilePriceVersion(price([{ ...perMillion('input', '1'), per: '0' }]))).toThrow(
    CorruptPriceBookError,
  );
});

test('a cost never falls when a token is added', () => {
  const count = fc.integer({ min: 0, max: 10_000_000 });
  const pools = fc.record({
    input: count,
    cache_read: count,
    cache_write: count,
    cache_write_1h: count,
    output: count,
    reasoning: count,
  });
  const meter = fc.constantFrom('input', 'cache_read', 'cache_write', 'output', 'reasoning');
  fc.assert(
    fc.property(pools, meter, fc.constantFrom(gpt4o, sonnet45), (usage, more, data) => {
      const dearer = { ...usage, [more]: usage[more as keyof typeof usage] + 1 };
      expect(priced(data, dearer).costUsd.gt(priced(data, usage).costUsd)).toBe(true);
    }),
  );
});
