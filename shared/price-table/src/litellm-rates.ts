import type { RateBody, VendorPriceBody } from '@tollkeeper/contracts';
import type { Money } from '@tollkeeper/kernel';
import { formatMoney } from '@tollkeeper/kernel';
import { readListedAmount } from './listed-amount.js';
import { meaningOf, saysCost, type FieldMeaning } from './litellm-field.js';
import { NotExpressibleError } from './table-rates.js';

/** An entry of LiteLLM's table, with every number as its own text. */
export type LitellmEntry = Readonly<Record<string, unknown>>;

type Factor = NonNullable<VendorPriceBody['factors']>[number];

export interface LitellmRates {
  readonly rates: RateBody[];
  readonly factors: Factor[];
  readonly notes: string[];
  /** Other than USD where the entry has no price in dollars. */
  readonly currency: 'USD' | 'DBU';
}

const isRecord = (value: unknown): value is LitellmEntry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const conditionsKey = ({ meter, serviceTier = '', inputTokensOver = -1 }: RateBody): string =>
  [meter, serviceTier, inputTokensOver].join('\n');

const rateOf = (meaning: FieldMeaning, amount: Money): RateBody => ({
  ...meaning,
  rate: formatMoney(amount.times(meaning.per)),
});

/** Collects one entry's rates; two fields may say the same, and must not say two things. */
class Rates {
  readonly byConditions = new Map<string, RateBody>();
  readonly notes: string[] = [];

  add(field: string, listed: unknown, meaning: FieldMeaning): void {
    const read = readListedAmount(listed);
    if (!read) throw new NotExpressibleError(`${field} is no amount: ${JSON.stringify(listed)}`);
    const rate = rateOf(meaning, read.amount);
    const key = conditionsKey(rate);
    const known = this.byConditions.get(key);
    if (known && known.rate !== rate.rate) {
      throw new NotExpressibleError(`${field} prices ${rate.meter} again, at another rate`);
    }
    this.byConditions.set(key, rate);
    if (read.roundedFrom !== undefined)
      this.notes.push(`${field} rounded from ${read.roundedFrom}`);
  }
}

/** Fields that say what a cost is for, and no cost; or what is said of a model besides. */
const explanatory = new Set(['web_search_billing_unit', 'metadata', 'source', 'comment']);

/**
 * Searches by how much of what is found the model reads; where that makes no difference, one price for all. What
 * reports only that it searched is billed for the medium size, which vendors take where a request names none. Google
 * bills a prompt that was grounded, however many searches that took, unless the table says that it bills each query.
 */
const addSearches = (rates: Rates, entry: LitellmEntry, isGoogle: boolean): void => {
  const sizes = entry['search_context_cost_per_query'];
  if (sizes === undefined || sizes === null) return;
  const field = 'search_context_cost_per_query';
  if (!isRecord(sizes)) throw new NotExpressibleError(`${field} is no list of sizes`);
  const unit = entry['web_search_billing_unit'];
  if (unit !== undefined && unit !== 'per_query') {
    throw new NotExpressibleError(`a web search is billed ${JSON.stringify(unit)}`);
  }
  const byPrompt = isGoogle && unit === undefined;
  const meter = byPrompt ? 'grounded_prompt' : 'web_search';
  const metered = { unit: byPrompt ? 'prompt' : 'search', per: '1000' };
  const bySize = Object.entries(sizes).map(([name, listed]) => {
    const size = /^search_context_size_(low|medium|high)$/.exec(name)?.[1];
    if (size === undefined) throw new NotExpressibleError(`${field} has no size ${name} here`);
    return { name, size, listed };
  });
  const [first] = bySize;
  const isOne = bySize.every(({ listed }) => listed === first?.listed);
  for (const { name, size, listed } of bySize) {
    if (isOne || size === 'medium') rates.add(name, listed, { ...metered, meter });
    if (!isOne) rates.add(name, listed, { ...metered, meter: `${meter}_${size}` });
  }
};

const wholeNumber = (text: unknown): number | undefined => {
  const amount = readListedAmount(text)?.amount;
  return amount?.isInteger() && !amount.isNegative() && amount.lte(Number.MAX_SAFE_INTEGER)
    ? amount.toNumber()
    : undefined;
};

const rangeOf = (value: unknown): readonly [number, number] | undefined => {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [from, to] = [wholeNumber(value[0]), wholeNumber(value[1])];
  return from !== undefined && to !== undefined && from < to ? [from, to] : undefined;
};

type Range = readonly [number, number];

/** What a step of `tiered_pricing` makes of a field's meaning. */
const inStep = (
  step: LitellmEntry,
  before: Range | undefined,
): { range: Range; meaning: (of: FieldMeaning) => FieldMeaning } => {
  const tokens = rangeOf(step['range']);
  if (tokens) {
    const [from] = tokens;
    // An upper bound is inclusive, so what lies above it is strictly greater: `inputTokensOver`.
    if (from !== (before?.[1] ?? 0)) {
      throw new NotExpressibleError(`tiered_pricing leaves a gap before ${String(from)} tokens`);
    }
    return {
      range: tokens,
      meaning: (of) => (from === 0 ? of : { ...of, inputTokensOver: from }),
    };
  }
  const results = rangeOf(step['max_results_range']);
  if (!results) throw new NotExpressibleError('a step of tiered_pricing has no range');
  return {
    range: results,
    meaning: (of) => ({ ...of, meter: `${of.meter}_up_to_${String(results[1])}` }),
  };
};

