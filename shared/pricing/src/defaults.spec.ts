import { describe, expect, test } from 'vitest';
import {
  creditTermsEvent,
  defaultCreditTerms,
  defaultMultipliers,
  markup15,
  multiplierEvents,
  usdCredits,
  wholeCredits,
  type CreditTerms,
  type DefaultMultiplier,
} from './defaults.js';
import { price, publish } from './price-book.fixture.js';
import { PriceBook } from './price-book.js';
import { quote } from './quote.js';

const at = new Date('2026-06-01T12:00:00.000Z');

/** A model that costs a dollar a million tokens, charged under these terms. */
const charged = (
  microUsd: number,
  tier: string,
  multipliers: readonly DefaultMultiplier[],
  terms: CreditTerms,
) => {
  const book = new PriceBook();
  const rate = { meter: 'input', unit: 'token', per: '1000000', rateUsd: '1' };
  book.apply(publish(price([rate])));
  book.apply(creditTermsEvent('terms@1', terms));
  for (const rule of multipliers) {
    for (const event of multiplierEvents(rule, 'spec')) book.apply(event);
  }
  const question = { provider: 'openai', model: 'gpt-4o', tier, usage: { input: microUsd } };
  const found = quote(book, question, at);
  if ('refused' in found) throw new Error(found.message);
  return found;
};

describe('the presets', () => {
  test.each([
    ['ten cents at markup-15, in dollars', 100_000, markup15, usdCredits, '0.115', '0.115'],
    ['ten cents at markup-15, in cents', 100_000, markup15, defaultCreditTerms, '11.5', '0.115'],
    ['ten cents at markup-15, in whole credits', 100_000, markup15, wholeCredits, '12', '0.12'],
    ['a cent of charge exactly, in whole credits', 10_000, [], wholeCredits, '1', '0.01'],
    ['the least above it, in whole credits', 10_001, [], wholeCredits, '2', '0.02'],
    ['the least of all, in whole credits', 1, markup15, wholeCredits, '1', '0.01'],
    ['nothing, in whole credits', 0, markup15, wholeCredits, '0', '0'],
    ['the least of all, in dollars', 1, markup15, usdCredits, '0.000002', '0.000002'],
  ])('charge %s', (_, microUsd, multipliers, terms, chargeCredits, chargeUsd) => {
    const atCost = [{ scope: {}, multiplier: '1' }];
    const rules = multipliers.length > 0 ? multipliers : atCost;
    expect(charged(microUsd, 'pro', rules, terms)).toMatchObject({ chargeCredits, chargeUsd });
  });
});

test.each([
  ['free', '2', '0.5'],
  ['pro', '1.5', '0.333333'],
  ['enterprise', '1.2', '0.166667'],
  ['enterprise_max', '1.05', '0.047619'],
])('the default of tier %s is %s: a margin of %s', (tier, multiplier, margin) => {
  expect(charged(10_000_000, tier, defaultMultipliers, defaultCreditTerms)).toMatchObject({
    multiplier,
    margin,
    multiplierLevel: 'tier',
  });
});

test('a tier that nobody named is charged at the default rule', () => {
  const found = charged(1_000_000, 'partner', defaultMultipliers, defaultCreditTerms);
  expect(found).toMatchObject({ multiplier: '1.5', multiplierLevel: 'default' });
});
