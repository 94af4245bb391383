import { calcPrice, waitForUpdate, type ModelInfo } from '@pydantic/genai-prices';
import facts from './model-facts.json' with { type: 'json' };
import type { SeedInput } from './make-seed.js';

const find = (providerId: string, name: string): ModelInfo | undefined =>
  calcPrice({ input_tokens: 0 }, name, { providerId })?.model;

/** The pinned package's data, as it ships: nothing is fetched. */
export const readPriceTable = async (): Promise<SeedInput> => {
  const providers = await waitForUpdate();
  if (!providers) throw new Error('the price table holds no providers');
  return { providers, facts: facts.models, find };
};
