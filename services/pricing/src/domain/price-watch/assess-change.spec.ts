import { describe, expect, it } from 'vitest';
import type { Tier, VendorRate } from '@tollkeeper/events';
import { Money } from '@tollkeeper/kernel';
import { defaultMultipliers, multiplierEvents, PriceBook } from '@tollkeeper/pricing';
import { assessChange, tierTermsAt, type Assessment, type TierTerms } from './assess-change.js';
import { comparePrice } from './compare-price.js';
import type { PricedRates } from './effective-rates.js';

const rate = (meter: string, rateUsd: string, more: Partial<VendorRate> = {}): VendorRate => ({
  meter,
  unit: 'token',
  per: '1000000',
  rateUsd,
  ...more,
});
const name = { provider: 'openai', model: 'gpt-4o' };
const priced = (...rates: VendorRate[]): PricedRates => ({ rates });
const plain = priced(rate('input', '2.5'), rate('output', '10'), rate('cache_read', '1.25'));

const tierOf = (tier: Tier, multiplier: string, target = '0'): TierTerms => ({
  tier,
  multiplier: new Money(multiplier),
  target: new Money(target),
});

const assess = (
  current: PricedRates,
  candidate: PricedRates,
  ...terms: TierTerms[]
): Assessment => {
  const change = comparePrice(current, candidate);
  if (typeof change === 'string') throw new Error(`not a change: ${change}`);
  return assessChange(current, { ...candidate, ...name }, change, terms);
};

