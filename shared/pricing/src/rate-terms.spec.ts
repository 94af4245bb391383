import { describe, expect, test } from 'vitest';
import { formatMoney } from '@tollkeeper/kernel';
import type { UsagePools, VendorPricePublished, VendorRate } from '@tollkeeper/events';
import { isUnpriced, priceUsage, type PricedUsage } from './cost.js';
import { perMillion, price } from './price-book.fixture.js';
import { compilePriceVersion } from './price-version.js';
import { CorruptPriceBookError } from './rate.js';
import { lineCostUsd } from './recompute.js';

const at = new Date('2026-06-01T12:00:00.000Z');
const million = 1_000_000;

interface Where {
  readonly serviceTier?: string;
  readonly region?: string;
}

const priced = (data: VendorPricePublished, pools: UsagePools, where: Where): PricedUsage => {
  const result = priceUsage(compilePriceVersion(data), pools, { at, ...where });
  if (isUnpriced(result)) throw new Error(`refused: ${result.meter}`);
  return result;
};

const inRegion = (region: string, rate: VendorRate): VendorRate => ({ ...rate, region });
const onTier = (serviceTier: string, rate: VendorRate): VendorRate => ({ ...rate, serviceTier });
const io = (input: string, output: string): VendorRate[] => [
  perMillion('input', input),
  perMillion('output', output),
];

type Case = [string, VendorPricePublished, UsagePools, Where, string, string[]];

const check = (cases: Case[]): void => {
  test.each(cases)('%s', (_, data, pools, where, costUsd, flags) => {
    const found = priced(data, pools, where);
    expect(formatMoney(found.costUsd)).toBe(costUsd);
    expect(found.flags).toEqual(flags);
    const [line] = found.lines;
    if (found.lines.length === 1 && line) expect(lineCostUsd(line)).toEqual(found.costUsd);
  });
};

describe('a region', () => {
  const regional = price([
    ...io('2', '8'),
    inRegion('us', perMillion('input', '3')),
    onTier('flex', perMillion('input', '1')),
    onTier('flex', inRegion('eu', perMillion('input', '1.5'))),
  ]);
  const flex = { serviceTier: 'flex' };
  const tierUnpriced = ['service-tier-unpriced'];

  check([
    ['prices by its own rate', regional, { input: million }, { region: 'us' }, '3', []],
    ['is spelled in any case', regional, { input: million }, { region: 'US' }, '3', []],
    [
      'takes the rate of anywhere for the rest',
      regional,
      { output: million },
      { region: 'us' },
      '8',
      [],
    ],
    ['is none by default', regional, { input: million }, {}, '2', []],
    ['is none where it is global', regional, { input: million }, { region: 'global' }, '2', []],
    ['is none where it is empty', regional, { input: million }, { region: '' }, '2', []],
    [
      'that the price names nowhere is anywhere, and flagged',
      regional,
      { input: million },
      { region: 'moon' },
      '2',
      ['region-unpriced'],
    ],
    [
      'comes after the tier: the tier’s rate of anywhere',
      regional,
      { input: million },
      { region: 'us', ...flex },
      '1',
      [],
    ],
    ['has a tier of its own', regional, { input: million }, { region: 'eu', ...flex }, '1.5', []],
    [
      'gives the standard rate of the region where the tier has none',
      regional,
      { output: million },
      { region: 'us', ...flex },
      '8',
      tierUnpriced,
    ],
    [
      'and a tier that are both unknown are both flagged',
      regional,
      { input: million },
      { region: 'moon', serviceTier: 'priority' },
      '2',
      ['service-tier-unpriced', 'region-unpriced'],
    ],
  ]);
});

