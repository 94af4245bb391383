import { expect, test } from 'vitest';
import { modelsReply } from '@tollkeeper/contracts';
import { compilePriceVersion } from '@tollkeeper/pricing';
import { toModelsReply } from './pricing.convert.js';
import { vendorPrices } from './seed/vendor-prices.js';

test('toModelsReply answers as the contract says, for every seeded model', () => {
  const at = new Date('2026-08-01T00:00:00.000Z');
  const reply = toModelsReply(vendorPrices().map(compilePriceVersion), at);
  expect(modelsReply.parse(reply)).toEqual(reply);
  expect(reply.models.find(({ priceVersion }) => priceVersion === 'openai:gpt-4o@1')).toEqual({
    provider: 'openai',
    model: 'gpt-4o',
    aliases: ['gpt-4o-2024-08-06', 'gpt-4o-2024-11-20'],
    priceVersion: 'openai:gpt-4o@1',
    effectiveFrom: '2020-01-01T00:00:00.000Z',
    contextTokensMax: 128_000,
    outputTokensMax: 16_384,
  });
});
