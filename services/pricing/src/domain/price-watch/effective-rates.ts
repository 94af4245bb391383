import type { VendorPricePublished, VendorRate } from '@tollkeeper/events';
import {
  minuteOf,
  parseTerms,
  rateOf,
  regionOf,
  serviceTierOf,
  type Rate,
  type RateTerms,
} from '@tollkeeper/pricing';

/** The part of a price version that says what usage costs; the provider, whose published ratios hold where a rate is missing. */
export type PricedRates = Pick<VendorPricePublished, 'rates' | 'factors' | 'fallbacks'> &
  Partial<Pick<VendorPricePublished, 'provider'>>;

/** Where a rate holds; absent as in `VendorRate`. */
export type Conditions = Pick<VendorRate, 'serviceTier' | 'inputTokensOver' | 'window' | 'region'>;

/** What usage costs under conditions of any kind, as a call under them is priced. */
export class EffectiveRates {
  readonly #terms: RateTerms;
  readonly #atAnyHour: RateTerms;

  constructor({ provider = '', ...listed }: PricedRates) {
    this.#terms = parseTerms({ ...listed, provider });
    const rates = this.#terms.rates.filter(({ window }) => !window);
    this.#atAnyHour = { ...this.#terms, rates };
  }

  /** Undefined where such usage has no price. */
  at(
    meter: string,
    { serviceTier, inputTokensOver = -1, window, region }: Conditions,
  ): Rate | undefined {
    return rateOf(window ? this.#terms : this.#atAnyHour, meter, {
      serviceTier: serviceTierOf(serviceTier),
      region: regionOf(region),
      inputTokensOver,
      minute: window ? minuteOf(window.from) : 0,
    });
  }
}
