import { bench, describe } from 'vitest';
import { Money } from '@tollkeeper/kernel';
import { affordableOutputTokens, boundUsd } from './bound.js';
import { chargeFor, usdBudgetFor } from './charge.js';
import { priceUsage } from './cost.js';
import { gpt4o, publish, rulesAndPolicy, sonnet45 } from './price-book.fixture.js';
import { PriceBook } from './price-book.js';
import { compilePriceVersion } from './price-version.js';

/** On the path of every completion; `mean` is in milliseconds, the aim 0.005 each. */
describe('price arithmetic', () => {
  const at = new Date('2026-06-01T00:00:00.000Z');
  const plain = compilePriceVersion(gpt4o);
  const tiered = compilePriceVersion(sonnet45);
  const conditional = compilePriceVersion({
    ...gpt4o,
    rates: gpt4o.rates.filter(({ meter }) => meter !== 'cache_read'),
    factors: [
      { region: 'us', factor: '1.1' },
      { serviceTier: 'fast', factor: '6' },
    ],
    fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0.1' }],
  });
  const where = { region: 'us', serviceTier: 'fast' };
  const credit = { usdPerCredit: new Money('0.01'), decimals: 4 };
  const parts = [{ costUsd: new Money('0.0123475'), multiplier: new Money('1.5') }];
  const bounds = { inputTokens: 1200, outputTokens: 8192, choices: 1, at };
  const book = new PriceBook();
  for (const event of [publish(gpt4o), publish(sonnet45), ...rulesAndPolicy]) book.apply(event);

  bench('priceUsage, two meters', () => {
    priceUsage(plain, { input: 1200, output: 345 }, { at });
  });
  bench('priceUsage, five meters and a context tier', () => {
    const pools = {
      input: 150_000,
      cache_read: 60_000,
      cache_write: 100,
      output: 345,
      reasoning: 9,
    };
    priceUsage(tiered, pools, { at });
  });
  bench('priceUsage, two meters, a region, a tier and a ratio', () => {
    priceUsage(conditional, { input: 1200, cache_read: 345 }, { at, ...where });
  });
  bench('boundUsd of a region and a tier', () => {
    boundUsd(conditional, { ...bounds, ...where });
  });
  bench('boundUsd', () => {
    boundUsd(plain, bounds);
  });
  bench('affordableOutputTokens, less than asked', () => {
    affordableOutputTokens(plain, bounds, new Money('0.01'));
  });
  bench('chargeFor', () => {
    chargeFor(parts, credit);
  });
  bench('usdBudgetFor', () => {
    usdBudgetFor(new Money('12.3456'), new Money('1.5'), credit);
  });
  bench('priceAt', () => {
    book.priceAt({ provider: 'openai', model: 'gpt-4o' }, at);
  });
  bench('priceAt by alias', () => {
    book.priceAt({ provider: 'openai', model: 'gpt-4o-2024-11-20' }, at);
  });
  bench('multiplierFor, by default', () => {
    book.multiplierFor({ provider: 'openai', model: 'gpt-4o', tier: 'partner' }, at);
  });
  bench('multiplierFor, by tier', () => {
    book.multiplierFor({ provider: 'openai', model: 'gpt-4o', tier: 'pro' }, at);
  });
});
