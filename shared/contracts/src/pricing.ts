import { z } from 'zod';

/** Subjects of the pricing service. */
export const pricingSubjects = {
  /** Models that have a price now: `{}` → `modelsReply`. */
  models: 'pricing.v1.models',
} as const;

export const pricedModel = z.object({
  provider: z.string(),
  model: z.string(),
  aliases: z.array(z.string()),
  priceVersion: z.string(),
  effectiveFrom: z.string(),
  contextTokensMax: z.number().int().optional(),
  outputTokensMax: z.number().int().optional(),
});
export type PricedModel = z.infer<typeof pricedModel>;

export const modelsReply = z.object({ models: z.array(pricedModel), asOf: z.string() });
export type ModelsReply = z.infer<typeof modelsReply>;
