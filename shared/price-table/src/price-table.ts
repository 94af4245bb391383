import type { VendorPricePublished, VendorRate } from '@tollkeeper/events';
import { PriceBook, type PriceVersion } from '@tollkeeper/pricing';
import { findTableModel, findTableProvider, source, type TableModel } from './genai-prices.js';
import { isFreeByName, priceFault } from './sanity-gate.js';
import { datedRatesOf, freeRates, NotExpressibleError } from './table-rates.js';

/** Why the table has no price: a provider or model that it does not hold, or one without a price that can be used. */
export interface NoPrice {
  readonly refused: 'unknown-provider' | 'unknown-model' | 'unknown-price';
  readonly message: string;
}

export interface TablePrice {
  readonly version: PriceVersion;
  /** Why the price would not be imported as it is; see `quarantineReason`. */
  readonly implausible: string | undefined;
}

interface Listed {
  readonly provider: string;
  readonly model: string;
  /** By version id. */
  readonly implausible: ReadonlyMap<string, string>;
}

/** The table prices tokens of a modality that were cached as that modality's input where nothing nearer is listed. */
const withCachedModalities = (rates: readonly VendorRate[]): VendorRate[] => {
  const listed = new Set(rates.map(({ meter }) => meter));
  return rates.flatMap((rate) => {
    const modality = /^input_(audio|image|video)$/.exec(rate.meter)?.[1];
    if (modality === undefined) return [rate];
    const unlisted = ['cache_read', 'cache_write'].filter(
      (meter) => !listed.has(meter) && !listed.has(`${meter}_${modality}`),
    );
    return [rate, ...unlisted.map((meter) => ({ ...rate, meter: `${meter}_${modality}` }))];
  });
};

/** An empty price list is unknown, except where the model's name says that it is free. */
const publishedOf = ({ provider, model }: TableModel): VendorPricePublished[] =>
  datedRatesOf(model).map(({ effectiveFrom, rates }, place) => ({
    priceVersion: `${provider.id}:${model.id}@${String(place + 1)}`,
    provider: provider.id,
    model: model.id,
    effectiveFrom,
    rates:
      rates.length === 0 && isFreeByName(model.id) ? [...freeRates] : withCachedModalities(rates),
    source,
  }));

/** Names that were looked up; forgotten all at once when there are too many, so that memory stays constant. */
const namesMax = 20_000;

/**
 * The pinned public price table as a price book: every provider and model that it holds, found by its own matching
 * rules, with dated prices, context tiers and times of day.
 */
export class PriceTable {
  readonly #book = new PriceBook();
  readonly #listed = new Map<string, Listed | NoPrice>();
  readonly #byName = new Map<string, Listed | NoPrice>();

  priceAt(provider: string, name: string, at: Date): TablePrice | NoPrice {
    const listed = this.#find(provider, name);
    if ('refused' in listed) return listed;
    const version = this.#book.priceAt(listed, at);
    if (!version) {
      const message = `${listed.provider}:${listed.model} has no price at ${at.toISOString()}`;
      return { refused: 'unknown-price', message };
    }
    return { version, implausible: listed.implausible.get(version.id) };
  }

  #find(provider: string, name: string): Listed | NoPrice {
    const key = `${provider}\n${name}`;
    const known = this.#byName.get(key);
    if (known) return known;
    if (this.#byName.size >= namesMax) this.#byName.clear();
    const found = this.#lookUp(provider, name);
    this.#byName.set(key, found);
    return found;
  }

  #lookUp(provider: string, name: string): Listed | NoPrice {
    const found = findTableModel(provider, name);
    if (found) return this.#list(found);
    return findTableProvider(provider)
      ? { refused: 'unknown-model', message: `${provider} has no model ${name} in the price table` }
      : { refused: 'unknown-provider', message: `the price table has no provider ${provider}` };
  }

  #list(found: TableModel): Listed | NoPrice {
    const key = `${found.provider.id}\n${found.model.id}`;
    const known = this.#listed.get(key);
    if (known) return known;
    const listed = this.#publish(found);
    this.#listed.set(key, listed);
    return listed;
  }

  #publish(found: TableModel): Listed | NoPrice {
    const name = `${found.provider.id}:${found.model.id}`;
    try {
      const implausible = new Map<string, string>();
      const published = publishedOf(found);
      if (published.every(({ rates }) => rates.length === 0)) {
        return {
          refused: 'unknown-price',
          message: `${name} is listed without rates: free or unknown`,
        };
      }
      for (const data of published) {
        if (data.rates.length === 0) continue;
        const reason = priceFault(data.model, data.rates);
        if (reason !== undefined) implausible.set(data.priceVersion, reason);
        this.#book.apply({ type: 'VendorPricePublished', data });
      }
      return { provider: found.provider.id, model: found.model.id, implausible };
    } catch (error) {
      if (!(error instanceof NotExpressibleError)) throw error;
      return { refused: 'unknown-price', message: `${name}: ${error.message}` };
    }
  }
}
