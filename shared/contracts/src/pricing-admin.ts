import { z } from 'zod';
import { decimal, id, modelRef, positiveDecimal, refused, text, time } from './common.js';

/**
 * Subjects for pricing admins. Each message carries an admin key in the header `Toll-Admin-Key`; its actor is recorded with the
 * change, its role is what it may do. A command is known again by its command id: the same body gets the first answer.
 */
export const pricingAdminSubjects = {
  listConfigs: 'pricing.admin.v1.list-configs',
  proposeConfig: 'pricing.admin.v1.propose-config',
  proposeWithdrawal: 'pricing.admin.v1.propose-withdrawal',
  approve: 'pricing.admin.v1.approve',
  reject: 'pricing.admin.v1.reject',
  listVendorPrices: 'pricing.admin.v1.list-vendor-prices',
  publishVendorPrice: 'pricing.admin.v1.publish-vendor-price',
  withdrawVendorPrice: 'pricing.admin.v1.withdraw-vendor-price',
  importPrices: 'pricing.admin.v1.import-prices',
  listAlerts: 'pricing.admin.v1.list-alerts',
  decideAlert: 'pricing.admin.v1.decide-alert',
  listSettings: 'pricing.admin.v1.list-settings',
  changeSetting: 'pricing.admin.v1.change-setting',
} as const;

export const pricingRefusals = [
  'invalid-request',
  'not-authorized',
  'not-permitted',
  'own-proposal',
  'unknown-config',
  'unknown-price',
  'unknown-alert',
  'unknown-setting',
  'unknown-simulation',
  'not-pending',
  'not-in-force',
  'below-cost',
  'implausible-rate',
  'exchange-rate-missing',
  'replay-mismatch',
  'busy',
  'store-unavailable',
  'internal',
] as const;
export type PricingRefusal = (typeof pricingRefusals)[number];

const commandId = { commandId: id.optional() };
const reason = text.trim().min(1).max(256);
const tier = z.enum(['free', 'pro', 'enterprise', 'enterprise_max']);
const page = {
  limit: z.number().int().min(1).max(500).default(100),
  /** The `next` of the page before; a page without a `next` is the last. */
  after: text.max(300).optional(),
};

/** No field: the default. Provider and model may stand together; a tier stands alone or with both. */
export const configScope = z.object({
  provider: text.min(1).max(64).optional(),
  model: text.min(1).max(160).optional(),
  tier: tier.optional(),
});

export const configStatuses = ['proposed', 'approved', 'rejected', 'withdrawn'] as const;
export const configView = z.object({
  ruleId: z.string(),
  scope: configScope,
  level: z.string(),
  multiplier: decimal,
  /** 1 − 1 ÷ multiplier, to 6 decimals. */
  margin: decimal,
  effectiveFrom: z.string(),
  status: z.enum(configStatuses),
  /** True for the one that charges calls of its scope now. */
  inForce: z.boolean(),
  proposedBy: z.string(),
  proposedAt: z.string(),
  reason: z.string(),
  decidedBy: z.string().optional(),
  decidedAt: z.string().optional(),
  decisionReason: z.string().optional(),
  automatic: z.boolean().optional(),
  withdrawal: z
    .object({
      withdrawalId: z.string(),
      status: z.enum(['proposed', 'approved', 'rejected']),
      effectiveFrom: z.string(),
      proposedBy: z.string(),
      proposedAt: z.string(),
      reason: z.string(),
      decidedBy: z.string().optional(),
      decidedAt: z.string().optional(),
      decisionReason: z.string().optional(),
    })
    .optional(),
});
export type ConfigView = z.infer<typeof configView>;

/** `proposed`: what awaits a decision, so also rules whose withdrawal is proposed. */
export const listConfigs = z.object({ status: z.enum(configStatuses).optional(), ...page });
export type ListConfigs = z.input<typeof listConfigs>;
export const listConfigsReply = z.union([
  z.object({ configs: z.array(configView), next: z.string().optional(), asOf: z.string() }),
  refused,
]);
export type ListConfigsReply = z.infer<typeof listConfigsReply>;

/**
 * A multiplier for a scope, from a date on: at the earliest the lead time after it is approved, whatever was asked for.
 * Approved at once where the change is within `auto_approve_change_max`.
 */
export const proposeConfig = z.object({
  ...commandId,
  scope: configScope,
  multiplier: positiveDecimal,
  effectiveFrom: time.optional(),
  reason,
  alertId: id.optional(),
});
export type ProposeConfig = z.input<typeof proposeConfig>;

export const proposeWithdrawal = z.object({
  ...commandId,
  ruleId: text.min(1).max(300),
  effectiveFrom: time.optional(),
  reason,
});
export type ProposeWithdrawal = z.input<typeof proposeWithdrawal>;

/** Of a rule or of its withdrawal: `proposalId` is the `ruleId` or `withdrawalId`. Never by whoever proposed it: `own-proposal`. */
export const decideProposal = z.object({
  ...commandId,
  proposalId: text.min(1).max(320),
  reason,
});
export type DecideProposal = z.input<typeof decideProposal>;

