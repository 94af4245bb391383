import {
  calcPrice,
  findProvider,
  waitForUpdate,
  type MatchLogic,
  type ModelInfo,
  type Provider,
} from '@pydantic/genai-prices';

/** The price table that prices are taken from; exact-pinned in package.json. */
export const source = {
  name: '@pydantic/genai-prices',
  version: '0.1.8',
  url: 'https://github.com/pydantic/genai-prices',
} as const;

export interface TableModel {
  readonly provider: Provider;
  readonly model: ModelInfo;
}

/** The pinned package's data, as it ships: nothing is fetched. */
export const readProviders = async (): Promise<readonly Provider[]> => {
  const providers = await waitForUpdate();
  if (!providers) throw new Error('the price table holds no providers');
  return providers;
};

/** The table's own lookup of a provider, by id or by its matching rule. */
export const findTableProvider = (providerId: string): Provider | undefined =>
  findProvider({ providerId });

/**
 * The table's own lookup of a name: whichever model's matching rule holds first, then those of the providers that
 * it falls back on; a model's id finds it also where its rule is for longer names.
 */
export const findTableModel = (providerId: string, name: string): TableModel | undefined => {
  const found = calcPrice({ input_tokens: 0 }, name, { providerId });
  if (found) return { provider: found.provider, model: found.model };
  const provider = findTableProvider(providerId);
  const model = provider?.models.find(({ id }) => id === name.trim());
  return provider && model && { provider, model };
};

/** The names that a model's matching rule gives in full. */
export const exactNames = (match: MatchLogic): string[] => {
  if ('equals' in match) return [match.equals];
  return 'or' in match ? match.or.flatMap(exactNames) : [];
};
