import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import type { VendorPriceBody } from '@tollkeeper/contracts';
import { batchBytesMax, batchesOf, batchPricesMax } from './import-batches.js';

const price = (
  model: string,
  notes = '',
  effectiveFrom = '2026-01-01T00:00:00Z',
): VendorPriceBody => ({
  provider: 'acme',
  model,
  effectiveFrom,
  rates: [{ meter: 'input', rate: '1' }],
  source: { name: 'spec' },
  notes,
});

it('makes no batch of nothing', () => {
  expect(batchesOf([])).toEqual([]);
});

it('keeps the versions of a model together, however far apart they stand', () => {
  const many = Array.from({ length: 199 }, (_, place) => price(`m${String(place)}`));
  const history = ['2024', '2025', '2026'].map((year) =>
    price('o3', '', `${year}-01-01T00:00:00Z`),
  );
  const [first, ...others] = history;
  const batches = batchesOf([...(first ? [first] : []), ...many, ...others]);
  expect(batches.map(({ length }) => length)).toEqual([200, 2]);
  expect(batches[0]?.slice(0, 3)).toEqual(history);
});

test('every price travels once, within the limits of a message', () => {
  const prices = fc.array(
    fc.record({
      model: fc.integer({ min: 0, max: 400 }),
      size: fc.integer({ min: 0, max: 20_000 }),
    }),
    { maxLength: 500 },
  );
  fc.assert(
    fc.property(prices, (drawn) => {
      const all = drawn.map(({ model, size }) => price(`m${String(model)}`, 'x'.repeat(size)));
      const batches = batchesOf(all);
      const key = (each: VendorPriceBody): string => JSON.stringify(each);
      expect(batches.flat().map(key).sort()).toEqual(all.map(key).sort());
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(batchPricesMax);
        expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThanOrEqual(batchBytesMax);
      }
    }),
    { numRuns: 30 },
  );
});
