import { zero, type Money } from '@tollkeeper/kernel';
import type { PricedLine, UsagePools } from '@tollkeeper/events';
import { callMeter, isInputMeter, plainMeterOf } from './meter.js';
import { anywhereAt, cardsAt, type PriceVersion } from './price-version.js';
import { stepAt, type RateCard } from './rate-card.js';
import {
  noFlags,
  serviceTierOf,
  standardTier,
  withFlags,
  type PricingFlag,
  type Rate,
} from './rate.js';

/** A stored amount has at most 30 decimals; one that does not terminate there is rounded half-even. */
export const storedPlacesMax = 30;

export const toStoredPlaces = (amount: Money): Money =>
  amount.decimalPlaces() > storedPlacesMax ? amount.toDecimalPlaces(storedPlacesMax) : amount;

/** Usage that the version has no rate for: unknown is never zero. */
export interface UnpricedMeter {
  readonly refused: 'unpriced-meter';
  readonly meter: string;
}

export interface PricedUsage {
  /** Enough to compute `costUsd` again. */
  readonly lines: PricedLine[];
  readonly costUsd: Money;
  readonly flags: readonly PricingFlag[];
}

export interface PricingConditions {
  /** As the vendor's answer names it. */
  readonly serviceTier?: string | undefined;
  /** Where the vendor ran the call, as its price list names it; undefined: anywhere. */
  readonly region?: string | undefined;
  /** When the request began: picks the time-of-day window. */
  readonly at: Date;
}

const tierUnpriced: readonly PricingFlag[] = ['service-tier-unpriced'];
const regionUnpriced: readonly PricingFlag[] = ['region-unpriced'];

const totalInputTokens = (pools: UsagePools): number => {
  let total = 0;
  for (const meter of Object.keys(pools)) if (isInputMeter(meter)) total += pools[meter] ?? 0;
  return total;
};

/** The answered tier's and region's; what the version names nowhere is priced as standard and anywhere. */
const cardFor = (version: PriceVersion, conditions: PricingConditions): RateCard => {
  const { serviceTier, region, at } = conditions;
  const cards = cardsAt(version, region, at) ?? anywhereAt(version, at);
  return cards.byServiceTier.get(serviceTierOf(serviceTier)) ?? cards.standard;
};

/** What the card of these conditions stands for without being it. */
const cardFlags = (
  version: PriceVersion,
  { serviceTier, region, at }: PricingConditions,
): readonly PricingFlag[] => {
  if (serviceTier === undefined && region === undefined) return noFlags;
  const cards = cardsAt(version, region, at);
  const tier = serviceTierOf(serviceTier);
  const isPriced =
    tier === standardTier || (cards ?? anywhereAt(version, at)).byServiceTier.has(tier);
  return withFlags(isPriced ? noFlags : tierUnpriced, cards ? noFlags : regionUnpriced);
};

const ratesAt = (card: RateCard, pools: UsagePools): ReadonlyMap<string, Rate> =>
  card.length === 1 ? card[0].rates : stepAt(card, totalInputTokens(pools)).rates;

const rateFor = (rates: ReadonlyMap<string, Rate>, meter: string): Rate | undefined => {
  const own = rates.get(meter);
  if (own) return own;
  const plain = plainMeterOf(meter);
  return plain === undefined ? undefined : rates.get(plain);
};

/**
 * The rate that prices each meter of usage like this; undefined for a meter without one. For whoever prices very many
 * usages and keeps what it has made of a rate.
 */
export const ratesFor = (
  version: PriceVersion,
  pools: UsagePools,
  conditions: PricingConditions,
): ((meter: string) => Rate | undefined) => {
  const rates = ratesAt(cardFor(version, conditions), pools);
  return (meter) => rateFor(rates, meter);
};

/** Whole units only; throws RangeError. */
const quantityOf = (pools: UsagePools, meter: string): number => {
  const quantity = pools[meter] ?? 0;
  if (!Number.isSafeInteger(quantity) || quantity < 0) {
    throw new RangeError(`not a quantity of ${meter}: ${String(quantity)}`);
  }
  return quantity;
};

/** US dollars for so many units, before any rounding to stored places. */
export const unitsUsd = (rate: Rate, quantity: number): Money =>
  rate.exact
    ? rate.unitUsd.times(quantity)
    : rate.rateAmountUsd.times(quantity).div(rate.perAmount);

interface Bill {
  readonly lines: PricedLine[];
  costUsd: Money;
  flags: readonly PricingFlag[];
}

const addLine = (bill: Bill, rate: Rate, meter: string, quantity: number): void => {
  bill.lines.push({
    meter,
    quantity: String(quantity),
    unit: rate.unit,
    per: rate.per,
    rateUsd: rate.rateUsd,
  });
  bill.costUsd = bill.costUsd.plus(unitsUsd(rate, quantity));
  if (rate.flags.length > 0) bill.flags = withFlags(bill.flags, rate.flags);
};

/**
 * What the vendor bills for one call's exclusive pools: Σ quantity × rate ÷ per.
 *
 * A context tier prices the whole request by its total input. A meter without a rate is priced by its
 * fallback meter, or refused; a quantity of zero needs no rate.
 */
export const priceUsage = (
  version: PriceVersion,
  pools: UsagePools,
  conditions: PricingConditions,
): PricedUsage | UnpricedMeter => {
  const rates = ratesAt(cardFor(version, conditions), pools);
  const bill: Bill = { lines: [], costUsd: zero, flags: cardFlags(version, conditions) };
  for (const meter of Object.keys(pools)) {
    const quantity = quantityOf(pools, meter);
    if (quantity === 0) continue;
    const rate = rateFor(rates, meter);
    if (!rate) return { refused: 'unpriced-meter', meter };
    addLine(bill, rate, meter, quantity);
  }
  const perCall = rates.get(callMeter);
  if (perCall && pools[callMeter] === undefined) addLine(bill, perCall, callMeter, 1);
  bill.costUsd = toStoredPlaces(bill.costUsd);
  return bill;
};

export const isUnpriced = (result: Money | PricedUsage | UnpricedMeter): result is UnpricedMeter =>
  'refused' in result;
