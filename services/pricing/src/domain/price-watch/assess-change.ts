import {
  tiers,
  type AlertSeverity,
  type MultiplierScope,
  type PriceBookEventOf,
  type RateChange,
  type Tier,
} from '@tollkeeper/events';
import { ceilTo, formatMoney, Money, parseMoney, zero } from '@tollkeeper/kernel';
import { isInputMeter, isOutputMeter, type ModelName, type PriceBook } from '@tollkeeper/pricing';
import type { PriceChange } from './compare-price.js';
import { EffectiveRates, type Conditions, type PricedRates } from './effective-rates.js';

/** What a tier pays on top of the vendor's price, and what of it the operator wants to keep. */
export interface TierTerms {
  readonly tier: Tier;
  readonly multiplier: Money;
  /** The least share of a charge that is to be margin. */
  readonly target: Money;
}

type AlertFacts = PriceBookEventOf<'PriceAlertRaised'>['data'];

export interface Assessment {
  readonly severity: AlertSeverity;
  readonly margins: AlertFacts['margins'];
  readonly recommended?: NonNullable<AlertFacts['recommended']>;
}

/** The call that a change is weighed by: three tokens read for one written, as price comparisons blend them. */
const referenceTokens = { input: 3, output: 1 } as const;
/** A margin that falls by more than this part of itself is a warning. */
const marginFallMax = '0.1';
const shareDecimals = 6;
const multiplierDecimals = 4;
const one = new Money(1);

/** The multipliers and targets of a model at a moment; `targetOf` answers where no admin has set one. */
export const tierTermsAt = (
  book: Pick<PriceBook, 'multiplierFor' | 'settingAt'>,
  name: ModelName,
  at: Date,
  targetOf: (tier: Tier) => string = () => '0',
): TierTerms[] =>
  tiers.flatMap((tier) => {
    const rule = book.multiplierFor({ ...name, tier }, at);
    if (!rule) return [];
    const target = book.settingAt(`margin_target_${tier}`, at) ?? targetOf(tier);
    return [{ tier, multiplier: rule.multiplier, target: parseMoney(target) }];
  });

interface Quantity {
  readonly meter: string;
  readonly units: number;
}

/** The reference call in which the changed meter stands for the tokens of its side; one unit of anything else. */
const referenceCallOf = (meter: string): readonly Quantity[] => {
  const read = isInputMeter(meter) ? meter : 'input';
  const written = isOutputMeter(meter) ? meter : 'output';
  if (read !== meter && written !== meter) return [{ meter, units: 1 }];
  return [
    { meter: read, units: referenceTokens.input },
    { meter: written, units: referenceTokens.output },
  ];
};

interface Costs {
  readonly before: Money;
  readonly after: Money;
}

/** Usage that either side leaves unpriced is left out: it is refused, and costs nothing. */
const costsOf = (
  call: readonly Quantity[],
  conditions: Conditions,
  sides: readonly [EffectiveRates, EffectiveRates],
): Costs => {
  let [before, after] = [zero, zero];
  for (const { meter, units } of call) {
    const [from, to] = [sides[0].at(meter, conditions), sides[1].at(meter, conditions)];
    if (from?.unit !== to?.unit || !from || !to) continue;
    before = before.plus(from.unitUsd.times(units));
    after = after.plus(to.unitUsd.times(units));
  }
  return { before, after };
};

/** The cost of the reference call that the change hurts most, as a multiple of what it was; undefined: it was free. */
const worstRatio = (
  changes: readonly RateChange[],
  sides: readonly [EffectiveRates, EffectiveRates],
): Money | undefined => {
  let worst: Money | undefined;
  for (const change of changes) {
    const { before, after } = costsOf(referenceCallOf(change.meter), change, sides);
    if (before.isZero()) {
      if (after.isZero()) continue;
      return undefined;
    }
    const ratio = after.div(before);
    if (!worst || ratio.gt(worst)) worst = ratio;
  }
  return worst ?? one;
};

interface TierMargin {
  readonly terms: TierTerms;
  readonly before: Money;
  readonly after: Money;
}

