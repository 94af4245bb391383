import type { VendorPricePublished } from '@tollkeeper/events';
import {
  datedRatesOf,
  exactNames,
  NotExpressibleError,
  quarantineReason,
  source,
} from '@tollkeeper/price-table';
import type { ModelInfo, Provider } from '@pydantic/genai-prices';

/** What the price table does not know of models: names they also answer to, and limits. */
export interface ModelFact {
  readonly provider: string;
  readonly name: string;
  readonly contextTokensMax?: number;
  readonly outputTokensMax?: number;
}

export interface Quarantined {
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
}

export interface Seed {
  readonly prices: readonly VendorPricePublished[];
  readonly quarantined: readonly Quarantined[];
  /** Models of other kinds than chat: `<provider>:<model>`. */
  readonly passedOver: readonly string[];
}

export interface SeedInput {
  readonly providers: readonly Provider[];
  readonly facts: readonly ModelFact[];
  /** The table's own lookup of a name: whichever model matches first. */
  readonly find: (providerId: string, name: string) => ModelInfo | undefined;
}

const seededProviders = ['openai', 'anthropic', 'google', 'deepseek', 'azure'] as const;

/** Azure charges OpenAI's prices; the table says so by falling back where Azure lists none of its own. */
const followed: Readonly<Record<string, string>> = { azure: 'openai' };

const notChat =
  /^ft:|\.ft-|:|embedding|moderation|whisper|tts|transcribe|audio|realtime|image|live|omni|vision|search|computer-use|^gpt.*-instruct|^(ada|babbage|curie|davinci|text-davinci)/;

/** The table's own words for prices that it has from elsewhere than the vendor. */
const hearsay = /Imported from OpenRouter|trusting (the original source|these prices)/;

const aliasesOf = (providerId: string, model: ModelInfo, input: SeedInput): string[] => {
  const facts = input.facts.filter(({ provider }) => provider === providerId);
  const names = new Set([...exactNames(model.match), ...facts.map(({ name }) => name)]);
  return [...names]
    .filter((name) => name !== model.id && !notChat.test(name))
    .filter((name) => input.find(providerId, name) === model)
    .sort();
};

const limitsOf = (
  providerId: string,
  model: ModelInfo,
  input: SeedInput,
): Pick<VendorPricePublished, 'contextTokensMax' | 'outputTokensMax'> => {
  const factOf = (id: string | undefined): ModelFact | undefined =>
    input.facts.find(({ provider, name }) => provider === id && name === model.id);
  const fact = factOf(providerId) ?? factOf(followed[providerId]);
  const contextTokensMax = model.context_window ?? fact?.contextTokensMax;
  const outputTokensMax = fact?.outputTokensMax;
  return {
    ...(contextTokensMax === undefined ? {} : { contextTokensMax }),
    ...(outputTokensMax === undefined ? {} : { outputTokensMax }),
  };
};

const versionsOf = (
  providerId: string,
  model: ModelInfo,
  input: SeedInput,
): VendorPricePublished[] => {
  const aliases = aliasesOf(providerId, model, input);
  const ownModels = input.providers.find(({ id }) => id === providerId)?.models ?? [];
  const notes = ownModels.includes(model)
    ? {}
    : { notes: `as ${String(followed[providerId])} lists it` };
  return datedRatesOf(model).map(({ effectiveFrom, rates }, place) => ({
    priceVersion: `${providerId}:${model.id}@${String(place + 1)}`,
    provider: providerId,
    model: model.id,
    ...(aliases.length === 0 ? {} : { aliases }),
    effectiveFrom,
    rates,
    ...limitsOf(providerId, model, input),
    source,
    ...notes,
  }));
};

const faultOf = (
  providerId: string,
  model: ModelInfo,
  versions: readonly VendorPricePublished[],
  input: SeedInput,
): string | undefined => {
  for (const { rates } of versions) {
    const reason = quarantineReason(rates);
    if (reason !== undefined) return reason;
  }
  if (model.price_comments !== undefined && hearsay.test(model.price_comments)) {
    return 'not the vendor’s own price, as the table says itself';
  }
  return input.find(providerId, model.id) === model
    ? undefined
    : 'another model answers to its name';
};

const offersOf = (providerId: string, input: SeedInput): ModelInfo[] => {
  const modelsOf = (id: string | undefined): ModelInfo[] =>
    input.providers.find((provider) => provider.id === id)?.models ?? [];
  const own = modelsOf(providerId);
  const shared = modelsOf(followed[providerId]).filter(
    (model) => input.find(providerId, model.id) === model,
  );
  return [...own, ...shared];
};

const isPricedByOutput = ({ prices }: ModelInfo): boolean =>
  (Array.isArray(prices) ? prices : [{ prices }]).some(
    ({ prices: price }) => Object.keys(price).length === 0 || price['output_mtok'] !== undefined,
  );

/** The dated prices of every chat model that passes the sanity gate; a model passes whole or not at all. */
export const makeSeed = (input: SeedInput): Seed => {
  const prices: VendorPricePublished[] = [];
  const quarantined: Quarantined[] = [];
  const passedOver: string[] = [];
  for (const provider of seededProviders) {
    for (const model of offersOf(provider, input)) {
      if (notChat.test(model.id) || !isPricedByOutput(model)) {
        passedOver.push(`${provider}:${model.id}`);
        continue;
      }
      try {
        const versions = versionsOf(provider, model, input);
        const reason = faultOf(provider, model, versions, input);
        if (reason === undefined) prices.push(...versions);
        else quarantined.push({ provider, model: model.id, reason });
      } catch (error) {
        if (!(error instanceof NotExpressibleError)) throw error;
        quarantined.push({ provider, model: model.id, reason: error.message });
      }
    }
  }
  return { prices, quarantined, passedOver };
};

/** One version a line, so that a new release of the table shows as a readable diff. */
export const seedText = (prices: readonly VendorPricePublished[]): string =>
  `[\n${prices.map((price) => JSON.stringify(price)).join(',\n')}\n]\n`;
