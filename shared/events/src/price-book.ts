import { z } from 'zod';
import { tiers } from './credit-account.js';
import { decimal, isoTime } from './usage.js';

/** The events of streams `vendorPrice-<provider>:<model>` (its alerts too), `multiplier-<scope>` and `setting-<name>`. */

export const priceBookCategories = ['vendorPrice', 'multiplier', 'setting'] as const;

/** The actor of what a new price book begins with: whose proposals nobody else had to approve, and nobody's key. */
export const seedActor = 'seed';

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
  /** Where the vendor ran the call, as its price list names it; absent: anywhere. */
  region: z.string().optional(),
  /** The amount in the version's `exchange` currency that `rateUsd` was converted from. */
  listedRate: decimal.optional(),
});
export type VendorRate = z.infer<typeof vendorRate>;

/** Multiplies every rate that it names, where it holds: `{ region: 'us', factor: '1.1' }`, `{ serviceTier: 'fast', factor: '6' }`. */
const rateFactor = z.object({
  region: z.string().optional(),
  serviceTier: z.string().optional(),
  /** Absent: every meter. */
  meters: z.array(z.string()).optional(),
  factor: decimal,
});
export type RateFactor = z.infer<typeof rateFactor>;

/** Prices a meter that has no rate as a part of another's; flagged on every charge that it makes. */
const ratioFallback = z.object({ meter: z.string(), of: z.string(), ratio: decimal });
export type RatioFallback = z.infer<typeof ratioFallback>;

/** The dated rate by which a price list in another currency became US dollars. */
const exchange = z.object({
  currency: z.string().regex(/^[A-Z]{3,4}$/, 'not a currency code'),
  usdPerUnit: decimal,
  asOf: z.iso.date(),
});
export type Exchange = z.infer<typeof exchange>;

const vendorPricePublished = z.object({
  /** Immutable id of this version: `<provider>:<model>@<n>`. */
  priceVersion: z.string(),
  provider: z.string(),
  model: z.string(),
  aliases: z.array(z.string()).optional(),
  effectiveFrom: isoTime,
  effectiveTo: isoTime.optional(),
  rates: z.array(vendorRate).min(1),
  factors: z.array(rateFactor).optional(),
  fallbacks: z.array(ratioFallback).optional(),
  /** Absent: the vendor lists US dollars. */
  exchange: exchange.optional(),
  contextTokensMax: z.number().int().positive().optional(),
  outputTokensMax: z.number().int().positive().optional(),
  source: z.object({
    name: z.string(),
    version: z.string().optional(),
    url: z.string().optional(),
  }),
  notes: z.string().optional(),
  /** Why whoever published it did. */
  reason: z.string().optional(),
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
  /** Immutable id of this rule, and of its proposal: `<scope>@<n>`. */
  ruleId: z.string(),
  scope: multiplierScope,
  multiplier: decimal,
  effectiveFrom: isoTime,
  reason: z.string(),
  /** The price alert that recommended it. */
  alertId: z.string().optional(),
});
const multiplierApproved = z.object({
  ruleId: z.string(),
  reason: z.string().optional(),
  /** Later than what was proposed where the approval came late. */
  effectiveFrom: isoTime.optional(),
  /** By the rule for small changes, not by a second person. */
  automatic: z.literal(true).optional(),
});
const multiplierRejected = z.object({ ruleId: z.string(), reason: z.string() });

/** A withdrawal is a proposal too; `MultiplierWithdrawn` is its approval. */
const multiplierWithdrawalProposed = z.object({
  /** `<ruleId>-withdrawal-<n>`. */
  withdrawalId: z.string(),
  ruleId: z.string(),
  effectiveFrom: isoTime,
  reason: z.string(),
});
const multiplierWithdrawalRejected = z.object({
  withdrawalId: z.string(),
  ruleId: z.string(),
  reason: z.string(),
});
const multiplierWithdrawn = z.object({
  ruleId: z.string(),
  effectiveFrom: isoTime,
  reason: z.string(),
  withdrawalId: z.string().optional(),
});

