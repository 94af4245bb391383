import { z } from 'zod';
import { tiers } from './credit-account.js';
import { decimal, isoTime } from './usage.js';

/** The events of streams `vendorPrice-<provider>:<model>`, `multiplier-<scope>` and `setting-<name>`. */

export const priceBookCategories = ['vendorPrice', 'multiplier', 'setting'] as const;

export const vendorPriceStream = (provider: string, model: string): string =>
  `vendorPrice-${provider}:${model}`;
export const settingStream = (name: string): string => `setting-${name}`;

/**
 * One rate of a price version. The most specific rate whose conditions hold prices a meter:
 * `serviceTier` absent means standard; `inputTokensOver` prices the whole request when its total input is
 * strictly greater.
 */
export const vendorRate = z.object({
  /** An open set: `input`, `output`, `cache_read`, `cache_write`, `cache_write_1h`, `reasoning`, … */
  meter: z.string().min(1).max(40),
  unit: z.string().min(1),
  per: decimal,
  rateUsd: decimal,
  serviceTier: z.string().optional(),
  inputTokensOver: z.number().int().nonnegative().optional(),
  /** UTC `HH:MM`; may wrap midnight. */
  window: z.object({ from: z.string(), to: z.string() }).optional(),
});
export type VendorRate = z.infer<typeof vendorRate>;

const vendorPricePublished = z.object({
  /** Immutable id of this version: `<provider>:<model>@<n>`. */
  priceVersion: z.string(),
  provider: z.string(),
  model: z.string(),
  aliases: z.array(z.string()).optional(),
  effectiveFrom: isoTime,
  effectiveTo: isoTime.optional(),
  rates: z.array(vendorRate).min(1),
  contextTokensMax: z.number().int().positive().optional(),
  outputTokensMax: z.number().int().positive().optional(),
  source: z.object({
    name: z.string(),
    version: z.string().optional(),
    url: z.string().optional(),
  }),
  notes: z.string().optional(),
});
export type VendorPricePublished = z.infer<typeof vendorPricePublished>;

const vendorPriceWithdrawn = z.object({
  provider: z.string(),
  model: z.string(),
  priceVersion: z.string(),
  effectiveFrom: isoTime,
  reason: z.string(),
});

/** No field: the default. Provider, model and tier together: the most specific level. */
export const multiplierScope = z.object({
  provider: z.string().optional(),
  model: z.string().optional(),
  tier: z.enum(tiers).optional(),
});
export type MultiplierScope = z.infer<typeof multiplierScope>;

const multiplierProposed = z.object({
  ruleId: z.string(),
  scope: multiplierScope,
  multiplier: decimal,
  effectiveFrom: isoTime,
  reason: z.string(),
});
const multiplierApproved = z.object({ ruleId: z.string(), reason: z.string().optional() });
const multiplierRejected = z.object({ ruleId: z.string(), reason: z.string() });
const multiplierWithdrawn = z.object({
  ruleId: z.string(),
  effectiveFrom: isoTime,
  reason: z.string(),
});

const creditPolicySet = z.object({
  policyId: z.string(),
  usdPerCredit: decimal,
  decimals: z.number().int().min(0).max(12),
  rounding: z.literal('ceil'),
  effectiveFrom: isoTime,
});
export type CreditPolicy = z.infer<typeof creditPolicySet>;

const settingChanged = z.object({ name: z.string(), value: z.string(), effectiveFrom: isoTime });

export const priceBookSchemas = {
  VendorPricePublished: vendorPricePublished,
  VendorPriceWithdrawn: vendorPriceWithdrawn,
  MultiplierProposed: multiplierProposed,
  MultiplierApproved: multiplierApproved,
  MultiplierRejected: multiplierRejected,
  MultiplierWithdrawn: multiplierWithdrawn,
  CreditPolicySet: creditPolicySet,
  SettingChanged: settingChanged,
} as const;

type Schemas = typeof priceBookSchemas;
export type PriceBookEventType = keyof Schemas;
export type PriceBookEvent = {
  [T in PriceBookEventType]: { readonly type: T; readonly data: Readonly<z.infer<Schemas[T]>> };
}[PriceBookEventType];
