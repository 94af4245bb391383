import { readFile } from 'node:fs/promises';
import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { UsagePools, VendorPricePublished } from '@tollkeeper/events';
import {
  compilePriceVersion,
  isUnpriced,
  priceUsage,
  type PriceVersion,
} from '@tollkeeper/pricing';
import { quarantineReason } from '@tollkeeper/price-table';
import { makeSeed, seedText, type Seed } from './make-seed.js';
import { readSeedInput } from './seed-input.js';
import { vendorPrices } from './vendor-prices.js';

const prices = vendorPrices();

describe('the committed vendor prices', () => {
  let seed: Seed;
  beforeAll(async () => {
    seed = makeSeed(await readSeedInput());
  });

  test('are exactly what the generator makes of the pinned price table', async () => {
    const committed = await readFile(new URL('./vendor-prices.json', import.meta.url), 'utf8');
    // Otherwise: npm run generate-seed -w services/pricing
    expect(committed).toBe(seedText(seed.prices));
  });

  test('hold the chat models of five vendors', () => {
    const modelsOf = (vendor: string): number =>
      new Set(prices.filter(({ provider }) => provider === vendor).map(({ model }) => model)).size;
    expect(modelsOf('openai')).toBeGreaterThanOrEqual(40);
    expect(modelsOf('anthropic')).toBeGreaterThanOrEqual(20);
    expect(modelsOf('google')).toBeGreaterThanOrEqual(30);
    expect(modelsOf('deepseek')).toBeGreaterThanOrEqual(7);
    expect(modelsOf('azure')).toBeGreaterThanOrEqual(40);
  });

  test.each([
    ['openai:gpt-4o@1', { input: '2.5', cache_read: '1.25', output: '10' }],
    ['azure:gpt-4o@1', { input: '2.5', cache_read: '1.25', output: '10' }],
    ['openai:gpt-4o-mini@1', { input: '0.15', cache_read: '0.075', output: '0.6' }],
    ['openai:o3@1', { input: '10', cache_read: '0.5', output: '40' }],
    ['openai:o3@2', { input: '2', cache_read: '0.5', output: '8' }],
    [
      'anthropic:claude-opus-4-1@1',
      { input: '15', cache_write: '18.75', cache_write_1h: '30', cache_read: '1.5', output: '75' },
    ],
  ])('price %s as its vendor does', (id, rates) => {
    const version = prices.find(({ priceVersion }) => priceVersion === id);
    const perMillion = (version?.rates ?? [])
      .filter(({ per }) => per === '1000000')
      .map(({ meter, rateUsd }) => [meter, rateUsd] as const);
    expect(Object.fromEntries(perMillion)).toEqual(rates);
  });

  test('pass the sanity gate, each of them', () => {
    expect(prices.flatMap(({ rates }) => quarantineReason(rates) ?? [])).toEqual([]);
  });

  test('leave out what the price table has no price of its vendor for', () => {
    expect(seed.quarantined).toContainEqual({
      provider: 'google',
      model: 'gemma-3',
      reason: 'no rates: free or unknown?',
    });
    expect(seed.quarantined.map(({ model }) => model)).toContain('gpt-oss-120b');
  });

  test('give each name of a vendor to one model', () => {
    const owners = new Map<string, Set<string>>();
    for (const { provider, model, aliases = [] } of prices) {
      for (const name of [model, ...aliases]) {
        const key = `${provider}:${name}`;
        owners.set(key, (owners.get(key) ?? new Set<string>()).add(model));
      }
    }
    expect([...owners].filter(([, models]) => models.size > 1)).toEqual([]);
  });
});

/** The table counts cached tokens into the input, as its vendors report them. */
const inclusive = (pools: UsagePools): Record<string, number> => {
  const of = (meter: string): number => pools[meter] ?? 0;
  return {
    input_tokens: of('input') + of('cache_read') + of('cache_write') + of('cache_write_1h'),
    cache_read_tokens: of('cache_read'),
    cache_write_tokens: of('cache_write') + of('cache_write_1h'),
    cache_write_1h_tokens: of('cache_write_1h'),
    output_tokens: of('output'),
  };
};

/** When each version is in force: its windows in the table reach back before its date, so not the day before. */
const timeIn = (version: PriceVersion, minute: number): Date =>
  new Date(Math.max(version.effectiveFromMs, Date.UTC(2020, 0, 1)) + minute * 60_000);

/** One deliberate difference; see `historyOf`. */
const windowsBeforeTheirDate = new Set([
  'deepseek:deepseek-v4-flash@1',
  'deepseek:deepseek-v4-pro@1',
]);

/** The other: cached tokens that the vendor lists no rate for are a part of its input, where the table has them whole. */
const listedOnly = ({ provider, rates }: VendorPricePublished, pools: UsagePools): UsagePools => {
  if (provider !== 'anthropic' && provider !== 'google') return pools;
  const listed = new Set(rates.map(({ meter }) => meter));
  return Object.fromEntries(
    Object.entries(pools).filter(([meter]) => !meter.startsWith('cache_') || listed.has(meter)),
  );
};

test('the arithmetic agrees with the price table itself to the digits of its doubles', () => {
  const count = fc.integer({ min: 0, max: 300_000 });
  const pools = fc.record({
    input: count,
    cache_read: count,
    cache_write: count,
    cache_write_1h: count,
    output: count,
  });
  const minute = fc.integer({ min: 0, max: 24 * 60 - 1 });
  for (const price of prices) {
    if (windowsBeforeTheirDate.has(price.priceVersion)) continue;
    const version = compilePriceVersion(price);
    fc.assert(
      fc.property(pools, minute, (counts, minuteOfDay) => {
        const usage = listedOnly(price, counts);
        const at = timeIn(version, minuteOfDay);
        const ours = priceUsage(version, usage, { at });
        if (isUnpriced(ours)) throw new Error(`${version.id} has no rate for ${ours.meter}`);
        const options = { providerId: version.provider, timestamp: at };
        const theirs = calcPrice(inclusive(usage), version.model, options)?.total_price ?? NaN;
        expect(Math.abs(ours.costUsd.toNumber() - theirs)).toBeLessThanOrEqual(theirs * 1e-12);
      }),
      { numRuns: 30 },
    );
  }
});
