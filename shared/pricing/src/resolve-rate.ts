import { meterChain, plainMeterOf } from './meter.js';
import {
  standardTier,
  timesFactor,
  withFlags,
  type ConditionalRate,
  type PricingFlag,
  type Rate,
} from './rate.js';
import type { Factor, RateTerms } from './rate-terms.js';

/** Under which a rate is looked for. */
export interface Conditions {
  readonly serviceTier: string;
  /** Undefined: anywhere. */
  readonly region: string | undefined;
  /** Holds for every total input above it, up to the next threshold. */
  readonly inputTokensOver: number;
  /** Of the UTC day. */
  readonly minute: number;
}

const within = (window: ConditionalRate['window'], minute: number): boolean => {
  if (!window) return true;
  const { from, to } = window;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
};

const holds = (rate: ConditionalRate, conditions: Conditions): boolean =>
  rate.serviceTier === conditions.serviceTier &&
  rate.region === conditions.region &&
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

/** The region's rate, else the one that holds anywhere. */
const inRegion = (
  rates: readonly ConditionalRate[],
  meter: string,
  conditions: Conditions,
): ConditionalRate | undefined =>
  mostSpecific(rates, meter, conditions) ??
  (conditions.region === undefined
    ? undefined
    : mostSpecific(rates, meter, { ...conditions, region: undefined }));

/** The asked tier's rate, else the standard tier's. */
const listedRate = (
  rates: readonly ConditionalRate[],
  meter: string,
  conditions: Conditions,
): ConditionalRate | undefined =>
  inRegion(rates, meter, conditions) ??
  (conditions.serviceTier === standardTier
    ? undefined
    : inRegion(rates, meter, { ...conditions, serviceTier: standardTier }));

/** A rate that is listed for a tier or region holds what the factor for it would add. */
const isListedFor = ({ region, serviceTier }: Factor, rate: ConditionalRate): boolean => {
  if (region === undefined && serviceTier === undefined) return false;
  if (serviceTier === standardTier) return false;
  return (
    (region === undefined || rate.region === region) &&
    (serviceTier === undefined || rate.serviceTier === serviceTier)
  );
};

const applies = (
  factor: Factor,
  rate: ConditionalRate,
  meters: readonly string[],
  conditions: Conditions,
): boolean => {
  const named = factor.meters;
  return (
    (factor.region === undefined || factor.region === conditions.region) &&
    (factor.serviceTier === undefined || factor.serviceTier === conditions.serviceTier) &&
    (!named || named.has(rate.meter) || meters.some((meter) => named.has(meter))) &&
    !isListedFor(factor, rate)
  );
};

const tierUnpriced: readonly PricingFlag[] = ['service-tier-unpriced'];

/** The listed rate × every factor that holds. `meters`: what it prices. */
const effective = (
  listed: ConditionalRate,
  meters: readonly string[],
  conditions: Conditions,
  factors: readonly Factor[],
): Rate => {
  let rate: Rate = listed;
  let isOfTier = listed.serviceTier === conditions.serviceTier;
  for (const factor of factors) {
    if (!applies(factor, listed, meters, conditions)) continue;
    rate = timesFactor(rate, factor.amount);
    if (factor.serviceTier !== undefined) isOfTier = true;
  }
  return isOfTier ? rate : { ...rate, flags: withFlags(rate.flags, tierUnpriced) };
};

/** The meters whose rates may price this one, nearest first. */
const linksOf = (meter: string): readonly string[] => {
  const plain = plainMeterOf(meter);
  return plain === undefined ? meterChain(meter) : [...meterChain(meter), ...meterChain(plain)];
};

/**
 * The rate of a meter: its own, else a part of another's where a ratio says so, else that of the meter that prices its
 * tokens in its place. Undefined where none has one.
 *
 * @param pricing the meters that this rate is looked up for, so that ratios which name each other end
 */
export const rateOf = (
  terms: RateTerms,
  meter: string,
  conditions: Conditions,
  pricing: readonly string[] = [meter],
): Rate | undefined => {
  for (const link of linksOf(meter)) {
    const listed = listedRate(terms.rates, link, conditions);
    if (listed) return effective(listed, pricing, conditions, terms.factors);
    const ratio = terms.ratios.get(link);
    if (!ratio || pricing.includes(ratio.of)) continue;
    const whole = rateOf(terms, ratio.of, conditions, [...pricing, ratio.of]);
    if (!whole) continue;
    const part = timesFactor(whole, ratio.amount);
    return { ...part, flags: withFlags(part.flags, [`ratio-fallback:${link}`]) };
  }
  return undefined;
};
