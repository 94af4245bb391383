import { expect, test } from 'vitest';
import type { ImportOutcome } from '../domain/vendor-price/import-prices.js';
import { toImportReply } from './import.convert.js';

const price = {
  provider: 'openai',
  model: 'gpt-4o',
  currency: 'USD',
  rates: [],
  source: { name: 's' },
};
const change = { meter: 'm'.repeat(100), unit: 'token', per: '1', fromUsd: '1', toUsd: '2' };

const replyTo = (outcomes: readonly ImportOutcome[]) => {
  const prices = outcomes.map(() => price);
  const reply = toImportReply({ prices, dryRun: true, reason: 'why' }, outcomes);
  if (reply.status === 'refused') throw new Error(reply.message);
  return reply;
};

const changedBy = (rates: number): ImportOutcome => ({
  outcome: 'changed',
  alertId: 'alert_1',
  changes: Array.from({ length: rates }, () => change),
});

test('an import says what changes', () => {
  expect(replyTo([changedBy(1), { outcome: 'unchanged' }]).prices).toEqual([
    { provider: 'openai', model: 'gpt-4o', ...changedBy(1) },
    { provider: 'openai', model: 'gpt-4o', outcome: 'unchanged' },
  ]);
});

test('an import that changes more than a message holds names every outcome still', () => {
  const reply = replyTo(Array.from({ length: 200 }, () => changedBy(400)));
  expect(JSON.stringify(reply).length).toBeLessThan(1_000_000);
  expect(reply.prices.map(({ alertId }) => alertId)).not.toContain(undefined);
  expect(reply.prices[0]?.changes).toHaveLength(400);
});
