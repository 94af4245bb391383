import { describe, expect, test } from 'vitest';
import type { VendorRate } from '@tollkeeper/events';
import { priceFault, quarantineReason } from './sanity-gate.js';

const rate = (meter: string, rateUsd: string, more: Partial<VendorRate> = {}): VendorRate => ({
  meter,
  unit: 'token',
  per: '1000000',
  rateUsd,
  ...more,
});

const flex = { serviceTier: 'flex' };
const long = { inputTokensOver: 200_000 };
const search = { unit: 'search', per: '1000' };

describe('quarantineReason', () => {
  test.each<[string, VendorRate[]]>([
    ['a chat model', [rate('input', '2.5'), rate('cache_read', '1.25'), rate('output', '10')]],
    ['an embedding model', [rate('input', '0.02')]],
    ['the dearest model known', [rate('input', '150'), rate('output', '600')]],
    ['exactly a thousand dollars a million', [rate('input', '100'), rate('output', '1000')]],
    ['the cheapest rate known', [rate('input', '0.00013'), rate('output', '0.00013')]],
    ['twelve significant digits', [rate('input', '0.123456789012'), rate('output', '1')]],
    ['input free, output not', [rate('input', '0'), rate('output', '1')]],
    ['output at a tenth of input', [rate('input', '1'), rate('output', '0.1')]],
    [
      'a meter twice under other conditions',
      [rate('input', '1'), rate('input', '2', long), rate('input', '0.5', flex)],
    ],
    ['searches', [rate('web_search', '10', search)]],
    [
      'tokens for nothing where a query is billed',
      [
        rate('input', '0'),
        rate('output', '0'),
        rate('query', '0.002', { unit: 'query', per: '1' }),
      ],
    ],
    ['one meter in two regions', [rate('input', '1'), rate('input', '2', { region: 'eu' })]],
  ])('lets %s pass', (_, rates) => {
    expect(quarantineReason(rates)).toBeUndefined();
  });

  test.each<[string, VendorRate[], string]>([
    ['no rates', [], 'no rates'],
    ['a negative rate', [rate('input', '-1')], 'negative'],
    ['a rate per nothing', [rate('input', '1', { per: '0' })], 'negative'],
    ['an exponent', [rate('input', '1e-7')], 'not decimal text'],
    ['zero for all there is', [rate('input', '0')], 'zero for everything'],
    [
      'zero and zero beside a price for searches',
      [rate('input', '0'), rate('output', '0'), rate('web_search', '10', search)],
      'free or unknown',
    ],
    [
      'a character for a dollar',
      [rate('input_character', '1', { unit: 'character', per: '1' })],
      'implausibly dear',
    ],
    ['zero and zero', [rate('input', '0'), rate('output', '0')], 'free or unknown'],
    [
      'zero and zero on one tier',
      [
        rate('input', '1'),
        rate('output', '2'),
        rate('input', '0', flex),
        rate('output', '0', flex),
      ],
      'free or unknown',
    ],
    [
      'a slip of the decimal point',
      [rate('input', '135000'), rate('output', '540000')],
      'implausibly dear: input',
    ],
    [
      'a rate per token for one per million',
      [rate('input', '0.135', { per: '1' })],
      'implausibly dear',
    ],
    ['a search for a fortune', [rate('web_search', '200000', search)], 'implausibly dear'],
    ['binary noise', [rate('input', '0.45003000000000007')], 'noise'],
    ['a repeating value', [rate('input', '0.08333333333333334')], 'noise'],
    [
      'output below a tenth of input',
      [rate('input', '10'), rate('output', '0.99')],
      'cheaper than a tenth',
    ],
    ['one meter twice', [rate('input', '1'), rate('input', '2')], 'twice: input 2'],
  ])('refuses %s, saying why', (_, rates, reason) => {
    expect(quarantineReason(rates)).toContain(reason);
  });
});

describe('priceFault', () => {
  const zeros = [rate('input', '0'), rate('output', '0')];
  test.each<[string, VendorRate[], boolean]>([
    ['google/gemma:free', zeros, true],
    ['qwen3-coder-free', zeros, true],
    ['openrouter/free', zeros, true],
    ['Llama-Turbo-Free', zeros, true],
    ['freedom', zeros, false],
    ['carefree', zeros, false],
    ['gemma', zeros, false],
    ['gemma:free', [], false],
    ['gemma:free', [rate('input', '135000'), rate('output', '540000')], false],
    ['gemma:free', [rate('input', '1'), rate('output', '2')], true],
  ])('of %s at these rates', (model, rates, isFine) => {
    expect(priceFault(model, rates) === undefined).toBe(isFine);
  });
});
