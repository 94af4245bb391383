import { describe, expect, it } from 'vitest';

import { publishable, rateText } from './vendor-prices.js';

const price = {
  provider: 'acme',
  model: 'm',
  rates: [{ meter: 'input', rate: '0.000000125', per: '1' }],
  source: { name: 'list' },
};

describe('a file with a price', () => {
  it('has its reason within, or it is given beside', () => {
    expect(publishable({ ...price, reason: 'new' }, undefined).reason).toBe('new');
    expect(publishable({ ...price, reason: 'new' }, 'newer').reason).toBe('newer');
    expect(publishable(price, 'new').price).toMatchObject({
      rates: [{ rate: '0.000000125', per: '1', unit: 'token' }],
    });
  });

  it.each<[string, unknown, string]>([
    ['no reason', price, 'reason: '],
    ['a list', [price], 'holds no price'],
    ['a text', 'price', 'holds no price'],
    ['nothing', null, 'holds no price'],
    [
      'an amount that went through a double',
      { ...price, reason: 'r', rates: [{ meter: 'input', rate: 1e-7 }] },
      'price.rates.0.rate: ',
    ],
    ['a misspelt field', { ...price, reason: 'r', effectivefrom: 'x' }, 'price/effectivefrom: '],
    [
      'a misspelt condition',
      { ...price, reason: 'r', rates: [{ meter: 'input', rate: '1', teir: 'flex' }] },
      'price/rates/0/teir: ',
    ],
  ])('is refused with %s', (_what, document, message) => {
    expect(() => publishable(document, undefined)).toThrow(message);
  });
});

describe('a rate on a screen', () => {
  const input = { meter: 'input', unit: 'token', per: '1000000', rateUsd: '2.5' };

  it.each([
    [input, 'input 2.5'],
    [{ ...input, meter: 'request', unit: 'request', per: '1' }, 'request 2.5/1 request'],
    [{ ...input, serviceTier: 'batch', region: 'us' }, 'input 2.5 (batch, us)'],
    [{ ...input, inputTokensOver: 0 }, 'input 2.5 (over 0)'],
    [{ ...input, window: { from: '22:00', to: '06:00' } }, 'input 2.5 (22:00-06:00)'],
  ])('of %j is %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });
});
