import { describe, expect, it } from 'vitest';
import type { VendorRate } from '@tollkeeper/events';
import { comparePrice, type PriceChange } from './compare-price.js';
import type { PricedRates } from './effective-rates.js';

const rate = (meter: string, rateUsd: string, more: Partial<VendorRate> = {}): VendorRate => ({
  meter,
  unit: 'token',
  per: '1000000',
  rateUsd,
  ...more,
});
const batch = { serviceTier: 'batch' };
const long = { inputTokensOver: 200_000 };
const night = { window: { from: '16:30', to: '00:30' } };
const us = { region: 'us' };

const plain: PricedRates = { rates: [rate('input', '2.5'), rate('output', '10')] };

const changed = (current: PricedRates, candidate: PricedRates): PriceChange => {
  const compared = comparePrice(current, candidate);
  if (typeof compared === 'string') throw new Error(`not a change: ${compared}`);
  return compared;
};

/** `input batch 2.5→1.25`. */
const said = ({ changes }: PriceChange): string[] =>
  changes.map((change) =>
    [
      change.meter,
      change.serviceTier,
      change.inputTokensOver === undefined ? undefined : `>${String(change.inputTokensOver)}`,
      change.window && `${change.window.from}-${change.window.to}`,
      change.region,
      `${change.fromUsd ?? '-'}→${change.toUsd ?? '-'}`,
    ]
      .filter((part) => part !== undefined)
      .join(' '),
  );