/** A price that was free: nothing is charged for it, so all that the vendor bills is lost. */
const marginAfter = (multiplier: Money, ratio: Money | undefined): Money =>
  ratio ? one.minus(ratio.div(multiplier)) : one.negated();

const isCritical = ({ terms, before, after }: TierMargin): boolean =>
  after.lt(before) && (after.isNegative() || after.lt(terms.target));

const isWarning = ({ before, after }: TierMargin): boolean =>
  before.minus(after).gt(before.abs().times(marginFallMax));

const severityOf = (margins: readonly TierMargin[], change: PriceChange): AlertSeverity => {
  if (margins.some(isCritical)) return 'critical';
  return change.losesPrice || margins.some(isWarning) ? 'warning' : 'info';
};

/** The tier that misses its target by most, and the least multiplier that meets it; none meets a target of 1. */
const recommendedFor = (
  { provider, model }: ModelName,
  terms: readonly TierTerms[],
): Assessment['recommended'] => {
  let worst:
    | { readonly scope: MultiplierScope; readonly lack: Money; readonly multiplier: Money }
    | undefined;
  for (const { tier, multiplier, target } of terms) {
    if (target.gte(1)) continue;
    const least = ceilTo(one.div(one.minus(target)), multiplierDecimals);
    const lack = least.minus(multiplier);
    if (lack.lte(0) || (worst && lack.lte(worst.lack))) continue;
    worst = { scope: { provider, model, tier }, lack, multiplier: least };
  }
  return worst && { scope: worst.scope, multiplier: formatMoney(worst.multiplier) };
};

const shareText = (share: Money): string => formatMoney(share.toDecimalPlaces(shareDecimals));

/**
 * What a changed vendor price does to the margins of each tier, at the multipliers and targets of one moment.
 *
 * A charge is cost × multiplier at the price of the book, so once the new price is published the margin, as a share
 * of the charge, is 1 − 1 ÷ multiplier again, whatever the price. The loss lies in the time before that:
 *
 * - `before` is that margin: 1 − 1 ÷ multiplier.
 * - `after` is the margin until the new price is published: the vendor bills the new price, the customer is charged
 *   for the old one: 1 − (new cost ÷ old cost) ÷ multiplier. The costs are those of a reference call of three input
 *   tokens for one output token, under the conditions of the changed rate (its service tier, context step, region),
 *   where the changed meter stands for its side's tokens; one unit of anything that is not tokens. Of several changes
 *   the one that hurts most counts. −1 where the old price was zero.
 * - `severity`: critical where a tier's `after` is below zero or below its target and below `before`; warning where it
 *   falls by more than a tenth of `before`, or usage would lose its price; info otherwise, as for everything that
 *   becomes cheaper.
 * - `recommended`: what to propose together with publishing. A multiplier in force keeps its margin by itself, while
 *   the customers' bills follow the vendor's; so there is one only where a tier's multiplier misses its margin target
 *   even then: 1 ÷ (1 − target), rounded up to 4 decimals, for the tier that misses it by most.
 *
 * A multiplier of zero has no margin: such a tier is left out.
 */
export const assessChange = (
  current: PricedRates,
  candidate: PricedRates & ModelName,
  change: PriceChange,
  terms: readonly TierTerms[],
): Assessment => {
  const sides = [new EffectiveRates(current), new EffectiveRates(candidate)] as const;
  const charging = terms.filter(({ multiplier }) => multiplier.gt(0));
  const ratio = worstRatio(change.changes, sides);
  const margins = charging.map((each) => ({
    terms: each,
    before: one.minus(one.div(each.multiplier)),
    after: marginAfter(each.multiplier, ratio),
  }));
  const recommended = recommendedFor(candidate, charging);
  return {
    severity: severityOf(margins, change),
    margins: margins.map(({ terms: { tier, multiplier, target }, before, after }) => ({
      tier,
      multiplier: formatMoney(multiplier),
      before: shareText(before),
      after: shareText(after),
      ...(target.isZero() ? {} : { target: formatMoney(target) }),
    })),
    ...(recommended ? { recommended } : {}),
  };
};
