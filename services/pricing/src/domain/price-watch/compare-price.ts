import type { RateChange, RateFactor, VendorRate } from '@tollkeeper/events';
import { formatMoney, Money, zero, type DecimalString } from '@tollkeeper/kernel';
import { serviceTierOf, standardTier, toStoredPlaces, type Rate } from '@tollkeeper/pricing';
import { EffectiveRates, type Conditions, type PricedRates } from './effective-rates.js';

export interface PriceChange {
  readonly changes: readonly RateChange[];
  /** The greatest rise of a rate as a share of it, negative where all fall; 6 decimals. Usage newly priced does not count. */
  readonly costChange: DecimalString;
  /** The greatest fall of a rate as a share of it, from 0 to 1; 6 decimals. */
  readonly costFall: DecimalString;
  /** True where usage that has a price would have none, or another unit. */
  readonly losesPrice: boolean;
}

/** A rise from zero has no share; it counts as this many times the rate. */
const riseFromZero = new Money('1000000');
const shareDecimals = 6;

interface Probe extends Conditions {
  readonly meter: string;
}

const keyOf = ({ meter, serviceTier, inputTokensOver, window, region }: Probe): string =>
  [
    meter,
    serviceTierOf(serviceTier),
    String(inputTokensOver ?? -1),
    window ? `${window.from}-${window.to}` : '',
    region ?? '',
  ].join('\n');

const probeOf = (rate: VendorRate, more: Partial<Probe> = {}): Probe => {
  const { meter, serviceTier, inputTokensOver, window, region } = { ...rate, ...more };
  const tier = serviceTierOf(serviceTier);
  return {
    meter,
    ...(tier === standardTier ? {} : { serviceTier: tier }),
    ...(inputTokensOver === undefined ? {} : { inputTokensOver }),
    ...(window ? { window } : {}),
    ...(region === undefined ? {} : { region }),
  };
};

const factorKey = ({ region, serviceTier, meters, factor }: RateFactor): string =>
  JSON.stringify([region, serviceTier, meters && [...meters].sort(), Number(factor)]);

/** The rates that a factor makes of a list's own. */
const probesOfFactor = (factor: RateFactor, rates: readonly VendorRate[]): Probe[] =>
  rates
    .filter(({ meter }) => !factor.meters || factor.meters.includes(meter))
    .map((rate) =>
      probeOf(rate, {
        ...(factor.region === undefined ? {} : { region: factor.region }),
        ...(factor.serviceTier === undefined ? {} : { serviceTier: factor.serviceTier }),
      }),
    );

/**
 * "From 272,000 tokens on" and "above 272,000 tokens" are one step as two tables write it: the lower of two thresholds
 * that are one token apart says nothing that the higher one does not.
 */
const withoutNearSteps = (probes: readonly Probe[]): Probe[] => {
  const thresholds = new Set(probes.map(({ inputTokensOver }) => inputTokensOver));
  return probes.filter(
    ({ inputTokensOver }) => inputTokensOver === undefined || !thresholds.has(inputTokensOver + 1),
  );
};

/** Whatever either list prices by a rate, a fallback or a factor that the other one lacks. */
const probesOf = (current: PricedRates, candidate: PricedRates): Probe[] => {
  const probes = new Map<string, Probe>();
  const add = (probe: Probe): void => {
    const key = keyOf(probe);
    if (!probes.has(key)) probes.set(key, probe);
  };
  const sides = [current, candidate];
  for (const { rates, fallbacks = [] } of sides) {
    for (const rate of rates) add(probeOf(rate));
    for (const { meter, of } of fallbacks) {
      for (const rate of rates) if (rate.meter === of) add(probeOf(rate, { meter }));
    }
  }
  const factorKeys = sides.map(({ factors = [] }) => new Set(factors.map(factorKey)));
  for (const [side, { factors = [] }] of sides.entries()) {
    for (const factor of factors) {
      if (factorKeys[1 - side]?.has(factorKey(factor))) continue;
      for (const { rates } of sides) probesOfFactor(factor, rates).forEach(add);
    }
  }
  return withoutNearSteps([...probes.values()]);
};

const amountFor = (per: string, rate: Rate): DecimalString =>
  formatMoney(toStoredPlaces(rate.unitUsd.times(per)));

const changeOf = (probe: Probe, from: Rate | undefined, to: Rate | undefined): RateChange[] => {
  const { meter, ...conditions } = probe;
  const like = to ?? from;
  if (!like) return [];
  if (from && to && from.unit !== to.unit) {
    return [...changeOf(probe, from, undefined), ...changeOf(probe, undefined, to)];
  }
  const { unit, per } = like;
  return [
    {
      meter,
      unit,
      per,
      ...(from ? { fromUsd: amountFor(per, from) } : {}),
      ...(to ? { toUsd: amountFor(per, to) } : {}),
      ...conditions,
    },
  ];
};

const shareOf = (from: Money, to: Money): Money =>
  from.isZero() ? riseFromZero : to.minus(from).div(from);

/**
 * What some usage would cost otherwise under the candidate than under the price in force.
 *
 * Compared is what each side makes usage cost under the same conditions, by value: neither the order of the rates
 * nor their text matters, nor whether a price is listed or follows from the standard tier, a factor or a fallback.
 * Limits, aliases, dates, notes and the source are no change. Conditions are compared by `inputTokensOver`,
 * service tier, region and window as either side lists them.
 */
export const comparePrice = (
  current: PricedRates | undefined,
  candidate: PricedRates,
): 'new' | 'unchanged' | PriceChange => {
  if (!current) return 'new';
  const [before, after] = [new EffectiveRates(current), new EffectiveRates(candidate)];
  const changes: RateChange[] = [];
  let rise: Money | undefined;
  let fall = zero;
  let losesPrice = false;
  for (const probe of probesOf(current, candidate)) {
    const [from, to] = [before.at(probe.meter, probe), after.at(probe.meter, probe)];
    if (to && from?.unit === to.unit) {
      if (from.unitUsd.eq(to.unitUsd)) continue;
      const share = shareOf(from.unitUsd, to.unitUsd);
      if (!rise || share.gt(rise)) rise = share;
      if (share.negated().gt(fall)) fall = share.negated();
    } else if (from) {
      losesPrice = true;
    }
    changes.push(...changeOf(probe, from, to));
  }
  if (changes.length === 0) return 'unchanged';
  return {
    changes,
    costChange: formatMoney((rise ?? zero).toDecimalPlaces(shareDecimals)),
    costFall: formatMoney(fall.toDecimalPlaces(shareDecimals)),
    losesPrice,
  };
};