describe('a factor', () => {
  const factored = price([...io('5', '25'), onTier('batch', perMillion('input', '2.5'))], {
    factors: [
      { region: 'us', factor: '1.1' },
      { serviceTier: 'fast', factor: '6' },
      { serviceTier: 'priority', meters: ['input'], factor: '2' },
    ],
  });
  const us = { region: 'us' };
  const fast = { serviceTier: 'fast' };

  check([
    ['does not hold elsewhere', factored, { input: million }, {}, '5', []],
    ['multiplies every meter', factored, { input: million, output: million }, us, '33', []],
    ['prices a tier without rates', factored, { input: million }, fast, '30', []],
    ['multiplies with another', factored, { input: million }, { ...us, ...fast }, '33', []],
    [
      'reaches the rates of a tier',
      factored,
      { input: million },
      { ...us, serviceTier: 'batch' },
      '2.75',
      [],
    ],
    ['reaches meters that another’s rate prices', factored, { reasoning: million }, us, '27.5', []],
    [
      'reaches modalities that another’s rate prices',
      factored,
      { input_audio: million },
      us,
      '5.5',
      [],
    ],
    [
      'for some meters prices those',
      factored,
      { input: million },
      { serviceTier: 'priority' },
      '10',
      [],
    ],
    [
      'for some meters leaves the others standard, and flagged',
      factored,
      { output: million },
      { serviceTier: 'priority' },
      '25',
      ['service-tier-unpriced'],
    ],
    [
      'is in the rate already that is listed for its region',
      price([...io('5', '25'), inRegion('us', perMillion('input', '5.5'))], {
        factors: [{ region: 'us', factor: '1.1' }],
      }),
      { input: million, output: million },
      us,
      '33',
      [],
    ],
    [
      'for a tier in a region holds in both alone',
      price(io('5', '25'), { factors: [{ region: 'us', serviceTier: 'fast', factor: '7' }] }),
      { input: million },
      fast,
      '5',
      ['service-tier-unpriced'],
    ],
    [
      'without a condition always holds',
      price(io('5', '25'), { factors: [{ factor: '1.2' }] }),
      { input: million },
      {},
      '6',
      [],
    ],
    [
      'for a meter without a rate multiplies the rate in its place',
      price(io('5', '25'), { factors: [{ meters: ['input_audio'], factor: '3' }] }),
      { input: million, input_audio: million },
      {},
      '20',
      [],
    ],
    [
      'for a meter reaches what that meter’s rate prices',
      price(io('5', '25'), { factors: [{ meters: ['output'], factor: '2' }] }),
      { reasoning: million, output_image: million, cache_write: million },
      {},
      '105',
      [],
    ],
    [
      'for the standard tier holds for it',
      price(io('5', '25'), { factors: [{ serviceTier: 'standard', factor: '2' }] }),
      { input: million },
      {},
      '10',
      [],
    ],
    [
      'for the standard tier holds for no other',
      price([...io('5', '25'), onTier('flex', perMillion('input', '3'))], {
        factors: [{ serviceTier: 'default', factor: '2' }],
      }),
      { input: million },
      { serviceTier: 'flex' },
      '3',
      [],
    ],
    [
      'multiplies every context tier',
      price([...io('5', '25'), { ...perMillion('input', '10'), inputTokensOver: 200_000 }], {
        factors: [{ region: 'us', factor: '1.1' }],
      }),
      { input: million },
      us,
      '11',
      [],
    ],
  ]);

  test('shows the effective rate in the line, so that the event explains itself', () => {
    const [line] = priced(factored, { input: 7 }, { ...us, ...fast }).lines;
    expect(line).toMatchObject({ rateUsd: '33', per: '1000000', quantity: '7' });
  });

  test('is exact where the product has more decimals than an event: by more units', () => {
    const tiny = `0.${'0'.repeat(29)}7`;
    const data = price([{ meter: 'input', unit: 'token', per: '1', rateUsd: tiny }], {
      factors: [{ region: 'us', factor: '1.13' }],
    });
    const { lines, costUsd } = priced(data, { input: 10 * million }, us);
    expect(lines).toEqual([
      {
        meter: 'input',
        quantity: '10000000',
        unit: 'token',
        per: '100',
        rateUsd: `0.${'0'.repeat(27)}791`,
      },
    ]);
    expect(formatMoney(costUsd)).toBe('0.0000000000000000000000791');
  });

  test.each([
    ['zero', { factors: [{ factor: '0' }] }],
    ['below zero', { factors: [{ factor: '-1' }] }],
    ['a ratio of zero', { fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0' }] }],
    [
      'of more digits than a price can hold',
      {
        factors: [{ factor: `1.${'3'.repeat(30)}` }, { factor: `1.${'7'.repeat(30)}` }],
      },
    ],
  ])('throws where it is %s', (_, more) => {
    expect(() => compilePriceVersion(price(io('5', '25'), more))).toThrow(CorruptPriceBookError);
  });
});

describe('a ratio', () => {
  const claude = (rates: VendorRate[], more: Partial<VendorPricePublished> = {}) =>
    price(rates, { provider: 'anthropic', model: 'claude', ...more });
  const gemini = price(io('2', '12'), { provider: 'google', model: 'gemini' });
  const ratio = (meter: string): string[] => [`ratio-fallback:${meter}`];
  const own = { fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0.2' }] };

  check([
    [
      'of Anthropic’s cache reads',
      claude(io('3', '15')),
      { cache_read: million },
      {},
      '0.3',
      ratio('cache_read'),
    ],
    [
      'of its cache writes',
      claude(io('3', '15')),
      { cache_write: million },
      {},
      '3.75',
      ratio('cache_write'),
    ],
    [
      'of its writes for an hour',
      claude(io('3', '15')),
      { cache_write_1h: million },
      {},
      '6',
      ratio('cache_write_1h'),
    ],
    [
      'of its writes for an hour, also where shorter ones are listed',
      claude([...io('3', '15'), perMillion('cache_write', '3.75')]),
      { cache_write_1h: million },
      {},
      '6',
      ratio('cache_write_1h'),
    ],
    ['of Google’s cache reads', gemini, { cache_read: million }, {}, '0.1', ratio('cache_read')],
    [
      'of Google’s cached audio',
      gemini,
      { cache_read_audio: million },
      {},
      '0.1',
      ratio('cache_read'),
    ],
    ['of nobody’s cache writes at Google', gemini, { cache_write: million }, {}, '2', []],
    ['of no other vendor', price(io('2', '12')), { cache_read: million }, {}, '2', []],
    [
      'gives way to a listed rate',
      claude([...io('3', '15'), perMillion('cache_read', '0.4')]),
      { cache_read: million },
      {},
      '0.4',
      [],
    ],
    [
      'gives way to the version’s own',
      claude(io('3', '15'), own),
      { cache_read: million },
      {},
      '0.6',
      ratio('cache_read'),
    ],
    [
      'is any vendor’s that the version says',
      price(io('3', '15'), own),
      { cache_read: million },
      {},
      '0.6',
      ratio('cache_read'),
    ],
    [
      'is of the tier’s own rate',
      claude([...io('3', '15'), onTier('batch', perMillion('input', '1.5'))]),
      { cache_read: million },
      { serviceTier: 'batch' },
      '0.15',
      ratio('cache_read'),
    ],
    [
      'is of the rate with its factors',
      claude(io('3', '15'), { factors: [{ region: 'us', factor: '1.1' }] }),
      { cache_read: million },
      { region: 'us' },
      '0.33',
      ratio('cache_read'),
    ],
    [
      'is of the standard rate where the tier has none, and both are flagged',
      claude([...io('3', '15'), onTier('batch', perMillion('output', '7.5'))]),
      { cache_read: million },
      { serviceTier: 'batch' },
      '0.3',
      ['service-tier-unpriced', ...ratio('cache_read')],
    ],
    [
      'is flagged once a meter',
      claude(io('3', '15')),
      { input: 1, cache_read: million, cache_read_text: million },
      {},
      '0.600003',
      ratio('cache_read'),
    ],
  ]);

  test('prices any meter, also one that no text is billed by', () => {
    const data = price(io('2', '12'), {
      fallbacks: [{ meter: 'citation', of: 'output', ratio: '0.5' }],
    });
    const found = priced(data, { citation: million }, {});
    expect(formatMoney(found.costUsd)).toBe('6');
    expect(found.flags).toEqual(['ratio-fallback:citation']);
  });

  test('of a meter without a rate prices nothing', () => {
    const data = price([perMillion('output', '1')], {
      fallbacks: [
        { meter: 'cache_read', of: 'input', ratio: '0.5' },
        { meter: 'input', of: 'cache_read', ratio: '2' },
      ],
    });
    const refused = priceUsage(compilePriceVersion(data), { input: 1 }, { at });
    expect(refused).toEqual({ refused: 'unpriced-meter', meter: 'input' });
  });
});
