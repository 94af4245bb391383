import { PriceTable, type NoPrice } from '@tollkeeper/price-table';
import type { PriceBook, PriceVersion } from '@tollkeeper/pricing';

export interface SourcedPrice {
  readonly version: PriceVersion;
  readonly flags: readonly string[];
}

/** The book that prices come from. */
export interface PriceSource {
  readonly priceAt: (provider: string, model: string, at: Date) => SourcedPrice | NoPrice;
}

/** `--prices genai-prices`: the pinned public table. What the import would quarantine is priced, and flagged. */
export const tableSource = (): PriceSource => {
  const table = new PriceTable();
  return {
    priceAt: (provider, model, at) => {
      const price = table.priceAt(provider, model, at);
      if ('refused' in price) return price;
      return {
        version: price.version,
        flags: price.implausible === undefined ? [] : ['implausible-rate'],
      };
    },
  };
};

/** The price book of a running installation. */
export const bookSource = (book: PriceBook): PriceSource => ({
  priceAt: (provider, model, at) => {
    const version = book.priceAt({ provider, model }, at);
    if (version) return { version, flags: [] };
    const message = `the price book has no price of ${provider}:${model} at ${at.toISOString()}`;
    return { refused: 'unknown-price', message };
  },
});
