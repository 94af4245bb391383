import type { ModelsReply, PricedModel } from '@tollkeeper/contracts';
import type { PriceVersion } from '@tollkeeper/pricing';

const toPricedModel = (version: PriceVersion): PricedModel => ({
  provider: version.provider,
  model: version.model,
  aliases: [...version.aliases],
  priceVersion: version.id,
  effectiveFrom: new Date(version.effectiveFromMs).toISOString(),
  ...(version.contextTokensMax === undefined ? {} : { contextTokensMax: version.contextTokensMax }),
  ...(version.outputTokensMax === undefined ? {} : { outputTokensMax: version.outputTokensMax }),
});

export const toModelsReply = (versions: readonly PriceVersion[], at: Date): ModelsReply => ({
  models: versions.map(toPricedModel),
  asOf: at.toISOString(),
});
