import { z } from 'zod';
import { decimalPattern } from '@tollkeeper/kernel';

export const decimal = z.string().regex(decimalPattern, 'not a decimal amount');
export const isoTime = z.iso.datetime({ precision: 3 });

/**
 * Exclusive pools of one call: no token is counted in two of them. Keys are meters (`input`, `output`,
 * `cache_read`, `cache_write`, `cache_write_1h`, `reasoning`, …, an open set), values are counts in the meter's unit.
 */
export const usagePools = z.record(z.string().min(1).max(40), z.number().int().nonnegative());
export type UsagePools = Readonly<Record<string, number>>;

/** How we know the usage; `unknown` and `estimated` can be corrected later by `UsageCorrected`. */
export const provenances = ['exact', 'vendor-reported', 'estimated', 'unknown'] as const;
export type Provenance = (typeof provenances)[number];

/** Quantity in `unit`, priced at `rateUsd` dollars for each `per` of them. */
export const pricedLine = z.object({
  meter: z.string(),
  quantity: decimal,
  unit: z.string(),
  per: decimal,
  rateUsd: decimal,
});
export type PricedLine = z.infer<typeof pricedLine>;

export const multiplierLevels = [
  'provider+model+tier',
  'model',
  'provider',
  'tier',
  'default',
] as const;
export type MultiplierLevel = (typeof multiplierLevels)[number];

/** One call of one vendor, with all that its cost was computed from. Unbilled attempts have no lines. */
export const pricedAttempt = z.object({
  provider: z.string(),
  model: z.string(),
  /** What the vendor called the model that answered, where it differs. */
  answeredModel: z.string().optional(),
  vendorRequestId: z.string().optional(),
  serviceTier: z.string().optional(),
  /** Where the vendor ran it, as its price list names it. */
  region: z.string().optional(),
  billed: z.boolean(),
  provenance: z.enum(provenances),
  priceVersion: z.string(),
  lines: z.array(pricedLine),
  costUsd: decimal,
  multiplier: decimal,
  multiplierRule: z.string(),
  multiplierLevel: z.enum(multiplierLevels),
});
export type PricedAttempt = z.infer<typeof pricedAttempt>;
