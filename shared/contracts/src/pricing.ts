import { z } from 'zod';
import { decimal, id, modelRef, refused, time } from './common.js';

/** Subjects of the pricing service. */
export const pricingSubjects = {
  /** Models that have a price now: `{}` → `modelsReply`. */
  models: 'pricing.v1.models',
  /** What was recorded of prices, multipliers and credit value, in order: `bookQuery` → `bookReply`, page by page. */
  book: 'pricing.v1.book',
  /** What a call would cost and be charged: `quoteQuery` → `quoteReply`. Nothing is reserved. */
  quote: 'pricing.v1.quote',
  /** Any charge, line by line: `explainQuery` → `explainReply`. */
  explain: 'pricing.v1.explain',
  /** Run-time settings in force: `{}` → `settingsReply`. */
  settings: 'pricing.v1.settings',
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

const tier = z.enum(['free', 'pro', 'enterprise', 'enterprise_max']);
const tokens = z.number().int().nonnegative().max(1_000_000_000);

/** Either exclusive pools (`usage`: an estimate of what is known) or a bound of a call to come. */
export const quoteQuery = z
  .object({
    ...modelRef.shape,
    tier: tier.default('free'),
    serviceTier: z.string().max(32).optional(),
    region: z.string().max(32).optional(),
    /** When the call begins; now by default. */
    at: time.optional(),
    usage: z.record(z.string().min(1).max(40), tokens).optional(),
    bounds: z
      .object({
        inputTokens: tokens,
        outputTokens: tokens,
        choices: z.number().int().min(1).max(128).default(1),
      })
      .optional(),
  })
  .refine(
    ({ usage, bounds }) => (usage === undefined) !== (bounds === undefined),
    'either usage or bounds',
  );
export type QuoteQuery = z.input<typeof quoteQuery>;

/** A line of a cost: `quantity` × `rateUsd` ÷ `per`. */
export const costLine = z.object({
  meter: z.string(),
  quantity: decimal,
  unit: z.string(),
  per: decimal,
  rateUsd: decimal,
  costUsd: decimal,
});
export type CostLine = z.infer<typeof costLine>;

/** Refused: `unknown-price`, `below-cost`, `no-terms`. */
export const quoteView = z.object({
  provider: z.string(),
  model: z.string(),
  priceVersion: z.string(),
  /** One line, `bound`, where bounds were asked about. */
  lines: z.array(costLine),
  vendorCostUsd: decimal,
  multiplier: decimal,
  multiplierRule: z.string(),
  multiplierLevel: z.string(),
  policyId: z.string(),
  usdPerCredit: decimal,
  chargeCredits: decimal,
  chargeUsd: decimal,
  /** (charge − cost) ÷ charge, to 6 decimals; absent where nothing is charged. */
  margin: decimal.optional(),
  flags: z.array(z.string()),
  at: z.string(),
});
export type QuoteView = z.infer<typeof quoteView>;
export const quoteReply = z.union([quoteView, refused]);
export type QuoteReply = z.infer<typeof quoteReply>;

export const explainQuery = z.object({ accountId: id, reservationId: id });
export type ExplainQuery = z.input<typeof explainQuery>;

/** How a multiplier came to be: who proposed it, who approved it, and why. */
export const ruleTrail = z.object({
  ruleId: z.string(),
  level: z.string(),
  multiplier: decimal,
  effectiveFrom: z.string(),
  proposedBy: z.string(),
  proposedAt: z.string(),
  reason: z.string(),
  decidedBy: z.string().optional(),
  decidedAt: z.string().optional(),
  decisionReason: z.string().optional(),
});
export type RuleTrail = z.infer<typeof ruleTrail>;

/** Refused: `unknown-reservation`. */
export const explainView = z.object({
  accountId: z.string(),
  reservationId: z.string(),
  requestedAt: z.string(),
  attempts: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      billed: z.boolean(),
      provenance: z.string(),
      priceVersion: z.string(),
      source: z.string(),
      lines: z.array(costLine),
      costUsd: decimal,
      multiplier: decimal,
      rule: ruleTrail,
    }),
  ),
  vendorCostUsd: decimal,
  usdPerCredit: decimal,
  creditDecimals: z.number().int(),
  chargeCredits: decimal,
  roundingCredits: decimal,
  refundedCredits: decimal,
  flags: z.array(z.string()),
  /** The same as sentences, one step each. */
  text: z.array(z.string()),
  asOf: z.string(),
});
export type ExplainView = z.infer<typeof explainView>;
export const explainReply = z.union([explainView, refused]);
export type ExplainReply = z.infer<typeof explainReply>;

/** Only what admins have set: a service's own default holds for the rest. */
export const settingsReply = z.object({
  settings: z.record(z.string(), z.string()),
  asOf: z.string(),
});
export type SettingsReply = z.infer<typeof settingsReply>;