describe('assessChange', () => {
  it.each<[string, PricedRates, TierTerms, string, string, string]>([
    // 3 × 2.5 + 10 = 17.5 becomes 3 × 3 + 10 = 19.
    [
      'three tokens read for one written',
      priced(rate('input', '3'), rate('output', '10'), rate('cache_read', '1.25')),
      tierOf('pro', '1.5'),
      'warning',
      '0.333333',
      '0.27619',
    ],
    [
      'a rise that a thin margin does not bear',
      priced(rate('input', '3'), rate('output', '10'), rate('cache_read', '1.25')),
      tierOf('enterprise_max', '1.05'),
      'critical',
      '0.047619',
      '-0.034014',
    ],
    // 3 × 2.55 + 10 = 17.65.
    [
      'a rise of a tenth of the margin at most',
      priced(rate('input', '2.55'), rate('output', '10'), rate('cache_read', '1.25')),
      tierOf('free', '2'),
      'info',
      '0.5',
      '0.495714',
    ],
    [
      'the same rise below the margin target',
      priced(rate('input', '2.55'), rate('output', '10'), rate('cache_read', '1.25')),
      tierOf('free', '2', '0.5'),
      'critical',
      '0.5',
      '0.495714',
    ],
    [
      'a fall, also where the target is missed as before',
      priced(rate('input', '2'), rate('output', '10'), rate('cache_read', '1.25')),
      tierOf('pro', '1.5', '0.4'),
      'info',
      '0.333333',
      '0.390476',
    ],
    // Cached reads stand for the input: 3 × 1.25 + 10 = 13.75 becomes 3 × 2.5 + 10 = 17.5.
    [
      'cached reads as a call that reads from the cache',
      priced(rate('input', '2.5'), rate('output', '10'), rate('cache_read', '2.5')),
      tierOf('pro', '1.5'),
      'warning',
      '0.333333',
      '0.151515',
    ],
    [
      'the change that hurts most, not what others save',
      priced(rate('input', '2.5'), rate('output', '1'), rate('cache_read', '5')),
      tierOf('pro', '1.5'),
      'warning',
      '0.333333',
      '0.224242',
    ],
    [
      'a meter that is no token by its unit',
      priced(...plain.rates, rate('page', '0.004', { unit: 'page', per: '1' })),
      tierOf('pro', '1.5'),
      'info',
      '0.333333',
      '0.333333',
    ],
    [
      'a long context by its own rates',
      priced(...plain.rates, rate('output', '30', { inputTokensOver: 200_000 })),
      tierOf('pro', '1.5'),
      'critical',
      '0.333333',
      '-0.428571',
    ],
  ])('weighs %s', (_what, candidate, terms, severity, before, after) => {
    const assessed = assess(plain, candidate, terms);
    expect(assessed.severity).toBe(severity);
    expect(assessed.margins).toEqual([
      {
        tier: terms.tier,
        multiplier: terms.multiplier.toString(),
        before,
        after,
        ...(terms.target.isZero() ? {} : { target: terms.target.toString() }),
      },
    ]);
  });

  it('calls a price that was free critical', () => {
    const free = priced(rate('input', '0'), rate('output', '0'));
    const assessed = assess(free, plain, tierOf('free', '2'));
    expect(assessed.severity).toBe('critical');
    expect(assessed.margins[0]?.after).toBe('-1');
  });

  it('warns where usage loses its price', () => {
    const without = priced(...plain.rates, rate('page', '1'));
    expect(assess(without, plain, tierOf('free', '2')).severity).toBe('warning');
  });

  it('leaves out a tier that is charged nothing', () => {
    const dearer = priced(rate('input', '5'), rate('output', '10'), rate('cache_read', '1.25'));
    const assessed = assess(plain, dearer, tierOf('free', '0'), tierOf('pro', '3'));
    expect(assessed.margins.map(({ tier }) => tier)).toEqual(['pro']);
  });

  const dearer = priced(rate('input', '3'), rate('output', '12'), rate('cache_read', '1.5'));
  it.each<[string, TierTerms[], Assessment['recommended']]>([
    [
      'nothing where every target is met once the price is published',
      [tierOf('pro', '1.5')],
      undefined,
    ],
    ['nothing where a target is met exactly', [tierOf('free', '2', '0.5')], undefined],
    [
      'the least multiplier that meets a target, rounded up',
      [tierOf('pro', '1.3', '0.3')],
      { scope: { ...name, tier: 'pro' }, multiplier: '1.4286' },
    ],
    [
      'the tier that misses its target by most',
      [tierOf('pro', '1.3', '0.3'), tierOf('enterprise', '1.2', '0.3'), tierOf('free', '2', '0.5')],
      { scope: { ...name, tier: 'enterprise' }, multiplier: '1.4286' },
    ],
    ['nothing for a target that no multiplier meets', [tierOf('pro', '1.5', '1')], undefined],
  ])('recommends %s', (_what, terms, recommended) => {
    expect(assess(plain, dearer, ...terms).recommended).toEqual(recommended);
  });
});

describe('tierTermsAt', () => {
  const at = new Date('2026-11-20T00:00:00.000Z');
  const book = new PriceBook();
  for (const rule of defaultMultipliers) {
    for (const event of multiplierEvents(rule, 'test')) book.apply(event);
  }
  book.apply({
    type: 'SettingChanged',
    data: {
      name: 'margin_target_pro',
      value: '0.25',
      effectiveFrom: '2026-11-01T00:00:00.000Z',
    },
  });
  const said = (terms: TierTerms[]): string[] =>
    terms.map((each) => `${each.tier} ${each.multiplier.toString()} ${each.target.toString()}`);

  it('reads each tier’s multiplier and target as they are at the moment', () => {
    const terms = ['free 2 0', 'pro 1.5 0.25', 'enterprise 1.2 0', 'enterprise_max 1.05 0'];
    expect(said(tierTermsAt(book, name, at))).toEqual(terms);
    expect(said(tierTermsAt(book, name, new Date('2026-10-01T00:00:00.000Z')))[1]).toBe(
      'pro 1.5 0',
    );
  });

  it('asks for a target that no admin has set', () => {
    expect(said(tierTermsAt(book, name, at, () => '0.1'))[0]).toBe('free 2 0.1');
  });

  it('leaves out tiers without a rule', () => {
    expect(tierTermsAt(new PriceBook(), name, at)).toEqual([]);
  });
});
