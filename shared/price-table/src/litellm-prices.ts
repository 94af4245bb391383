import type { VendorPriceBody } from '@tollkeeper/contracts';
import { parseExact } from '@tollkeeper/kernel';
import { saysCost } from './litellm-field.js';
import { litellmRates, type LitellmEntry } from './litellm-rates.js';
import { limitOf, notesOf } from './price-fields.js';
import { PriceImportBuilder, type ExchangeRates, type PriceImport } from './price-import.js';
import { providerNameOf } from './provider-name.js';
import { NotExpressibleError } from './table-rates.js';
import { withoutUnknownZeros } from './zero-rates.js';

export interface TableInput {
  readonly text: string;
  readonly source: VendorPriceBody['source'];
  readonly exchangeRates?: ExchangeRates;
}

const isEntry = (value: unknown): value is LitellmEntry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys of the table that are no models. */
const notModels = new Set(['sample_spec', 'fallback_generalizations']);

/** `dashscope/qwen-flash` at dashscope is `qwen-flash`; what stands before other slashes is part of the name. */
const modelNameOf = (key: string, provider: string): string => {
  const slash = key.indexOf('/');
  const isPrefix = slash > 0 && providerNameOf(key.slice(0, slash)) === provider;
  return isPrefix && slash + 1 < key.length ? key.slice(slash + 1) : key;
};

const hasCost = (entry: LitellmEntry): boolean =>
  Object.entries(entry).some(
    ([field, value]) => saysCost(field) && value !== null && field !== 'web_search_billing_unit',
  );

const priceOf = (
  { provider, model }: { readonly provider: string; readonly model: string },
  entry: LitellmEntry,
  { source, exchangeRates = {} }: TableInput,
): VendorPriceBody => {
  const isGoogle = provider === 'google' || provider === 'google-vertex';
  const { rates: listed, factors, notes, currency } = litellmRates(entry, { isGoogle });
  const mode = typeof entry['mode'] === 'string' ? entry['mode'] : undefined;
  const { rates, leftOut } = withoutUnknownZeros(listed, mode);
  const exchangeRate = currency === 'USD' ? undefined : exchangeRates[currency];
  const page = entry['source'];
  return {
    provider,
    model,
    rates,
    ...(factors.length === 0 ? {} : { factors }),
    ...(currency === 'USD' ? {} : { currency }),
    ...(exchangeRate ? { exchangeRate } : {}),
    ...limitOf('contextTokensMax', entry['max_input_tokens']),
    ...limitOf('outputTokensMax', entry['max_output_tokens']),
    source,
    ...notesOf([
      ...(typeof page === 'string' ? [`as listed at ${page}`] : []),
      ...leftOut.map((meter) => `${meter} listed as 0 falls back`),
      ...notes,
    ]),
  };
};

/**
 * LiteLLM's `model_prices_and_context_window.json`. Its keys are names of models behind the provider's, and its costs
 * are US dollars for one unit. @throws SyntaxError where the text is not JSON
 */
export const litellmPrices = (input: TableInput): PriceImport => {
  const table = parseExact(input.text);
  if (!isEntry(table)) throw new SyntaxError('not a table of models');
  const found = new PriceImportBuilder();
  for (const [key, entry] of Object.entries(table)) {
    if (notModels.has(key)) continue;
    const listedBy = isEntry(entry) ? entry['litellm_provider'] : undefined;
    if (!isEntry(entry) || typeof listedBy !== 'string' || listedBy === '') {
      found.inexpressible('', key, 'no model of a provider');
      continue;
    }
    const provider = providerNameOf(listedBy);
    const name = { provider, model: modelNameOf(key, provider) };
    try {
      if (hasCost(entry)) found.add(priceOf(name, entry, input), key);
      else found.unpriced(name.provider, name.model, 'no cost field: unknown, which is not free');
    } catch (error) {
      if (!(error instanceof NotExpressibleError)) throw error;
      found.inexpressible(name.provider, name.model, error.message);
    }
  }
  return found.build();
};
