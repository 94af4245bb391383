import { beforeAll, describe, expect, it } from 'vitest';
import { vendorPriceBody } from '@tollkeeper/contracts';
import { genaiPriceImport } from './genai-price-import.js';
import { source } from './genai-prices.js';
import type { PriceImport } from './price-import.js';

describe('the pinned package as an import', () => {
  let table: PriceImport;
  beforeAll(async () => {
    table = await genaiPriceImport();
  });
  const versionsOf = (provider: string, model: string) =>
    table.prices.filter((price) => price.provider === provider && price.model === model);

  it('has every dated version of a model', () => {
    const [first, second] = versionsOf('openai', 'o3');
    expect([first?.effectiveFrom, second?.effectiveFrom]).toEqual([
      '2020-01-01T00:00:00.000Z',
      '2025-06-10T00:00:00.000Z',
    ]);
    const inputOf = (price = first) => price?.rates.find(({ meter }) => meter === 'input')?.rate;
    expect([inputOf(first), inputOf(second)]).toEqual(['10', '2']);
  });

  it('leaves the date of an undated price to whoever imports it', () => {
    const [price, ...others] = versionsOf('openai', 'gpt-4o');
    expect(others).toEqual([]);
    expect(price).toMatchObject({ source });
    expect(price).not.toHaveProperty('effectiveFrom');
  });

  it('knows free from unknown by the name', () => {
    const free = table.prices.filter(({ rates }) => rates.every(({ rate }) => rate === '0'));
    expect(free.length).toBeGreaterThan(0);
    for (const { model } of free) expect(model).toMatch(/free$/);
    expect(table.unpriced.length).toBeGreaterThan(0);
  });

  it('offers nothing that a message would be refused for', () => {
    expect(table.inexpressible).toEqual([]);
    for (const price of table.prices) expect(vendorPriceBody.safeParse(price).success).toBe(true);
  });
});
