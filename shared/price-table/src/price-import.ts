import { vendorPriceBody, type VendorPriceBody } from '@tollkeeper/contracts';
import type { VendorRate } from '@tollkeeper/events';
import { formatMoney, Money } from '@tollkeeper/kernel';
import { priceFault, significantDigitsMax } from './sanity-gate.js';

export interface NotImported {
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
}

/** What a public price table says, sorted by what can be done with it. */
export interface PriceImport {
  readonly prices: readonly VendorPriceBody[];
  /** Expressible, but not to be believed; see `quarantineReason`. */
  readonly quarantined: readonly NotImported[];
  /** Priced in a way that a vendor price cannot say. */
  readonly inexpressible: readonly NotImported[];
  /** Listed without any price: unknown, which is not free. */
  readonly unpriced: readonly NotImported[];
  /** Entries that say of a model what another entry says of it. */
  readonly repeated: readonly NotImported[];
}

/** US dollars for one unit of a currency, and the day of that rate. */
export type ExchangeRates = Readonly<
  Record<string, { readonly usdPerUnit: string; readonly asOf: string }>
>;

/** Rates as the sanity gate reads them. Without an exchange rate, amounts are taken for US dollars. */
const gatedRates = ({ rates, exchangeRate }: VendorPriceBody): VendorRate[] =>
  rates.map(({ rate, unit = 'token', per = '1000000', ...rest }) => {
    const conditions = Object.fromEntries(
      Object.entries(rest).filter(([, value]) => value !== undefined),
    ) as Pick<VendorRate, 'meter'>;
    const usd = exchangeRate
      ? new Money(rate).times(exchangeRate.usdPerUnit).toSignificantDigits(significantDigitsMax)
      : new Money(rate);
    return { ...conditions, unit, per, rateUsd: formatMoney(usd) };
  });

/** Two entries that cost the same, in whatever order they say so. */
const sameCost = (a: VendorPriceBody, b: VendorPriceBody): boolean => {
  const textOf = (items: readonly object[] = []): string =>
    items
      .map((item) => JSON.stringify(Object.entries(item).sort(([x], [y]) => (x < y ? -1 : 1))))
      .sort()
      .join();
  return (
    a.currency === b.currency &&
    textOf(a.rates) === textOf(b.rates) &&
    textOf(a.factors) === textOf(b.factors)
  );
};

const keyOf = ({ provider, model, effectiveFrom }: VendorPriceBody): string =>
  `${provider}\n${model}\n${effectiveFrom ?? ''}`;

interface Entry {
  readonly price: VendorPriceBody;
  readonly fullName: string;
}

/** Gathers what a table says, model by model. */
export class PriceImportBuilder {
  readonly #entries = new Map<string, Entry>();
  readonly #inexpressible: NotImported[] = [];
  readonly #unpriced: NotImported[] = [];
  readonly #repeated: NotImported[] = [];

  unpriced(provider: string, model: string, reason: string): void {
    this.#unpriced.push({ provider, model, reason });
  }

  inexpressible(provider: string, model: string, reason: string): void {
    this.#inexpressible.push({ provider, model, reason });
  }

  /**
   * `fullName`: what the table calls the entry. Of two entries of one name at different prices, those whose full name
   * is longer keep that as their model's name.
   */
  add(price: VendorPriceBody, fullName = price.model): void {
    const checked = vendorPriceBody.safeParse(price);
    if (!checked.success) {
      const faults = checked.error.issues.map(
        ({ path, message }) => `${path.join('.')} ${message}`,
      );
      this.inexpressible(price.provider, price.model, faults.join('; '));
      return;
    }
    const key = keyOf(price);
    const known = this.#entries.get(key);
    if (!known) {
      this.#entries.set(key, { price, fullName });
    } else if (sameCost(known.price, price)) {
      const reason = `listed as ${fullName} and as ${known.fullName}`;
      this.#repeated.push({ provider: price.provider, model: price.model, reason });
    } else if (fullName !== price.model) {
      this.add({ ...price, model: fullName });
    } else if (known.fullName !== known.price.model) {
      this.#entries.set(key, { price, fullName });
      this.add({ ...known.price, model: known.fullName });
    } else {
      this.inexpressible(price.provider, price.model, 'listed twice, at different prices');
    }
  }

  build(): PriceImport {
    const prices: VendorPriceBody[] = [];
    const quarantined: NotImported[] = [];
    for (const { price } of this.#entries.values()) {
      const { provider, model } = price;
      const reason = priceFault(model, gatedRates(price));
      if (reason === undefined) prices.push(price);
      else quarantined.push({ provider, model, reason });
    }
    return {
      prices,
      quarantined,
      inexpressible: this.#inexpressible,
      unpriced: this.#unpriced,
      repeated: this.#repeated,
    };
  }
}