const addSteps = (rates: Rates, steps: unknown, mode: string | undefined): void => {
  if (steps === undefined || steps === null) return;
  if (!Array.isArray(steps)) throw new NotExpressibleError('tiered_pricing is no list');
  let before: Range | undefined;
  for (const step of steps as unknown[]) {
    if (!isRecord(step)) throw new NotExpressibleError('a step of tiered_pricing is no object');
    const { range, meaning } = inStep(step, before);
    before = range;
    for (const [field, listed] of Object.entries(step)) {
      if (field === 'range' || field === 'max_results_range' || listed === null) continue;
      const metered = meaningOf(field, mode);
      if (!metered) throw new NotExpressibleError(`a cost field without a meaning here: ${field}`);
      rates.add(field, listed, meaning(metered));
    }
  }
};

const textInputs = ['input', 'cache_read', 'cache_write', 'cache_write_1h'];
const textOutputs = ['output', 'reasoning'];

/** A surcharge is on tokens, not on searches: those that are priced, and those whose price follows from them. */
const tokenMeters = (rates: readonly RateBody[]): string[] => {
  const listed = rates.filter(({ unit }) => unit === 'token').map(({ meter }) => meter);
  return [...new Set([...textInputs, ...textOutputs, ...listed])];
};

const factorOf = (name: string, listed: unknown, meters: string[]): Factor => {
  const amount = readListedAmount(listed)?.amount;
  if (!amount || amount.lte(0)) {
    throw new NotExpressibleError(`${name} is no factor: ${JSON.stringify(listed)}`);
  }
  const on = name === 'fast' ? { serviceTier: name } : { region: name };
  return { ...on, meters, factor: formatMoney(amount) };
};

/** Factors hide in two places: `regional_processing_uplift_multiplier_<region>` and `provider_specific_entry`. */
const factorsOf = (entry: LitellmEntry, rates: readonly RateBody[]): Factor[] => {
  const meters = tokenMeters(rates);
  const factors: Factor[] = [];
  for (const [field, listed] of Object.entries(entry)) {
    const region = /^regional_processing_uplift_multiplier_([a-z]{2,8})$/.exec(field)?.[1];
    if (region !== undefined) factors.push(factorOf(region, listed, meters));
  }
  const specific = entry['provider_specific_entry'];
  if (!isRecord(specific)) return factors;
  for (const [name, listed] of Object.entries(specific)) {
    if (name === 'bedrock_invocation_schema') continue;
    if (!/^(?:fast|[a-z]{2})$/.test(name)) {
      throw new NotExpressibleError(`provider_specific_entry.${name} has no meaning here`);
    }
    factors.push(factorOf(name, listed, meters));
  }
  return factors;
};

const isHandledElsewhere = (field: string): boolean =>
  field === 'search_context_cost_per_query' ||
  field === 'tiered_pricing' ||
  field.startsWith('regional_processing_uplift_multiplier_') ||
  explanatory.has(field);

const dbuField = /^(input|output)_dbu_cost_per_token$/;

/** Databricks lists its own units beside dollars; they are the price only where no dollars stand beside them. */
const addFields = (rates: Rates, entry: LitellmEntry, mode: string | undefined): 'USD' | 'DBU' => {
  const listed = Object.entries(entry).filter(
    ([field, value]) => saysCost(field) && value !== null && !isHandledElsewhere(field),
  );
  const inDollars = listed.filter(([field]) => !dbuField.test(field));
  const inUnits = listed.filter(([field]) => dbuField.test(field));
  const currency = inDollars.length === 0 && inUnits.length > 0 ? 'DBU' : 'USD';
  for (const [field, amount] of currency === 'DBU' ? inUnits : inDollars) {
    const meaning = meaningOf(field.replace('_dbu_', '_'), mode);
    if (!meaning) throw new NotExpressibleError(`a cost field without a meaning here: ${field}`);
    rates.add(field, amount, meaning);
  }
  const lone = inUnits.find(([field]) => !(field.replace('_dbu_', '_') in entry));
  if (currency === 'USD' && lone)
    throw new NotExpressibleError(`${lone[0]} has no price in dollars`);
  return currency;
};

/**
 * What an entry says that calls cost. @throws NotExpressibleError for a cost field that has no meaning here: none is
 * passed over.
 */
export const litellmRates = (
  entry: LitellmEntry,
  { isGoogle }: { readonly isGoogle: boolean },
): LitellmRates => {
  const mode = typeof entry['mode'] === 'string' ? entry['mode'] : undefined;
  const rates = new Rates();
  const currency = addFields(rates, entry, mode);
  addSearches(rates, entry, isGoogle);
  addSteps(rates, entry['tiered_pricing'], mode);
  const listed = [...rates.byConditions.values()];
  return { rates: listed, factors: factorsOf(entry, listed), notes: rates.notes, currency };
};
