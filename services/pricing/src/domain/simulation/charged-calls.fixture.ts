import type { ChargedCall } from '@tollkeeper/contracts';
import type { PriceBookEvent, UsagePools, VendorPricePublished } from '@tollkeeper/events';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import {
  chargeFor,
  creditTermsEvent,
  defaultCreditTerms,
  defaultMultipliers,
  isUnpriced,
  multiplierEvents,
  PriceBook,
  priceUsage,
} from '@tollkeeper/pricing';
import fc from 'fast-check';

/** Calls as the ledger would have charged them, by the arithmetic that it uses. */

export const version = (
  provider: string,
  model: string,
  ratesUsd: Readonly<Record<string, string>>,
  more: Partial<VendorPricePublished> = {},
): VendorPricePublished => ({
  priceVersion: `${provider}:${model}@1`,
  provider,
  model,
  effectiveFrom: '2020-01-01T00:00:00.000Z',
  rates: Object.entries(ratesUsd).map(([meter, rateUsd]) => ({
    meter,
    unit: 'token',
    per: '1000000',
    rateUsd,
  })),
  source: { name: 'spec' },
  ...more,
});

const versions = [
  version('openai', 'gpt-4o', { input: '2.5', cache_read: '1.25', output: '10' }),
  version('openai', 'gpt-4o-mini', { input: '0.15', output: '0.6' }),
  version('anthropic', 'claude', { input: '3', cache_read: '0.3', output: '15' }),
];

export const bookOf = (...more: readonly PriceBookEvent[]): PriceBook => {
  const book = new PriceBook();
  for (const data of versions) book.apply({ type: 'VendorPricePublished', data });
  book.apply(creditTermsEvent('policy@1', defaultCreditTerms));
  for (const rule of defaultMultipliers) {
    for (const event of multiplierEvents(rule, 'spec')) book.apply(event);
  }
  for (const event of more) book.apply(event);
  return book;
};

export interface Asked {
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly pools: UsagePools;
  readonly at: Date;
}

/** One attempt, priced and charged by the book as it stands. */
export const chargedCall = (
  book: PriceBook,
  { provider, model, tier, pools, at }: Asked,
  more: Partial<ChargedCall> = {},
): ChargedCall => {
  const price = book.priceAt({ provider, model }, at);
  const rule = book.multiplierFor({ provider, model, tier }, at);
  const policy = book.policyAt(at);
  if (!price || !rule || !policy) throw new Error('not priced');
  const priced = priceUsage(price, pools, { at });
  if (isUnpriced(priced)) throw new Error(`no rate for ${priced.meter}`);
  const charge = chargeFor([{ costUsd: priced.costUsd, multiplier: rule.multiplier }], policy);
  return {
    accountId: 'acc_1',
    reservationId: 'r_1',
    userId: 'usr_1',
    tier,
    requestedAt: at.toISOString(),
    usdPerCredit: formatMoney(policy.usdPerCredit),
    vendorCostUsd: formatMoney(charge.vendorCostUsd),
    chargeCredits: formatMoney(charge.chargeCredits),
    refundedCredits: '0',
    attempts: [
      {
        provider,
        model,
        billed: true,
        provenance: 'exact',
        priceVersion: price.id,
        costUsd: formatMoney(priced.costUsd),
        multiplier: formatMoney(rule.multiplier),
        multiplierRule: rule.ruleId,
        multiplierLevel: rule.level,
        lines: priced.lines.map(({ meter, quantity }) => [meter, quantity]),
      },
    ],
    ...more,
  };
};

const count = fc.integer({ min: 0, max: 2_000_000 });

export const anyAsked: fc.Arbitrary<Asked> = fc.record({
  provider: fc.constant('openai'),
  model: fc.constantFrom('gpt-4o', 'gpt-4o-mini'),
  tier: fc.constantFrom('free', 'pro', 'enterprise', 'enterprise_max'),
  pools: fc.record({ input: count, output: count }),
  at: fc
    .date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true })
    .map((at) => new Date(Math.floor(at.getTime()))),
});

/** What a call is charged at a multiplier and price, by decimals. */
export const chargedAt = (
  book: PriceBook,
  { provider, model, pools, at }: Asked,
  multiplier: string,
): { readonly costUsd: string; readonly chargeCredits: string } => {
  const price = book.priceAt({ provider, model }, at);
  const policy = book.policyAt(at);
  if (!price || !policy) throw new Error('not priced');
  const priced = priceUsage(price, pools, { at });
  if (isUnpriced(priced)) throw new Error(`no rate for ${priced.meter}`);
  const parts = [{ costUsd: priced.costUsd, multiplier: parseMoney(multiplier) }];
  return {
    costUsd: formatMoney(priced.costUsd),
    chargeCredits: formatMoney(chargeFor(parts, policy).chargeCredits),
  };
};
