import { describe, expect, test } from 'vitest';
import type { PriceBookEvent } from '@tollkeeper/events';
import {
  approve,
  gpt4o,
  perMillion,
  price,
  propose,
  publish,
  rulesAndPolicy,
} from './price-book.fixture.js';
import { PriceBook } from './price-book.js';
import { quote, type QuoteQuestion } from './quote.js';

const at = new Date('2026-06-01T12:00:00.000Z');
const gpt = { provider: 'openai', model: 'gpt-4o', tier: 'pro' };

const bookOf = (...events: readonly PriceBookEvent[]): PriceBook => {
  const book = new PriceBook();
  for (const event of events) book.apply(event);
  return book;
};

const known = [publish(gpt4o), ...rulesAndPolicy];
const cheap = [propose('cheap@1', { model: 'gpt-4o' }, '0.8'), approve('cheap@1')];
const guard = (value: string): PriceBookEvent => ({
  type: 'SettingChanged',
  data: { name: 'margin_guard', value, effectiveFrom: '2026-01-01T00:00:00.000Z' },
});
const usage: QuoteQuestion = { ...gpt, usage: { input: 1000, output: 500 } };

describe('quote', () => {
  test('prices given pools line by line', () => {
    expect(quote(bookOf(...known), usage, at)).toEqual({
      provider: 'openai',
      model: 'gpt-4o',
      priceVersion: 'openai:gpt-4o@1',
      lines: [
        {
          meter: 'input',
          quantity: '1000',
          unit: 'token',
          per: '1000000',
          rateUsd: '2.5',
          costUsd: '0.0025',
        },
        {
          meter: 'output',
          quantity: '500',
          unit: 'token',
          per: '1000000',
          rateUsd: '10',
          costUsd: '0.005',
        },
      ],
      vendorCostUsd: '0.0075',
      multiplier: '1.5',
      multiplierRule: 'pro@1',
      multiplierLevel: 'tier',
      policyId: 'policy@1',
      usdPerCredit: '0.01',
      chargeCredits: '1.125',
      chargeUsd: '0.01125',
      margin: '0.333333',
      flags: [],
      at: '2026-06-01T12:00:00.000Z',
    });
  });

  test('prices the bound of a call to come in one line', () => {
    const bounds = { inputTokens: 1000, outputTokens: 500, choices: 2 };
    expect(quote(bookOf(...known), { ...gpt, bounds }, at)).toMatchObject({
      lines: [{ meter: 'bound', quantity: '1', unit: 'call', costUsd: '0.0125' }],
      vendorCostUsd: '0.0125',
      chargeCredits: '1.875',
    });
  });

  test('knows no margin where nothing is charged', () => {
    const found = quote(bookOf(...known), { ...gpt, usage: { input: 0 } }, at);
    expect(found).toMatchObject({ chargeCredits: '0' });
    expect(found).not.toHaveProperty('margin');
  });

  test.each<[string, readonly PriceBookEvent[], QuoteQuestion, string]>([
    ['a model without a price', rulesAndPolicy, usage, 'unknown-price'],
    [
      'a meter without a rate',
      known,
      { ...gpt, usage: { input: 1, web_search: 1 } },
      'unknown-price',
    ],
    [
      'a bound without a rate',
      [publish(price([perMillion('input', '1')])), ...rulesAndPolicy],
      { ...gpt, bounds: { inputTokens: 1, outputTokens: 1, choices: 1 } },
      'unknown-price',
    ],
    ['a book without terms', [publish(gpt4o)], usage, 'no-terms'],
    [
      'a book without a credit value',
      [publish(gpt4o), ...rulesAndPolicy.filter(({ type }) => type !== 'CreditPolicySet')],
      usage,
      'no-terms',
    ],
    ['a charge below the cost', [...known, ...cheap], usage, 'below-cost'],
    [
      'a charge below the cost, as a setting says',
      [...known, ...cheap, guard('refuse')],
      usage,
      'below-cost',
    ],
  ])('refuses %s', (_, events, question, refused) => {
    expect(quote(bookOf(...events), question, at)).toMatchObject({ refused });
  });

  test('says nothing of rates where it refuses a charge below the cost', () => {
    const refusal = quote(bookOf(...known, ...cheap), usage, at);
    expect('refused' in refusal ? refusal.message : '').not.toMatch(/\d\.\d/);
  });

  test('flags a charge below the cost where the setting says so, from its time on', () => {
    const book = bookOf(...known, ...cheap, guard('flag'));
    expect(quote(book, usage, at)).toMatchObject({
      chargeCredits: '0.6',
      margin: '-0.25',
      flags: ['below-cost'],
    });
    expect(quote(book, usage, new Date('2025-12-31T23:59:59.999Z'))).toMatchObject({
      refused: 'below-cost',
    });
  });

  test('guards nothing of a free model', () => {
    const free = publish(price([perMillion('input', '0'), perMillion('output', '0')]));
    expect(quote(bookOf(free, ...rulesAndPolicy, ...cheap), usage, at)).toMatchObject({
      chargeCredits: '0',
      flags: [],
    });
  });
});
