import { formatMoney, type Money } from '@tollkeeper/kernel';
import type { MultiplierLevel, PricedLine, UsagePools } from '@tollkeeper/events';
import { boundUsd, type CallBounds } from './bound.js';
import { chargeFor, creditsToUsd } from './charge.js';
import { isUnpriced, priceUsage } from './cost.js';
import { costedLine, type CostedLine } from './explain.js';
import { marginGuardAt, mayChargeBelowCost } from './margin-guard.js';
import type { CreditPolicy, ModelName, MultiplierRule, PriceBook } from './price-book.js';
import type { PriceVersion } from './price-version.js';

interface QuotedCall extends ModelName {
  readonly tier: string;
  readonly serviceTier?: string | undefined;
  readonly region?: string | undefined;
}

/** Either exclusive pools, or the bounds of a call to come. */
export type QuoteQuestion = QuotedCall &
  (
    | { readonly usage: UsagePools; readonly bounds?: undefined }
    | {
        readonly usage?: undefined;
        readonly bounds: Pick<CallBounds, 'inputTokens' | 'outputTokens' | 'choices'>;
      }
  );

/** Amounts are decimal strings: US dollars in `…Usd`, credits in `…Credits`. */
export interface Quotation {
  readonly provider: string;
  readonly model: string;
  readonly priceVersion: string;
  /** One line, `bound`, where bounds were asked about. */
  readonly lines: readonly CostedLine[];
  readonly vendorCostUsd: string;
  readonly multiplier: string;
  readonly multiplierRule: string;
  readonly multiplierLevel: MultiplierLevel;
  readonly policyId: string;
  readonly usdPerCredit: string;
  readonly chargeCredits: string;
  readonly chargeUsd: string;
  /** (charge − cost) ÷ charge, to 6 decimals; absent where nothing is charged. */
  readonly margin?: string;
  readonly flags: readonly string[];
  readonly at: string;
}

/**
 * `unknown-price`: no version in force, or no rate for a meter. `no-terms`: no multiplier or credit value in force.
 * `below-cost`: the margin guard refuses it.
 */
export interface QuoteRefusal {
  readonly refused: 'unknown-price' | 'no-terms' | 'below-cost';
  readonly message: string;
}

interface Cost {
  readonly lines: readonly PricedLine[];
  readonly costUsd: Money;
  readonly flags: readonly string[];
}

const costOf = (version: PriceVersion, question: QuoteQuestion, at: Date): Cost | QuoteRefusal => {
  const { usage, bounds, serviceTier, region } = question;
  const found = usage
    ? priceUsage(version, usage, { serviceTier, region, at })
    : boundUsd(version, { ...bounds, serviceTier, region, at });
  if (isUnpriced(found)) {
    const message = `${version.id} has no rate for ${found.meter}`;
    return { refused: 'unknown-price', message };
  }
  if ('lines' in found) return found;
  const rateUsd = formatMoney(found);
  return {
    lines: [{ meter: 'bound', quantity: '1', unit: 'call', per: '1', rateUsd }],
    costUsd: found,
    flags: [],
  };
};

const quotation = (
  version: PriceVersion,
  cost: Cost,
  rule: MultiplierRule,
  policy: CreditPolicy,
  at: Date,
): Quotation => {
  const { multiplier } = rule;
  const { chargeCredits } = chargeFor([{ costUsd: cost.costUsd, multiplier }], policy);
  const chargeUsd = creditsToUsd(chargeCredits, policy);
  const belowCost = chargeUsd.lt(cost.costUsd) ? ['below-cost'] : [];
  return {
    provider: version.provider,
    model: version.model,
    priceVersion: version.id,
    lines: cost.lines.map(costedLine),
    vendorCostUsd: formatMoney(cost.costUsd),
    multiplier: formatMoney(multiplier),
    multiplierRule: rule.ruleId,
    multiplierLevel: rule.level,
    policyId: policy.id,
    usdPerCredit: formatMoney(policy.usdPerCredit),
    chargeCredits: formatMoney(chargeCredits),
    chargeUsd: formatMoney(chargeUsd),
    ...(chargeUsd.isZero() ? {} : { margin: formatMoney(marginOf(chargeUsd, cost.costUsd)) }),
    flags: [...cost.flags, ...belowCost],
    at: at.toISOString(),
  };
};

const marginPlaces = 6;

const marginOf = (chargeUsd: Money, costUsd: Money): Money =>
  chargeUsd.minus(costUsd).div(chargeUsd).toDecimalPlaces(marginPlaces);

/**
 * What a call that begins at `at` would cost and be charged, by the book as it is known now; nothing is reserved. It is
 * refused where a reserve of the same call would be.
 */
export const quote = (
  book: PriceBook,
  question: QuoteQuestion,
  at: Date,
): Quotation | QuoteRefusal => {
  const version = book.priceAt(question, at);
  if (!version) {
    const message = `no price is in force for ${question.provider}/${question.model}`;
    return { refused: 'unknown-price', message };
  }
  const { provider, model } = version;
  const rule = book.multiplierFor({ provider, model, tier: question.tier }, at);
  const policy = book.policyAt(at);
  if (!rule || !policy) {
    const message = `no ${rule ? 'credit value' : 'multiplier'} is in force at ${at.toISOString()}`;
    return { refused: 'no-terms', message };
  }
  const cost = costOf(version, question, at);
  if ('refused' in cost) return cost;
  if (mayChargeBelowCost(cost.costUsd, rule.multiplier) && marginGuardAt(book, at) === 'refuse') {
    const message = `${provider}/${model} would be charged below what the vendor bills`;
    return { refused: 'below-cost', message };
  }
  return quotation(version, cost, rule, policy, at);
};