/** Of propose, approve and reject. */
export const configAccepted = z.object({ status: z.literal('accepted'), config: configView });
export const configReply = z.discriminatedUnion('status', [configAccepted, refused]);
export type ConfigReply = z.infer<typeof configReply>;

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM, UTC');
export const rateBody = z.object({
  meter: text.min(1).max(40),
  unit: text.min(1).max(32).default('token'),
  per: positiveDecimal.default('1000000'),
  /** In the price's currency, for `per` units. */
  rate: decimal.refine((amount) => !amount.startsWith('-'), 'must not be negative'),
  serviceTier: text.min(1).max(32).optional(),
  inputTokensOver: z.number().int().nonnegative().optional(),
  window: z.object({ from: clock, to: clock }).optional(),
  region: text.min(1).max(32).optional(),
});
export type RateBody = z.input<typeof rateBody>;

export const vendorPriceBody = z.object({
  ...modelRef.shape,
  aliases: z.array(text.min(1).max(160)).max(200).optional(),
  /** By default the lead time from now. In the past: a correction, which nothing that was charged follows until it is re-rated. */
  effectiveFrom: time.optional(),
  effectiveTo: time.optional(),
  rates: z.array(rateBody).min(1).max(400),
  factors: z
    .array(
      z.object({
        region: text.min(1).max(32).optional(),
        serviceTier: text.min(1).max(32).optional(),
        meters: z.array(text.min(1).max(40)).optional(),
        factor: positiveDecimal,
      }),
    )
    .max(40)
    .optional(),
  fallbacks: z
    .array(
      z.object({
        meter: text.min(1).max(40),
        of: text.min(1).max(40),
        ratio: positiveDecimal,
      }),
    )
    .max(40)
    .optional(),
  /** Other than USD: converted by `exchangeRate`, or by the setting `exchange_rate_<currency>`; refused without either. */
  currency: z
    .string()
    .regex(/^[A-Z]{3,4}$/, 'must be a currency code')
    .default('USD'),
  exchangeRate: z.object({ usdPerUnit: positiveDecimal, asOf: z.iso.date() }).optional(),
  contextTokensMax: z.number().int().positive().optional(),
  outputTokensMax: z.number().int().positive().optional(),
  source: z.object({
    name: text.min(1).max(128),
    version: text.max(128).optional(),
    url: text.max(512).optional(),
  }),
  notes: text.max(1024).optional(),
});
export type VendorPriceBody = z.input<typeof vendorPriceBody>;

/** A new version; those before it stay for what was reserved at them. */
export const publishVendorPrice = z.object({ ...commandId, price: vendorPriceBody, reason });
export type PublishVendorPrice = z.input<typeof publishVendorPrice>;

/** From then on the price is unknown, not free. */
export const withdrawVendorPrice = z.object({
  ...commandId,
  priceVersion: text.min(1).max(256),
  effectiveFrom: time.optional(),
  reason,
});
export type WithdrawVendorPrice = z.input<typeof withdrawVendorPrice>;

const storedRate = rateBody
  .omit({ rate: true })
  .extend({ unit: z.string(), per: decimal, rateUsd: decimal, listedRate: decimal.optional() });
export const vendorPriceView = z.object({
  priceVersion: z.string(),
  provider: z.string(),
  model: z.string(),
  aliases: z.array(z.string()),
  effectiveFrom: z.string(),
  effectiveTo: z.string().optional(),
  /** When it was withdrawn from. */
  withdrawnFrom: z.string().optional(),
  inForce: z.boolean(),
  rates: z.array(storedRate),
  factors: vendorPriceBody.shape.factors,
  fallbacks: vendorPriceBody.shape.fallbacks,
  exchange: z.object({ currency: z.string(), usdPerUnit: decimal, asOf: z.string() }).optional(),
  contextTokensMax: z.number().optional(),
  outputTokensMax: z.number().optional(),
  source: vendorPriceBody.shape.source,
  notes: z.string().optional(),
  publishedBy: z.string(),
  publishedAt: z.string(),
  reason: z.string().optional(),
});
export type VendorPriceView = z.infer<typeof vendorPriceView>;

export const vendorPriceAccepted = z.object({
  status: z.literal('accepted'),
  price: vendorPriceView,
});
export const vendorPriceReply = z.discriminatedUnion('status', [vendorPriceAccepted, refused]);
export type VendorPriceReply = z.infer<typeof vendorPriceReply>;

/** The versions in force, or with `history` every version of what is named, newest first. */
export const listVendorPrices = z.object({
  provider: text.max(64).optional(),
  model: text.max(160).optional(),
  history: z.boolean().default(false),
  ...page,
});
export type ListVendorPrices = z.input<typeof listVendorPrices>;
export const listVendorPricesReply = z.union([
  z.object({ prices: z.array(vendorPriceView), next: z.string().optional(), asOf: z.string() }),
  refused,
]);
export type ListVendorPricesReply = z.infer<typeof listVendorPricesReply>;

