import { findTableModel, readProviders } from '@tollkeeper/price-table';
import facts from './model-facts.json' with { type: 'json' };
import type { SeedInput } from './make-seed.js';

/** The pinned price table, and what it does not know of models. */
export const readSeedInput = async (): Promise<SeedInput> => ({
  providers: await readProviders(),
  facts: facts.models,
  find: (providerId, name) => findTableModel(providerId, name)?.model,
});
