import type { RatioFallback, VendorPricePublished, VendorRate } from '@tollkeeper/events';
import { parseMoney, type Money } from '@tollkeeper/kernel';
import { meterChain, plainMeterOf, serviceTierOf, standardTier } from '@tollkeeper/pricing';

/** The part of a price version that says what usage costs. */
export type PricedRates = Pick<VendorPricePublished, 'rates' | 'factors' | 'fallbacks'>;

/** Where a rate holds; absent as in `VendorRate`. */
export type Conditions = Pick<VendorRate, 'serviceTier' | 'inputTokensOver' | 'window' | 'region'>;

export interface EffectiveRate {
  readonly unit: string;
  readonly per: string;
  /** US dollars for one unit. */
  readonly unitUsd: Money;
}

interface ParsedRate {
  readonly rate: VendorRate;
  readonly serviceTier: string;
  readonly unitUsd: Money;
}

const covers = (window: VendorRate['window'], at: VendorRate['window']): boolean => {
  if (!window) return true;
  if (!at) return false;
  const { from, to } = window;
  return from < to ? at.from >= from && at.from < to : at.from >= from || at.from < to;
};

/** The higher threshold first, then a window before none. */
const isNearer = (a: VendorRate, b: VendorRate): boolean => {
  const overA = a.inputTokensOver ?? -1;
  const overB = b.inputTokensOver ?? -1;
  return overA === overB ? a.window !== undefined && b.window === undefined : overA > overB;
};

/**
 * What usage costs under conditions of any kind, from a price's list of rates: by its own rate, by that of the
 * standard tier or of any region, by a fallback, times the factors that hold.
 *
 * It answers for one rate where `priceUsage` answers for a call, so that two lists can be compared rate by rate.
 */
export class EffectiveRates {
  readonly #byMeter = new Map<string, ParsedRate[]>();
  readonly #fallbacks = new Map<string, RatioFallback>();

  constructor(readonly listed: PricedRates) {
    for (const rate of listed.rates) {
      const unitUsd = parseMoney(rate.rateUsd).div(parseMoney(rate.per));
      const parsed = { rate, serviceTier: serviceTierOf(rate.serviceTier), unitUsd };
      const known = this.#byMeter.get(rate.meter);
      if (known) known.push(parsed);
      else this.#byMeter.set(rate.meter, [parsed]);
    }
    for (const fallback of listed.fallbacks ?? []) this.#fallbacks.set(fallback.meter, fallback);
  }

  /** Undefined where such usage has no price. */
  at(meter: string, conditions: Conditions): EffectiveRate | undefined {
    const own = this.#priced(meter, conditions);
    if (own) return own;
    const plain = plainMeterOf(meter);
    return plain === undefined ? undefined : this.#priced(plain, conditions);
  }

  #priced(meter: string, conditions: Conditions): EffectiveRate | undefined {
    for (const link of meterChain(meter)) {
      const listed = this.#listedAt(link, conditions);
      if (listed) return listed;
      const fallback = this.#fallbacks.get(link);
      const base = fallback && this.#listedAt(fallback.of, conditions);
      if (base) return { ...base, unitUsd: base.unitUsd.times(fallback.ratio) };
    }
    return undefined;
  }

  #listedAt(meter: string, conditions: Conditions): EffectiveRate | undefined {
    const asked = serviceTierOf(conditions.serviceTier);
    for (const tier of asked === standardTier ? [asked] : [asked, standardTier]) {
      const found = this.#nearest(meter, tier, conditions);
      if (found) {
        const { unit, per } = found.rate;
        return { unit, per, unitUsd: found.unitUsd.times(this.#factorOf(meter, conditions)) };
      }
    }
    return undefined;
  }

  /** A region's own rate before that of any region. */
  #nearest(meter: string, serviceTier: string, conditions: Conditions): ParsedRate | undefined {
    let best: ParsedRate | undefined;
    for (const parsed of this.#byMeter.get(meter) ?? []) {
      const { rate } = parsed;
      if (parsed.serviceTier !== serviceTier) continue;
      if (rate.region !== undefined && rate.region !== conditions.region) continue;
      if ((rate.inputTokensOver ?? -1) > (conditions.inputTokensOver ?? -1)) continue;
      if (!covers(rate.window, conditions.window)) continue;
      if (!best || this.#isBetter(rate, best.rate)) best = parsed;
    }
    return best;
  }

  #isBetter(rate: VendorRate, best: VendorRate): boolean {
    return rate.region === best.region ? isNearer(rate, best) : rate.region !== undefined;
  }

  #factorOf(meter: string, { serviceTier, region }: Conditions): Money {
    let product = parseMoney('1');
    for (const factor of this.listed.factors ?? []) {
      if (factor.region !== undefined && factor.region !== region) continue;
      if (factor.serviceTier !== undefined && factor.serviceTier !== serviceTier) continue;
      if (factor.meters && !factor.meters.includes(meter)) continue;
      product = product.times(factor.factor);
    }
    return product;
  }
}
