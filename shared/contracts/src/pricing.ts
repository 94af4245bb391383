import { z } from 'zod';

/** Subjects of the pricing service. */
export const pricingSubjects = {
  /** Models that have a price now: `{}` → `modelsReply`. */
  models: 'pricing.v1.models',
  /** What was recorded of prices, multipliers and credit value, in order: `bookQuery` → `bookReply`, page by page. */
  book: 'pricing.v1.book',
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

/** `after`: the `next` of the page before; without it, the first page. */
export const bookQuery = z.object({ after: z.number().int().nonnegative().optional() });

/** Events as @tollkeeper/events names them; `next` is absent on the last page. */
export const bookReply = z.object({
  events: z.array(z.object({ type: z.string(), data: z.unknown() })),
  next: z.number().int().optional(),
  asOf: z.string(),
});
export type BookReply = z.infer<typeof bookReply>;
