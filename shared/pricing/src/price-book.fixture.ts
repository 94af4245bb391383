import type { PriceBookEvent, VendorPricePublished, VendorRate } from '@tollkeeper/events';

/** Prices and rules for specs: rates as vendors list them, per million tokens. */

export const perMillion = (meter: string, rateUsd: string): VendorRate => ({
  meter,
  unit: 'token',
  per: '1000000',
  rateUsd,
});

export const price = (
  rates: VendorRate[],
  more: Partial<VendorPricePublished> = {},
): VendorPricePublished => ({
  priceVersion: 'openai:gpt-4o@1',
  provider: 'openai',
  model: 'gpt-4o',
  effectiveFrom: '2020-01-01T00:00:00.000Z',
  rates,
  source: { name: 'spec' },
  ...more,
});

export const gpt4o = price(
  [perMillion('input', '2.5'), perMillion('cache_read', '1.25'), perMillion('output', '10')],
  { aliases: ['gpt-4o-2024-11-20'], outputTokensMax: 16_384 },
);

const over200k = (rate: VendorRate): VendorRate => ({ ...rate, inputTokensOver: 200_000 });

export const sonnet45 = price(
  [
    perMillion('input', '3'),
    perMillion('cache_read', '0.3'),
    perMillion('cache_write', '3.75'),
    perMillion('cache_write_1h', '6'),
    perMillion('output', '15'),
    over200k(perMillion('input', '6')),
    over200k(perMillion('cache_read', '0.6')),
    over200k(perMillion('cache_write', '7.5')),
    over200k(perMillion('cache_write_1h', '12')),
    over200k(perMillion('output', '22.5')),
  ],
  {
    priceVersion: 'anthropic:claude-sonnet-4-5@1',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
  },
);

export const publish = (data: VendorPricePublished): PriceBookEvent => ({
  type: 'VendorPricePublished',
  data,
});

type Proposed = Extract<PriceBookEvent, { type: 'MultiplierProposed' }>['data'];

export const propose = (
  ruleId: string,
  scope: Proposed['scope'],
  multiplier: string,
  effectiveFrom = '2020-01-01T00:00:00.000Z',
): PriceBookEvent => ({
  type: 'MultiplierProposed',
  data: { ruleId, scope, multiplier, effectiveFrom, reason: 'spec' },
});

export const approve = (ruleId: string): PriceBookEvent => ({
  type: 'MultiplierApproved',
  data: { ruleId },
});

export const policySet = (
  policyId: string,
  usdPerCredit: string,
  decimals: number,
  effectiveFrom = '2020-01-01T00:00:00.000Z',
): PriceBookEvent => ({
  type: 'CreditPolicySet',
  data: { policyId, usdPerCredit, decimals, rounding: 'ceil', effectiveFrom },
});

/** The default markup, the four tiers' and one credit at one cent with four decimals. */
export const rulesAndPolicy: readonly PriceBookEvent[] = [
  propose('default@1', {}, '1.5'),
  approve('default@1'),
  propose('free@1', { tier: 'free' }, '2'),
  approve('free@1'),
  propose('pro@1', { tier: 'pro' }, '1.5'),
  approve('pro@1'),
  propose('enterprise@1', { tier: 'enterprise' }, '1.2'),
  approve('enterprise@1'),
  propose('enterprise_max@1', { tier: 'enterprise_max' }, '1.05'),
  approve('enterprise_max@1'),
  policySet('policy@1', '0.01', 4),
];
