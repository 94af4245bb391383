import type { ModelInfo, Provider } from '@pydantic/genai-prices';
import type { RateBody, VendorPriceBody } from '@tollkeeper/contracts';
import type { VendorRate } from '@tollkeeper/events';
import { formatMoney } from '@tollkeeper/kernel';
import { exactNames, findTableModel, readProviders, source } from './genai-prices.js';
import { readListedAmount } from './listed-amount.js';
import { limitOf, notesOf } from './price-fields.js';
import { PriceImportBuilder, type PriceImport } from './price-import.js';
import { isFreeByName } from './sanity-gate.js';
import { beginning, datedRatesOf, freeRates, NotExpressibleError } from './table-rates.js';

const aliasesOf = (provider: Provider, model: ModelInfo): string[] =>
  [...new Set(exactNames(model.match))]
    .filter((name) => name !== model.id)
    .filter((name) => findTableModel(provider.id, name)?.model === model)
    .sort();

const bodyRate = (rate: VendorRate, notes: string[]): RateBody => {
  const { rateUsd, ...rest } = rate;
  const read = readListedAmount(rateUsd);
  if (!read) throw new NotExpressibleError(`${rate.meter} is no amount: ${rateUsd}`);
  if (read.roundedFrom !== undefined) notes.push(`${rate.meter} rounded from ${read.roundedFrom}`);
  return { ...rest, rate: formatMoney(read.amount) };
};

/** Every dated version; a price without a date holds from the import on, unless a dated one follows it. */
const versionsOf = (provider: Provider, model: ModelInfo): VendorPriceBody[] => {
  const history = datedRatesOf(model);
  const aliases = aliasesOf(provider, model);
  return history.flatMap(({ effectiveFrom, rates }): VendorPriceBody[] => {
    const isFree = rates.length === 0 && isFreeByName(model.id);
    const notes = model.price_comments === undefined ? [] : [model.price_comments];
    const listed = (isFree ? freeRates : rates).map((rate) => bodyRate(rate, notes));
    if (listed.length === 0) return [];
    const isDated = history.length > 1 || effectiveFrom !== beginning;
    return [
      {
        provider: provider.id,
        model: model.id,
        ...(aliases.length === 0 ? {} : { aliases }),
        ...(isDated ? { effectiveFrom } : {}),
        rates: listed,
        ...limitOf('contextTokensMax', String(model.context_window ?? '')),
        source,
        ...notesOf(notes),
      },
    ];
  });
};

/** The pinned package's table, as it ships. */
export const genaiPriceImport = async (): Promise<PriceImport> => {
  const found = new PriceImportBuilder();
  for (const provider of await readProviders()) {
    for (const model of provider.models) {
      try {
        const versions = versionsOf(provider, model);
        for (const version of versions) found.add(version);
        if (versions.length === 0) {
          found.unpriced(provider.id, model.id, 'listed without rates: free or unknown');
        }
      } catch (error) {
        if (!(error instanceof NotExpressibleError)) throw error;
        found.inexpressible(provider.id, model.id, error.message);
      }
    }
  }
  return found.build();
};
