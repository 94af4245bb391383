import { parseMoney, type DecimalString, type Money } from '@tollkeeper/kernel';
import type { VendorRate } from '@tollkeeper/events';
import { callMeter, meterChain, textMeters } from './meter.js';

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
  /** The standard tier's rate, used because the asked tier has none. */
  readonly standardInstead: boolean;
}

/** The rates of a request whose total input is greater than `inputTokensOver`. */
export interface RateStep {
  /** -1 on the first step, which every request reaches. */
  readonly inputTokensOver: number;
  readonly rates: ReadonlyMap<string, Rate>;
  /** The dearest of this step and those below; undefined where one of them leaves `input` unpriced. */
  readonly dearestInput: Rate | undefined;
  readonly dearestOutput: Rate | undefined;
  readonly dearestCall: Rate | undefined;
}

/** The steps of one service tier at one time of day, by rising threshold. */
export type RateCard = readonly [RateStep, ...RateStep[]];

/** A stored price or rule that no writer of ours would have made. */
export class CorruptPriceBookError extends Error {
  override readonly name = 'CorruptPriceBookError';
}

/** A rate with the conditions under which it holds. */
export interface ConditionalRate extends Rate {
  readonly meter: string;
  readonly serviceTier: string;
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

const minuteOf = (text: string): number => {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!match) throw new CorruptPriceBookError(`not a time of day: ${text}`);
  return Number(match[1]) * 60 + Number(match[2]);
};

/**
 * A quotient that does not terminate has 60 digits, most of them decimals: one of at most 30 decimals is
 * exact, and so is its product with any quantity.
 */
const exactPlacesMax = 30;

export const parseRate = (rate: VendorRate): ConditionalRate => {
  const rateAmountUsd = parseMoney(rate.rateUsd);
  const perAmount = parseMoney(rate.per);
  if (rateAmountUsd.isNegative() || perAmount.lte(0)) {
    throw new CorruptPriceBookError(
      `not a rate: ${rate.rateUsd} USD per ${rate.per} ${rate.meter}`,
    );
  }
  const unitUsd = rateAmountUsd.div(perAmount);
  return {
    meter: rate.meter,
    unit: rate.unit,
    per: rate.per,
    rateUsd: rate.rateUsd,
    rateAmountUsd,
    perAmount,
    unitUsd,
    exact: unitUsd.decimalPlaces() <= exactPlacesMax,
    standardInstead: false,
    serviceTier: serviceTierOf(rate.serviceTier),
    inputTokensOver: rate.inputTokensOver ?? -1,
    window: rate.window && { from: minuteOf(rate.window.from), to: minuteOf(rate.window.to) },
  };
};

interface Conditions {
  readonly serviceTier: string;
  /** Holds for every total input above it, up to the next threshold. */
  readonly inputTokensOver: number;
  readonly minute: number;
}

const within = (window: ConditionalRate['window'], minute: number): boolean => {
  if (!window) return true;
  const { from, to } = window;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
};

const holds = (rate: ConditionalRate, conditions: Conditions): boolean =>
  rate.serviceTier === conditions.serviceTier &&
  rate.inputTokensOver <= conditions.inputTokensOver &&
  within(rate.window, conditions.minute);

/** The higher threshold first, then a window before none. */
const moreSpecific = (a: ConditionalRate, b: ConditionalRate): boolean =>
  a.inputTokensOver === b.inputTokensOver
    ? a.window !== undefined && b.window === undefined
    : a.inputTokensOver > b.inputTokensOver;

const mostSpecific = (
  rates: readonly ConditionalRate[],
  meter: string,
  conditions: Conditions,
): ConditionalRate | undefined => {
  let best: ConditionalRate | undefined;
  for (const rate of rates) {
    if (rate.meter !== meter || !holds(rate, conditions)) continue;
    if (!best || moreSpecific(rate, best)) best = rate;
  }
  return best;
};

/** For each meter of its chain: the asked tier's rate, then the standard tier's. */
const rateOf = (
  rates: readonly ConditionalRate[],
  meter: string,
  conditions: Conditions,
): Rate | undefined => {
  for (const link of meterChain(meter)) {
    const own = mostSpecific(rates, link, conditions);
    if (own) return own;
    if (conditions.serviceTier === standardTier) continue;
    const standard = mostSpecific(rates, link, { ...conditions, serviceTier: standardTier });
    if (standard) return { ...standard, standardInstead: true };
  }
  return undefined;
};

const dearer = (a: Rate | undefined, b: Rate | undefined): Rate | undefined => {
  if (!a || !b) return a ?? b;
  return b.unitUsd.gt(a.unitUsd) ? b : a;
};

/** Undefined where the first of the meters, the plain one, has no rate. */
const dearestOf = (
  rates: ReadonlyMap<string, Rate>,
  meters: readonly [string, ...string[]],
): Rate | undefined =>
  rates.has(meters[0])
    ? meters.reduce<Rate | undefined>((best, meter) => dearer(best, rates.get(meter)), undefined)
    : undefined;

/** What a higher step adds to the dearest below it; neither is known where one of them is not. */
const dearerAbove = (below: Rate | undefined, own: Rate | undefined): Rate | undefined =>
  below && own ? dearer(below, own) : undefined;

const compileStep = (
  rates: readonly ConditionalRate[],
  conditions: Conditions,
  below: RateStep | undefined,
): RateStep => {
  const byMeter = new Map<string, Rate>();
  const priced = rates.map((rate) => rate.meter);
  for (const meter of new Set([...textMeters.input, ...textMeters.output, ...priced])) {
    const rate = rateOf(rates, meter, conditions);
    if (rate) byMeter.set(meter, rate);
  }
  const input = dearestOf(byMeter, textMeters.input);
  const output = dearestOf(byMeter, textMeters.output);
  return {
    inputTokensOver: conditions.inputTokensOver,
    rates: byMeter,
    dearestInput: below ? dearerAbove(below.dearestInput, input) : input,
    dearestOutput: below ? dearerAbove(below.dearestOutput, output) : output,
    dearestCall: dearer(below?.dearestCall, byMeter.get(callMeter)),
  };
};

export const compileCard = (
  rates: readonly ConditionalRate[],
  serviceTier: string,
  minute: number,
): RateCard => {
  const thresholds = [...new Set(rates.map((rate) => rate.inputTokensOver))]
    .filter((over) => over >= 0)
    .sort((a, b) => a - b);
  let below = compileStep(rates, { serviceTier, inputTokensOver: -1, minute }, undefined);
  const card: [RateStep, ...RateStep[]] = [below];
  for (const inputTokensOver of thresholds) {
    below = compileStep(rates, { serviceTier, inputTokensOver, minute }, below);
    card.push(below);
  }
  return card;
};

/** The highest step whose threshold the total input exceeds. */
export const stepAt = (card: RateCard, inputTokens: number): RateStep => {
  let reached = card[0];
  for (const step of card) {
    if (step.inputTokensOver >= inputTokens) break;
    reached = step;
  }
  return reached;
};
