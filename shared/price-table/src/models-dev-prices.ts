import type { RateBody, VendorPriceBody } from '@tollkeeper/contracts';
import { formatMoney, parseExact } from '@tollkeeper/kernel';
import { readListedAmount } from './listed-amount.js';
import type { TableInput } from './litellm-prices.js';
import { limitOf, notesOf } from './price-fields.js';
import { PriceImportBuilder, type PriceImport } from './price-import.js';
import { providerNameOf } from './provider-name.js';
import { NotExpressibleError } from './table-rates.js';
import { withoutUnknownZeros } from './zero-rates.js';

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** US dollars for a million tokens. */
const meters = new Set([
  'input',
  'output',
  'reasoning',
  'cache_read',
  'cache_write',
  'input_audio',
  'output_audio',
]);

type Conditions = Pick<RateBody, 'serviceTier' | 'inputTokensOver'>;

interface Listed {
  readonly rates: RateBody[];
  readonly notes: string[];
}

/** What stands beside the rates of a cost, and is read elsewhere. */
const structure = new Set(['tiers', 'tier', 'context_over_200k']);

const addRates = (into: Listed, cost: Fields, conditions: Conditions): void => {
  for (const [meter, listed] of Object.entries(cost)) {
    if (structure.has(meter) || listed === null) continue;
    if (!meters.has(meter)) {
      throw new NotExpressibleError(`a cost without a meaning here: ${meter}`);
    }
    const read = readListedAmount(listed);
    if (!read) throw new NotExpressibleError(`${meter} is no amount: ${JSON.stringify(listed)}`);
    if (read.roundedFrom !== undefined)
      into.notes.push(`${meter} rounded from ${read.roundedFrom}`);
    into.rates.push({
      meter,
      unit: 'token',
      per: '1000000',
      rate: formatMoney(read.amount),
      ...conditions,
    });
  }
};

const sizeOf = (step: Fields): number => {
  const tier = step['tier'];
  const size =
    isRecord(tier) && tier['type'] === 'context' ? limitOf('size', tier['size']).size : undefined;
  if (size === undefined) throw new NotExpressibleError('a tier that is no size of the context');
  return size;
};

/** Steps of the context, above which the whole request has another price; they stand in place of the older field. */
const addSteps = (into: Listed, cost: Fields, conditions: Conditions): void => {
  const steps = cost['tiers'];
  if (Array.isArray(steps) && steps.length > 0) {
    for (const step of steps as unknown[]) {
      if (!isRecord(step)) throw new NotExpressibleError('a tier that is no object');
      addRates(into, step, { ...conditions, inputTokensOver: sizeOf(step) });
    }
    return;
  }
  const above = cost['context_over_200k'];
  if (isRecord(above)) addRates(into, above, { ...conditions, inputTokensOver: 200_000 });
};

const addCost = (into: Listed, cost: Fields, conditions: Conditions): void => {
  addRates(into, cost, conditions);
  addSteps(into, cost, conditions);
};

/** `experimental.modes.fast.cost`: what the vendor asks for a service tier of that name. */
const addModes = (into: Listed, model: Fields): void => {
  const experimental = model['experimental'];
  const modes = isRecord(experimental) ? experimental['modes'] : undefined;
  if (!isRecord(modes)) return;
  for (const [serviceTier, mode] of Object.entries(modes)) {
    const cost = isRecord(mode) ? mode['cost'] : undefined;
    if (isRecord(cost)) addCost(into, cost, { serviceTier });
  }
};

const priceOf = (
  name: { readonly provider: string; readonly model: string },
  model: Fields,
  cost: Fields,
  source: VendorPriceBody['source'],
): VendorPriceBody => {
  const listed: Listed = { rates: [], notes: [] };
  addCost(listed, cost, {});
  addModes(listed, model);
  const { rates, leftOut } = withoutUnknownZeros(listed.rates);
  const limit = isRecord(model['limit']) ? model['limit'] : {};
  return {
    ...name,
    rates,
    ...limitOf('contextTokensMax', limit['context']),
    ...limitOf('outputTokensMax', limit['output']),
    source,
    ...notesOf([...leftOut.map((meter) => `${meter} listed as 0 falls back`), ...listed.notes]),
  };
};

/** The `api.json` of models.dev: providers by id, with models by id. @throws SyntaxError where the text is not JSON */
export const modelsDevPrices = ({ text, source }: TableInput): PriceImport => {
  const table = parseExact(text);
  if (!isRecord(table)) throw new SyntaxError('not a table of providers');
  const found = new PriceImportBuilder();
  for (const [listedBy, entry] of Object.entries(table)) {
    const models = isRecord(entry) ? entry['models'] : undefined;
    if (!isRecord(models)) {
      found.inexpressible(listedBy, '', 'a provider without a list of models');
      continue;
    }
    const provider = providerNameOf(listedBy);
    for (const [id, model] of Object.entries(models)) {
      const cost = isRecord(model) ? model['cost'] : undefined;
      if (!isRecord(model) || !isRecord(cost) || Object.keys(cost).length === 0) {
        found.unpriced(provider, id, 'no cost: unknown, which is not free');
        continue;
      }
      try {
        found.add(priceOf({ provider, model: id }, model, cost, source));
      } catch (error) {
        if (!(error instanceof NotExpressibleError)) throw error;
        found.inexpressible(provider, id, error.message);
      }
    }
  }
  return found.build();
};