const creditPolicySet = z.object({
  policyId: z.string(),
  usdPerCredit: decimal,
  decimals: z.number().int().min(0).max(12),
  rounding: z.literal('ceil'),
  effectiveFrom: isoTime,
  reason: z.string().optional(),
});
export type CreditPolicy = z.infer<typeof creditPolicySet>;

/** A setting's text is what its definition says; see `settingDefinitions` in @tollkeeper/pricing. */
const settingChanged = z.object({
  name: z.string(),
  value: z.string(),
  effectiveFrom: isoTime,
  reason: z.string().optional(),
});

export const alertSeverities = ['critical', 'warning', 'info'] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

/** Conditions as `vendorRate` has them; absent: the standard tier, any total input, hour and region. */
const rateChange = z.object({
  meter: z.string(),
  unit: z.string(),
  per: decimal,
  fromUsd: decimal.optional(),
  toUsd: decimal.optional(),
  serviceTier: z.string().optional(),
  inputTokensOver: z.number().int().nonnegative().optional(),
  window: z.object({ from: z.string(), to: z.string() }).optional(),
  region: z.string().optional(),
});
export type RateChange = z.infer<typeof rateChange>;

/** An import found another price of a model that has one; it is not used before the alert is applied. */
const priceAlertRaised = z.object({
  alertId: z.string(),
  provider: z.string(),
  model: z.string(),
  severity: z.enum(alertSeverities),
  /** The version in force when it was raised. */
  priceVersion: z.string(),
  /** What would be published, but for its version's id. */
  candidate: vendorPricePublished.omit({ priceVersion: true }),
  /** What some usage would cost otherwise, by its conditions; a side on which it has no price is absent. */
  changes: z.array(rateChange),
  /** The greatest rise (negative: only falls) of a rate, as a share of it: `0.2` is 20 % dearer. */
  costChange: decimal,
  /** Margins as shares of the charge, by tier, at the multipliers in force. */
  margins: z.array(
    z.object({
      tier: z.enum(tiers),
      multiplier: decimal,
      /** Charges follow the vendor's price, as they did and as they do once the alert is applied: 1 − 1 ÷ multiplier. */
      before: decimal,
      /** Until it is applied: the vendor bills the new price, customers are charged for the one in force. */
      after: decimal,
      target: decimal.optional(),
    }),
  ),
  /**
   * What would meet the margin target on charges for the new price, to be proposed as it is applied. Absent where the
   * multipliers in force meet it: applying the alert is enough.
   */
  recommended: z.object({ scope: multiplierScope, multiplier: decimal }).optional(),
});
const priceAlertAcknowledged = z.object({ alertId: z.string(), reason: z.string().optional() });
const priceAlertApplied = z.object({
  alertId: z.string(),
  priceVersion: z.string(),
  reason: z.string().optional(),
  /** Within the thresholds for it, by nobody. */
  automatic: z.literal(true).optional(),
});
/** The same price from the same source raises no other alert. */
const priceAlertIgnored = z.object({ alertId: z.string(), reason: z.string() });

export const priceBookSchemas = {
  VendorPricePublished: vendorPricePublished,
  VendorPriceWithdrawn: vendorPriceWithdrawn,
  MultiplierProposed: multiplierProposed,
  MultiplierApproved: multiplierApproved,
  MultiplierRejected: multiplierRejected,
  MultiplierWithdrawalProposed: multiplierWithdrawalProposed,
  MultiplierWithdrawalRejected: multiplierWithdrawalRejected,
  MultiplierWithdrawn: multiplierWithdrawn,
  CreditPolicySet: creditPolicySet,
  SettingChanged: settingChanged,
  PriceAlertRaised: priceAlertRaised,
  PriceAlertAcknowledged: priceAlertAcknowledged,
  PriceAlertApplied: priceAlertApplied,
  PriceAlertIgnored: priceAlertIgnored,
} as const;

type Schemas = typeof priceBookSchemas;
export type PriceBookEventType = keyof Schemas;
export type PriceBookEvent = {
  [T in PriceBookEventType]: { readonly type: T; readonly data: Readonly<z.infer<Schemas[T]>> };
}[PriceBookEventType];
export type PriceBookEventOf<T extends PriceBookEventType> = Extract<
  PriceBookEvent,
  { readonly type: T }
>;
