import { describe, expect, test } from 'vitest';
import type { VendorPricePublished } from '@tollkeeper/events';
import { formatMoney } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { multiplierStream, seedStreams } from './seed-streams.js';

const version = (n: number): VendorPricePublished => ({
  priceVersion: `openai:gpt-4o@${String(n)}`,
  provider: 'openai',
  model: 'gpt-4o',
  effectiveFrom: `202${String(n)}-01-01T00:00:00.000Z`,
  rates: [{ meter: 'input', unit: 'token', per: '1000000', rateUsd: '2.5' }],
  source: { name: 'spec' },
});

describe('seedStreams', () => {
  const streams = seedStreams([version(1), version(2)]);
  const book = new PriceBook();
  for (const { events } of streams) for (const event of events) book.apply(event);
  const at = new Date('2026-01-01T00:00:00.000Z');

  test('puts the versions of a model into one stream, in order', () => {
    expect(streams.at(-1)).toEqual({
      stream: 'vendorPrice-openai:gpt-4o',
      events: [
        { type: 'VendorPricePublished', data: version(1) },
        { type: 'VendorPricePublished', data: version(2) },
      ],
    });
  });

  test.each([
    ['free', '2'],
    ['pro', '1.5'],
    ['enterprise', '1.2'],
    ['enterprise_max', '1.05'],
  ])('marks up tier %s by %s', (tier, multiplier) => {
    const found = book.multiplierFor({ provider: 'openai', model: 'gpt-4o', tier }, at);
    expect(found).toMatchObject({ ruleId: `tier:${tier}@1`, level: 'tier' });
    expect(found && formatMoney(found.multiplier)).toBe(multiplier);
  });

  test('marks up by 1.5 where no tier is known', () => {
    const found = book.multiplierFor({ provider: 'x', model: 'y', tier: 'unheard-of' }, at);
    expect(found).toMatchObject({ ruleId: 'default@1', level: 'default' });
    expect(found && formatMoney(found.multiplier)).toBe('1.5');
  });

  test('makes a credit a cent with four decimals', () => {
    const policy = book.policyAt(at);
    expect(policy && formatMoney(policy.usdPerCredit)).toBe('0.01');
    expect(policy).toMatchObject({ id: 'credit-policy@1', decimals: 4, rounding: 'ceil' });
  });
});

test.each([
  [{}, 'multiplier-default'],
  [{ tier: 'pro' as const }, 'multiplier-tier:pro'],
  [{ provider: 'openai' }, 'multiplier-provider:openai'],
  [
    { provider: 'openai', model: 'gpt-4o', tier: 'pro' as const },
    'multiplier-provider:openai,model:gpt-4o,tier:pro',
  ],
])('names the stream of scope %o', (scope, stream) => {
  expect(multiplierStream(scope)).toBe(stream);
});
