import { describe, expect, test } from 'vitest';
import { formatMoney } from '@tollkeeper/kernel';
import type { UsagePools, VendorRate } from '@tollkeeper/events';
import { boundUsd } from './bound.js';
import { isUnpriced, priceUsage } from './cost.js';
import { perMillion, price } from './price-book.fixture.js';
import { compilePriceVersion } from './price-version.js';

const at = new Date('2026-06-01T12:00:00.000Z');

const per = (meter: string, unit: string, count: string, rateUsd: string): VendorRate => ({
  meter,
  unit,
  per: count,
  rateUsd,
});

const costOf = (rates: VendorRate[], pools: UsagePools): string => {
  const priced = priceUsage(compilePriceVersion(price(rates)), pools, { at });
  return isUnpriced(priced) ? `unpriced ${priced.meter}` : formatMoney(priced.costUsd);
};

describe('every meter of the public price lists is priced by its unit', () => {
  test.each<[VendorRate, number, string]>([
    [perMillion('input', '2.5'), 1000, '0.0025'],
    [perMillion('output', '10'), 1000, '0.01'],
    [perMillion('cache_read', '1.25'), 1000, '0.00125'],
    [perMillion('cache_write', '3.75'), 1000, '0.00375'],
    [perMillion('cache_write_1h', '6'), 1000, '0.006'],
    [perMillion('reasoning', '3'), 1000, '0.003'],
    [perMillion('citation', '2'), 1000, '0.002'],
    [perMillion('input_audio', '40'), 1000, '0.04'],
    [perMillion('output_audio', '80'), 1000, '0.08'],
    [perMillion('cache_read_audio', '2.5'), 1000, '0.0025'],
    [perMillion('cache_write_audio', '2.5'), 1000, '0.0025'],
    [perMillion('input_image', '10'), 1000, '0.01'],
    [perMillion('output_image', '40'), 1000, '0.04'],
    [perMillion('output_video', '30'), 1000, '0.03'],
    [per('request', 'call', '1000', '5'), 3, '0.015'],
    [per('query', 'query', '1', '0.002'), 4, '0.008'],
    [per('web_search', 'search', '1000', '10'), 3, '0.03'],
    [per('web_search_low', 'search', '1', '0.03'), 3, '0.09'],
    [per('web_search_high', 'search', '1', '0.05'), 3, '0.15'],
    [per('file_search', 'search', '1000', '2.5'), 2, '0.005'],
    [per('session', 'session', '1', '0.03'), 1, '0.03'],
    [per('page', 'page', '1000', '1'), 12, '0.012'],
    [per('annotated_page', 'page', '1000', '3'), 12, '0.036'],
    [per('credit', 'credit', '1', '0.015'), 2, '0.03'],
    [per('image', 'image', '1', '0.04'), 2, '0.08'],
    [per('input_pixel', 'pixel', '1', '0.0000000019'), 1_048_576, '0.0019922944'],
    [per('output_character', 'character', '1000000', '30'), 500, '0.015'],
    [per('audio_second', 'second', '3600', '0.36'), 90, '0.009'],
    [per('output_second', 'second', '1', '0.000375'), 8, '0.003'],
    [per('output_second_1080p', 'second', '1', '0.12'), 8, '0.96'],
    [per('video_second_above_15s', 'second', '1', '0.002'), 20, '0.04'],
    [per('dbu', 'DBU', '1', '0.07'), 5, '0.35'],
  ])('%o', (rate, quantity, costUsd) => {
    expect(costOf([rate], { [rate.meter]: quantity })).toBe(costUsd);
  });
});

describe('quantities and rates at their ends', () => {
  const tiny = `0.${'0'.repeat(29)}1`;
  const great = `${'9'.repeat(29)}8`;
  test.each<[string, VendorRate, number, string]>([
    ['none', perMillion('input', '2.5'), 0, '0'],
    ['ten million tokens', perMillion('input', '2.5'), 10_000_000, '25'],
    ['eight decimals a token', per('input', 'token', '1', '0.00000015'), 7, '0.00000105'],
    [
      'thirteen decimals a token',
      per('input', 'token', '1', '0.0000000000013'),
      7,
      '0.0000000000091',
    ],
    ['the least rate', per('input', 'token', '1', tiny), 3, `0.${'0'.repeat(29)}3`],
    ['thirty digits', per('input', 'token', '1', great), 1, great],
    [
      'binary noise as it stands',
      per('input', 'token', '1', '0.00000045003000000000007'),
      10,
      '0.0000045003000000000007',
    ],
    [
      'a share of an hour to 30 decimals',
      per('audio_second', 'second', '3600', '0.1'),
      1,
      '0.000027777777777777777777777778',
    ],
  ])('%s', (_, rate, quantity, costUsd) => {
    expect(costOf([rate], { [rate.meter]: quantity })).toBe(costUsd);
  });
});

describe('a meter without a rate of its own', () => {
  const low = per('web_search_low', 'search', '1', '0.03');
  const medium = per('web_search_medium', 'search', '1', '0.035');
  test.each<[string, VendorRate[], UsagePools, string]>([
    [
      'a sized search as any',
      [per('web_search', 'search', '1', '0.01')],
      { web_search_high: 1 },
      '0.01',
    ],
    ['a search of no size as a medium one', [low, medium], { web_search: 2 }, '0.07'],
    [
      'a search of a size that is not listed',
      [low],
      { web_search_high: 1 },
      'unpriced web_search_high',
    ],
    [
      'seconds heard as seconds',
      [per('audio_second', 'second', '1', '1')],
      { input_audio_second: 2 },
      '2',
    ],
    ['an image as text', [perMillion('input', '1')], { input_image: 1000 }, '0.001'],
    [
      'an image that is counted, not tokens',
      [perMillion('input', '1')],
      { image: 1 },
      'unpriced image',
    ],
    ['a page', [perMillion('input', '1')], { page: 1 }, 'unpriced page'],
  ])('prices %s', (_, rates, pools, costUsd) => {
    expect(costOf(rates, pools)).toBe(costUsd);
  });
});

describe('a bound of what is not billed by text tokens', () => {
  const bound = (rates: VendorRate[], inputTokens: number, outputTokens: number) => {
    const usd = boundUsd(compilePriceVersion(price(rates)), {
      inputTokens,
      outputTokens,
      choices: 1,
    });
    return isUnpriced(usd) ? `unpriced ${usd.meter}` : formatMoney(usd);
  };

  test.each<[string, VendorRate[], number, number, string]>([
    ['a call alone', [per('request', 'call', '1000', '5')], 0, 0, '0.005'],
    [
      'a call beside free tokens',
      [perMillion('input', '0'), perMillion('output', '0'), per('request', 'call', '1', '0.01')],
      9,
      9,
      '0.01',
    ],
    [
      'text, where only calls have a price',
      [per('request', 'call', '1', '0.01')],
      1,
      0,
      'unpriced input',
    ],
    [
      'text, where only images have one',
      [per('image', 'image', '1', '0.04')],
      1,
      1,
      'unpriced input',
    ],
    [
      'output by the hour',
      [perMillion('input', '1'), per('output', 'token', '3600', '0.36')],
      0,
      10,
      '0.001',
    ],
  ])('%s', (_, rates, inputTokens, outputTokens, usd) => {
    expect(bound(rates, inputTokens, outputTokens)).toBe(usd);
  });
});
