import { expect, test } from 'vitest';
import { rerateRange, simulate } from './pricing-simulation.js';

const from = '2026-06-01T12:00:00Z';

test.each([
  [{ days: 7 }, true],
  [{ days: 7, to: from }, true],
  [{ from }, true],
  [{ from, to: '2026-06-01T12:00:00.001Z' }, true],
  [{ from, to: '2026-06-01T14:00:00+01:00' }, true],
  [{ from, to: '2026-06-01T13:00:00+02:00' }, false],
  [{ from, to: from }, false],
  [{ from, days: 7 }, false],
  [{ to: from }, false],
  [{}, false],
])('a range of %j: %s', (range, isRange) => {
  expect(simulate.safeParse(range).success).toBe(isRange);
  const order = { priceVersion: 'openai:gpt-4o@2', reason: 'why', ...range };
  expect(rerateRange.safeParse(order).success).toBe(isRange);
});
