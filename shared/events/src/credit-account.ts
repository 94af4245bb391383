import { z } from 'zod';
import { decimal, isoTime, pricedAttempt } from './usage.js';

/** The events of stream `credit-<accountId>`. Names and shapes are stored for ever. */

export const creditStream = (accountId: string): string => `credit-${accountId}`;
export const creditCategory = 'credit';

export const tiers = ['free', 'pro', 'enterprise', 'enterprise_max'] as const;
export type Tier = (typeof tiers)[number];

export const grantKinds = [
  'purchase',
  'initial',
  'subscription',
  'promotion',
  'refund',
  'adjustment',
] as const;
export type GrantKind = (typeof grantKinds)[number];

/** All kinds start here, so that expiring-first is the default draw order. */
export const defaultGrantPriority = 100;

export const releaseReasons = ['failed', 'cancelled', 'expired'] as const;
export type ReleaseReason = (typeof releaseReasons)[number];

export const debtCauses = ['over-reservation', 'late-usage', 'correction'] as const;
export type DebtCause = (typeof debtCauses)[number];

const allocation = z.object({ grantId: z.string(), amountCredits: decimal });
/** A part of a grant. */
export type Allocation = z.infer<typeof allocation>;

const debt = z.object({ amountCredits: decimal, cause: z.enum(debtCauses) });

const accountOpened = z.object({
  accountId: z.string(),
  kind: z.enum(['personal', 'organization']),
  ownerUserId: z.string(),
  tier: z.enum(tiers),
  /** IANA zone of the account's reporting days. */
  timeZone: z.string(),
});

const creditsGranted = z.object({
  grantId: z.string(),
  kind: z.enum(grantKinds),
  amountCredits: decimal,
  /** Lower is drawn first. */
  priority: z.number().int(),
  effectiveAt: isoTime,
  expiresAt: isoTime.optional(),
  /** What was paid for the whole grant; absent when nothing is known. */
  costBasisUsd: decimal.optional(),
  externalReference: z.string().optional(),
  localDate: z.iso.date(),
});

/** Who caused the spending and what for: ids only, never names or texts. */
const purpose = z.object({
  userId: z.string(),
  projectId: z.string().optional(),
  keyId: z.string().optional(),
  taskType: z.string().optional(),
  context: z.record(z.string(), z.string()).optional(),
});
export type Purpose = z.infer<typeof purpose>;

const quotedCandidate = z.object({
  provider: z.string(),
  model: z.string(),
  priceVersion: z.string(),
  multiplierRule: z.string(),
  boundUsd: decimal,
});
export type QuotedCandidate = z.infer<typeof quotedCandidate>;

/** Fixes price versions, rules and policy by id at reserve, so that a settle never meets a new price. */
const quote = z.object({
  policyId: z.string(),
  requestStartedAt: isoTime,
  candidates: z.array(quotedCandidate).min(1),
  /** Tokens; `outputTokens` for each of `choices`. */
  bound: z.object({
    inputTokens: z.number().int(),
    outputTokens: z.number().int(),
    choices: z.number().int(),
    serviceTier: z.string().optional(),
  }),
});
export type Quote = z.infer<typeof quote>;

const reserved = z.object({
  reservationId: z.string(),
  amountCredits: decimal,
  allocations: z.array(allocation),
  tier: z.enum(tiers),
  localDate: z.iso.date(),
  expiresAt: isoTime,
  purpose,
  /** Absent when a plain amount was reserved. */
  quote: quote.optional(),
});

/** All that a charge is recomputed from, without any other event. */
const charge = z.object({
  tier: z.enum(tiers),
  /** Empty for a plain amount. */
  attempts: z.array(pricedAttempt),
  vendorCostUsd: decimal,
  policyId: z.string(),
  usdPerCredit: decimal,
  creditDecimals: z.number().int(),
  rounding: z.literal('ceil'),
  chargeCredits: decimal,
  /** What rounding up added to the exact charge. */
  roundingCredits: decimal,
  flags: z.array(z.string()).optional(),
});
export type Charge = z.infer<typeof charge>;

const settled = charge.extend({
  reservationId: z.string(),
  /** Taken for good from what was reserved. */
  drawn: z.array(allocation),
  /** Taken besides, where the vendor billed more than the reservation. */
  drawnBeyond: z.array(allocation).optional(),
  returned: z.array(allocation),
  /** Would have returned, but its grant has expired. */
  lapsed: z.array(allocation).optional(),
  debt: debt.optional(),
  localDate: z.iso.date(),
});

const settledLate = charge.extend({
  reservationId: z.string(),
  drawn: z.array(allocation),
  debt: debt.optional(),
  localDate: z.iso.date(),
});

const released = z.object({
  reservationId: z.string(),
  reason: z.enum(releaseReasons),
  returned: z.array(allocation),
  lapsed: z.array(allocation).optional(),
  /** Attempts that the vendor surely did not bill. */
  attempts: z
    .array(
      z.object({
        provider: z.string(),
        model: z.string(),
        vendorRequestId: z.string().optional(),
        failure: z.string().optional(),
      }),
    )
    .optional(),
  localDate: z.iso.date(),
});

const usageCorrected = charge.extend({
  reservationId: z.string(),
  previousChargeCredits: decimal,
  /** Positive: taken now. Negative: given back. */
  deltaCredits: decimal,
  drawn: z.array(allocation),
  returned: z.array(allocation),
  lapsed: z.array(allocation).optional(),
  /** Debt that a lower charge has cancelled. */
  debtCancelledCredits: decimal.optional(),
  debt: debt.optional(),
  localDate: z.iso.date(),
});

/** A grant's arrival pays what the account owes first. */
const debtRepaid = z.object({ grantId: z.string(), amountCredits: decimal });

export const creditAccountSchemas = {
  AccountOpened: accountOpened,
  CreditsGranted: creditsGranted,
  Reserved: reserved,
  Settled: settled,
  SettledLate: settledLate,
  Released: released,
  UsageCorrected: usageCorrected,
  DebtRepaid: debtRepaid,
} as const;

type Schemas = typeof creditAccountSchemas;
export type CreditAccountEventType = keyof Schemas;
export type CreditAccountEvent = {
  [T in CreditAccountEventType]: { readonly type: T; readonly data: Readonly<z.infer<Schemas[T]>> };
}[CreditAccountEventType];
export type CreditAccountEventOf<T extends CreditAccountEventType> = Extract<
  CreditAccountEvent,
  { readonly type: T }
>;
export type Settled = CreditAccountEventOf<'Settled'>['data'];
export type Reserved = CreditAccountEventOf<'Reserved'>['data'];
export type Released = CreditAccountEventOf<'Released'>['data'];