/** Part of an import: as many prices as a message holds. A new model is published; a changed price raises an alert. */
export const importPrices = z.object({
  ...commandId,
  prices: z.array(vendorPriceBody).min(1).max(200),
  /** Says what would become of each, and records nothing. */
  dryRun: z.boolean().default(false),
  reason,
});
export type ImportPrices = z.input<typeof importPrices>;

export const importOutcomes = [
  'new',
  'unchanged',
  'changed',
  'ignored',
  'quarantined',
  'refused',
] as const;
export const importedPrice = z.object({
  provider: z.string(),
  model: z.string(),
  outcome: z.enum(importOutcomes),
  /** Why it is quarantined or refused. */
  message: z.string().optional(),
  priceVersion: z.string().optional(),
  alertId: z.string().optional(),
  severity: z.enum(['critical', 'warning', 'info']).optional(),
  /** True where the change was within the thresholds and is published. */
  applied: z.boolean().optional(),
  /** Left out where the message would be too large: they stand in the alert. */
  changes: z
    .array(
      z.object({
        meter: z.string(),
        unit: z.string(),
        per: decimal,
        fromUsd: decimal.optional(),
        toUsd: decimal.optional(),
        /** Conditions as a rate has them; absent: the standard tier, any total input, hour and region. */
        serviceTier: z.string().optional(),
        inputTokensOver: z.number().optional(),
        window: z.object({ from: z.string(), to: z.string() }).optional(),
        region: z.string().optional(),
      }),
    )
    .optional(),
});
export type ImportedPrice = z.infer<typeof importedPrice>;
export const importReply = z.discriminatedUnion('status', [
  z.object({ status: z.literal('accepted'), prices: z.array(importedPrice) }),
  refused,
]);
export type ImportReply = z.infer<typeof importReply>;

export const alertStates = ['open', 'acknowledged', 'applied', 'ignored'] as const;
export const alertView = z.object({
  alertId: z.string(),
  provider: z.string(),
  model: z.string(),
  severity: z.enum(['critical', 'warning', 'info']),
  state: z.enum(alertStates),
  priceVersion: z.string(),
  changes: importedPrice.shape.changes.unwrap(),
  costChange: decimal,
  margins: z.array(
    z.object({
      tier,
      multiplier: decimal,
      before: decimal,
      after: decimal,
      target: decimal.optional(),
    }),
  ),
  recommended: z.object({ scope: configScope, multiplier: decimal }).optional(),
  raisedAt: z.string(),
  source: vendorPriceBody.shape.source,
  decidedBy: z.string().optional(),
  decidedAt: z.string().optional(),
  reason: z.string().optional(),
  appliedVersion: z.string().optional(),
  automatic: z.boolean().optional(),
});
export type AlertView = z.infer<typeof alertView>;

export const listAlerts = z.object({ state: z.enum(alertStates).optional(), ...page });
export type ListAlerts = z.input<typeof listAlerts>;
export const listAlertsReply = z.union([
  z.object({ alerts: z.array(alertView), next: z.string().optional(), asOf: z.string() }),
  refused,
]);
export type ListAlertsReply = z.infer<typeof listAlertsReply>;

/** `apply` publishes the price; with `proposeMultiplier` it also proposes what was recommended, which somebody else approves. */
export const decideAlert = z.object({
  ...commandId,
  alertId: id,
  decision: z.enum(['acknowledge', 'apply', 'ignore']),
  proposeMultiplier: z.boolean().default(false),
  effectiveFrom: time.optional(),
  reason,
});
export type DecideAlert = z.input<typeof decideAlert>;
export const alertReply = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('accepted'),
    alert: alertView,
    price: vendorPriceView.optional(),
    config: configView.optional(),
  }),
  refused,
]);
export type AlertReply = z.infer<typeof alertReply>;

export const settingView = z.object({
  key: z.string(),
  value: z.string(),
  description: z.string(),
  /** False: the built-in value, which a service's environment may override. */
  changed: z.boolean(),
  updatedAt: z.string().optional(),
  updatedBy: z.string().optional(),
  reason: z.string().optional(),
  /** What is set and has not begun. */
  next: z.object({ value: z.string(), effectiveFrom: z.string() }).optional(),
});
export type SettingView = z.infer<typeof settingView>;
export const listSettingsReply = z.union([
  z.object({ settings: z.array(settingView), asOf: z.string() }),
  refused,
]);
export type ListSettingsReply = z.infer<typeof listSettingsReply>;

/** `default_multiplier` becomes a proposal; everything else holds from the lead time on. */
export const changeSetting = z.object({
  ...commandId,
  key: text.min(1).max(64),
  value: text.max(8192),
  effectiveFrom: time.optional(),
  reason,
});
export type ChangeSetting = z.input<typeof changeSetting>;
export const settingReply = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('accepted'),
    setting: settingView,
    effectiveFrom: z.string(),
    /** What somebody else is to approve before it holds. */
    config: configView.optional(),
  }),
  refused,
]);
export type SettingReply = z.infer<typeof settingReply>;
