import type { VendorRate } from '@tollkeeper/events';
import {
  formatMoney,
  isDecimalString,
  Money,
  parseMoney,
  type DecimalString,
} from '@tollkeeper/kernel';

/** A stored price or rule that no writer of ours would have made. */
export class CorruptPriceBookError extends Error {
  override readonly name = 'CorruptPriceBookError';
}

/**
 * `service-tier-unpriced`: the standard tier's rate stands for at least one of the answered tier. `region-unpriced`: the
 * version names the region nowhere. `ratio-fallback:<meter>`: a part of another meter's rate stands for the meter's.
 */
export type PricingFlag = 'service-tier-unpriced' | 'region-unpriced' | `ratio-fallback:${string}`;

export const noFlags: readonly PricingFlag[] = [];

/** Each flag once, in the order of their first use. */
export const withFlags = (
  flags: readonly PricingFlag[],
  more: readonly PricingFlag[],
): readonly PricingFlag[] => {
  if (more.length === 0) return flags;
  if (flags.length === 0) return more;
  const added = more.filter((flag) => !flags.includes(flag));
  return added.length === 0 ? flags : [...flags, ...added];
};

/** A rate ready for use. Texts are kept because priced lines repeat them. */
export interface Rate {
  readonly unit: string;
  readonly per: DecimalString;
  readonly rateUsd: DecimalString;
  readonly rateAmountUsd: Money;
  readonly perAmount: Money;
  /** US dollars for one unit; rounded to 60 digits unless `exact`. */
  readonly unitUsd: Money;
  readonly exact: boolean;
  /** What a charge at this rate says of itself. */
  readonly flags: readonly PricingFlag[];
}

/** A rate with the conditions under which it holds. */
export interface ConditionalRate extends Rate {
  readonly meter: string;
  readonly serviceTier: string;
  /** Undefined: anywhere. */
  readonly region: string | undefined;
  /** -1: whatever the input. */
  readonly inputTokensOver: number;
  /** Minutes of the UTC day, `to` exclusive. */
  readonly window: { readonly from: number; readonly to: number } | undefined;
}

export const standardTier = 'standard';
/** What vendors call their ordinary tier. */
const standardNames = new Set(['standard', 'default', 'auto', 'on_demand']);

export const serviceTierOf = (named: string | undefined): string => {
  if (named === undefined || named === '') return standardTier;
  const lower = named.toLowerCase();
  return standardNames.has(lower) ? standardTier : lower;
};

/** What vendors call no region in particular. */
const anywhereNames = new Set(['', 'global', 'not_available']);

/** Undefined: anywhere. */
export const regionOf = (named: string | undefined): string | undefined => {
  if (named === undefined) return undefined;
  const lower = named.toLowerCase();
  return anywhereNames.has(lower) ? undefined : lower;
};

/** Of the day, from `HH:MM`. @throws CorruptPriceBookError */
export const minuteOf = (text: string): number => {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!match) throw new CorruptPriceBookError(`not a time of day: ${text}`);
  return Number(match[1]) * 60 + Number(match[2]);
};

/**
 * A quotient that does not terminate has 60 digits, most of them decimals: one of at most 30 decimals is
 * exact, and so is its product with any quantity.
 */
const exactPlacesMax = 30;

type Amounts = Pick<Rate, 'per' | 'rateUsd' | 'rateAmountUsd' | 'perAmount' | 'unitUsd' | 'exact'>;

const amountsOf = (rateAmountUsd: Money, perAmount: Money): Amounts => {
  const unitUsd = rateAmountUsd.div(perAmount);
  return {
    per: formatMoney(perAmount),
    rateUsd: formatMoney(rateAmountUsd),
    rateAmountUsd,
    perAmount,
    unitUsd,
    exact: unitUsd.decimalPlaces() <= exactPlacesMax,
  };
};

export const parseRate = (rate: VendorRate): ConditionalRate => {
  const rateAmountUsd = parseMoney(rate.rateUsd);
  const perAmount = parseMoney(rate.per);
  if (rateAmountUsd.isNegative() || perAmount.lte(0)) {
    throw new CorruptPriceBookError(
      `not a rate: ${rate.rateUsd} USD per ${rate.per} ${rate.meter}`,
    );
  }
  return {
    meter: rate.meter,
    unit: rate.unit,
    ...amountsOf(rateAmountUsd, perAmount),
    per: rate.per,
    rateUsd: rate.rateUsd,
    flags: noFlags,
    serviceTier: serviceTierOf(rate.serviceTier),
    region: regionOf(rate.region),
    inputTokensOver: rate.inputTokensOver ?? -1,
    window: rate.window && { from: minuteOf(rate.window.from), to: minuteOf(rate.window.to) },
  };
};

/** Money has 60 digits: a product that fills them may have been rounded. */
const exactDigitsMax = 59;
const storedPlaces = 30;

/**
 * The rate × a factor, exactly, so that a charge is recomputed from its line alone. Where the product has more decimals
 * than an event can hold, it is written for as many more units instead.
 */
export const timesFactor = (rate: Rate, factor: Money): Rate => {
  let rateAmountUsd = rate.rateAmountUsd.times(factor);
  let perAmount = rate.perAmount;
  const places = rateAmountUsd.decimalPlaces();
  const isExact = rateAmountUsd.precision() <= exactDigitsMax;
  if (places > storedPlaces) {
    const scale = new Money(10).pow(places - storedPlaces);
    rateAmountUsd = rateAmountUsd.times(scale);
    perAmount = perAmount.times(scale);
  }
  const amounts = amountsOf(rateAmountUsd, perAmount);
  if (!isExact || !isDecimalString(amounts.rateUsd) || !isDecimalString(amounts.per)) {
    throw new CorruptPriceBookError(
      `${rate.rateUsd} × ${formatMoney(factor)} has more digits than a price can hold`,
    );
  }
  return { unit: rate.unit, ...amounts, flags: rate.flags };
};