describe('comparePrice', () => {
  it('calls a price new where the book has none', () => {
    expect(comparePrice(undefined, plain)).toBe('new');
  });

  it('prices what a list leaves out as a call is priced, by its provider’s published ratio', () => {
    const listed = { ...plain, provider: 'anthropic' };
    const cached = rate('cache_read', '0.25');
    const other = rate('cache_read', '0.3');
    expect(comparePrice({ ...listed, rates: [...plain.rates, cached] }, listed)).toBe('unchanged');
    const dearer = changed(listed, { ...listed, rates: [...plain.rates, other] });
    expect(dearer).toMatchObject({ costChange: '0.2', costFall: '0', losesPrice: false });
  });

  it('leaves a factor out of a rate that is listed for its region', () => {
    const factors = [{ region: 'us', factor: '1.1' }];
    const rates = [...plain.rates, rate('input', '2.75', us)];
    expect(comparePrice({ ...plain, factors }, { rates, factors })).toBe('unchanged');
  });

  it.each<[string, PricedRates, PricedRates]>([
    ['the same rates', plain, { rates: [...plain.rates] }],
    ['another order', plain, { rates: [rate('output', '10'), rate('input', '2.5')] }],
    [
      'the same rate for another number of tokens',
      plain,
      { rates: [rate('input', '0.0025', { per: '1000' }), rate('output', '10.0')] },
    ],
    [
      'a service tier at the standard rate',
      plain,
      { rates: [...plain.rates, rate('input', '2.5', batch)] },
    ],
    [
      'the standard tier by its name',
      plain,
      { rates: plain.rates.map((each) => ({ ...each, serviceTier: 'default' })) },
    ],
    [
      'a rate that was a ratio',
      { ...plain, fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0.1' }] },
      { rates: [...plain.rates, rate('cache_read', '0.25')] },
    ],
    [
      'rates that were a factor',
      { ...plain, factors: [{ region: 'us', factor: '1.1' }] },
      { rates: [...plain.rates, rate('input', '2.75', us), rate('output', '11', us)] },
    ],
    [
      'a step of the context one token lower',
      { rates: [...plain.rates, rate('input', '5', { inputTokensOver: 271_999 })] },
      { rates: [...plain.rates, rate('input', '5', { inputTokensOver: 272_000 })] },
    ],
    [
      'reasoning at the rate of output',
      plain,
      { rates: [...plain.rates, rate('reasoning', '10')] },
    ],
    [
      'the same factor written otherwise',
      { ...plain, factors: [{ region: 'us', meters: ['input', 'output'], factor: '1.10' }] },
      { ...plain, factors: [{ region: 'us', meters: ['output', 'input'], factor: '1.1' }] },
    ],
  ])('finds no change in %s', (_what, current, candidate) => {
    expect(comparePrice(current, candidate)).toBe('unchanged');
    expect(comparePrice(candidate, current)).toBe('unchanged');
  });

  it.each<[string, PricedRates, PricedRates, string[], string, string]>([
    [
      'a rise',
      plain,
      { rates: [rate('input', '3'), rate('output', '10')] },
      ['input 2.5→3'],
      '0.2',
      '0',
    ],
    [
      'a fall',
      plain,
      { rates: [rate('input', '2'), rate('output', '10')] },
      ['input 2.5→2'],
      '-0.2',
      '0.2',
    ],
    [
      'the greatest of a rise and a fall',
      plain,
      { rates: [rate('input', '2'), rate('output', '11')] },
      ['input 2.5→2', 'output 10→11'],
      '0.1',
      '0.2',
    ],
    [
      'a service tier that cost the standard rate',
      plain,
      { rates: [...plain.rates, rate('input', '1.25', batch)] },
      ['input batch 2.5→1.25'],
      '-0.5',
      '0.5',
    ],
    [
      'a service tier that is no longer listed',
      { rates: [...plain.rates, rate('output', '5', batch)] },
      plain,
      ['output batch 5→10'],
      '1',
      '0',
    ],
    [
      'a context step',
      plain,
      { rates: [...plain.rates, rate('input', '5', long)] },
      ['input >200000 2.5→5'],
      '1',
      '0',
    ],
    [
      'a time of day',
      { rates: [...plain.rates, rate('output', '5', night)] },
      { rates: [...plain.rates, rate('output', '6', night)] },
      ['output 16:30-00:30 5→6'],
      '0.2',
      '0',
    ],
    [
      'a factor',
      { ...plain, factors: [{ serviceTier: 'fast', factor: '6' }] },
      { ...plain, factors: [{ serviceTier: 'fast', factor: '3' }] },
      ['input fast 15→7.5', 'output fast 60→30'],
      '-0.5',
      '0.5',
    ],
    [
      'a factor for some meters of a region',
      plain,
      { ...plain, factors: [{ region: 'eu', meters: ['input'], factor: '1.1' }] },
      ['input eu 2.5→2.75'],
      '0.1',
      '0',
    ],
    [
      'a ratio',
      { ...plain, fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0.1' }] },
      { ...plain, fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0.2' }] },
      ['cache_read 0.25→0.5'],
      '1',
      '0',
    ],
    [
      'a meter that had no price, as no rise',
      plain,
      { rates: [...plain.rates, rate('page', '1')] },
      ['page -→1'],
      '0',
      '0',
    ],
    [
      'a rise from nothing',
      { rates: [rate('input', '0'), rate('output', '10')] },
      plain,
      ['input 0→2.5'],
      '1000000',
      '0',
    ],
    [
      'a fall to nothing',
      plain,
      { rates: [rate('input', '0'), rate('output', '10')] },
      ['input 2.5→0'],
      '-1',
      '1',
    ],
  ])('says %s', (_what, current, candidate, changes, rise, fall) => {
    const change = changed(current, candidate);
    expect(said(change)).toEqual(changes);
    expect([change.costChange, change.costFall, change.losesPrice]).toEqual([rise, fall, false]);
  });

  it.each<[string, PricedRates, PricedRates, string[]]>([
    [
      'is left out',
      { rates: [...plain.rates, rate('page', '1', { unit: 'page', per: '1' })] },
      plain,
      ['page 1→-'],
    ],
    [
      'is priced by another unit',
      plain,
      { rates: [rate('input', '1', { unit: 'character' }), rate('output', '10')] },
      ['input 2.5→-', 'input -→1'],
    ],
  ])('says that usage loses its price where a meter %s', (_how, current, candidate, changes) => {
    const change = changed(current, candidate);
    expect(change.losesPrice).toBe(true);
    expect(said(change)).toEqual(changes);
  });
});
