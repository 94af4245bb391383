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

export const debtCauses = ['over-reservation', 'late-usage', 'correction', 'adjustment'] as const;
export type DebtCause = (typeof debtCauses)[number];

/** A calendar month in the account's time zone, `YYYY-MM`. */
const month = z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'not a month');

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
  /** Of an upward adjustment. */
  reasonCode: z.string().optional(),
  /** The refund whose source grant had expired. */
  refundId: z.string().optional(),
  /** The request that this purchase fulfils. */
  topUpId: z.string().optional(),
  /** The rule that posted it, for which month of the account, and when it posts again. */
  recurring: z
    .object({ recurringId: z.string(), period: month, nextAt: isoTime.optional() })
    .optional(),
  localDate: z.iso.date(),
});

/** What was unreserved of a grant when its time was over. */
const grantExpired = z.object({
  grantId: z.string(),
  amountCredits: decimal,
  localDate: z.iso.date(),
});

/** Takes back unreserved credits of a grant. When that leaves none, it has ended: what returns to it later lapses. */
const grantVoided = z.object({
  grantId: z.string(),
  amountCredits: decimal,
  reasonCode: z.string(),
  reference: z.string().optional(),
  localDate: z.iso.date(),
});

/** A downward adjustment; an upward one is a grant of that kind. */
const creditsAdjusted = z.object({
  adjustmentId: z.string(),
  /** Taken from the account, positive: what was drawn and what is owed. */
  amountCredits: decimal,
  reasonCode: z.string(),
  reference: z.string().optional(),
  drawn: z.array(allocation),
  debt: debt.optional(),
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
    region: z.string().optional(),
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
  /** What usage beyond the reservation would have been charged under another policy than `deny-excess`. */
  waivedCredits: decimal.optional(),
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
  /** Absent: other usage was reported. Present: the same usage at another price version. */
  rerating: z.object({ priceVersion: z.string(), reason: z.string() }).optional(),
  previousChargeCredits: decimal,
  /**
   * Positive: taken now. Negative: given back. The difference of what the charge comes to after its refunds, which is
   * never below zero: what a refund gave back already is not given back again.
   */
  deltaCredits: decimal,
  drawn: z.array(allocation),
  returned: z.array(allocation),
  lapsed: z.array(allocation).optional(),
  /** Debt that a lower charge has cancelled. */
  debtCancelledCredits: decimal.optional(),
  debt: debt.optional(),
  localDate: z.iso.date(),
});

/** Credits that come in, or come back, pay what the account owes first. */
const debtRepaid = z.object({ grantId: z.string(), amountCredits: decimal });

/** Gives back, in part or whole, what a settled reservation was charged. */
const refunded = z.object({
  refundId: z.string(),
  reservationId: z.string(),
  /** Cancelled debt, what returned to the source grants and what lapsed with them: their sum. */
  amountCredits: decimal,
  returned: z.array(allocation),
  /** Of grants that have expired or were voided; a `CreditsGranted` of kind refund makes up for it. */
  lapsed: z.array(allocation).optional(),
  debtCancelledCredits: decimal.optional(),
  reasonCode: z.string(),
  reference: z.string().optional(),
  localDate: z.iso.date(),
});

const tierChanged = z.object({ from: z.enum(tiers), to: z.enum(tiers), reason: z.string() });

/** A frozen account reserves nothing; what was reserved is settled and released as ever. */
const accountFrozen = z.object({ reason: z.string() });
const accountUnfrozen = z.object({ reason: z.string() });

/** Whose spending a limit bounds; only the account itself has no id. */
const limitScope = z.object({
  type: z.enum(['account', 'key', 'user', 'project']),
  id: z.string().optional(),
});
export type LimitScope = z.infer<typeof limitScope>;

/** `day` and `month` in the account's time zone; `minute` and `hour` in UTC. */
export const limitWindows = ['minute', 'hour', 'day', 'month', 'total'] as const;
export type LimitWindow = (typeof limitWindows)[number];

/** Credits charged, US dollars of vendor cost, tokens of all pools, or calls. */
export const limitUnits = ['credits', 'usd', 'tokens', 'requests'] as const;
export type LimitUnit = (typeof limitUnits)[number];

/** Counts from the moment it is set; setting it again changes the amount and keeps the count. */
const limitSet = z.object({
  limitId: z.string(),
  scope: limitScope,
  window: z.enum(limitWindows),
  unit: z.enum(limitUnits),
  amount: decimal,
  /** `soft` warns each time that what is charged passes it; `hard` refuses; `rate` refuses and is counted in memory only. */
  mode: z.enum(['soft', 'hard', 'rate']),
});
const limitRemoved = z.object({ limitId: z.string() });
/** What is charged in a window has passed a soft limit; again only after it has been within it. */
const limitWarned = z.object({
  limitId: z.string(),
  /** The window's name: `2026-11-20`, `2026-11`, `2026-11-20T10` …; `total`. */
  period: z.string(),
  used: decimal,
  amount: decimal,
});

const balanceAlertsSet = z.object({ thresholdsCredits: z.array(decimal) });
/** The balance, which reservations do not change, fell below a threshold; again only after it has been above. */
const lowBalanceReached = z.object({
  thresholdCredits: decimal,
  /** Absent in those of old, which were raised by what was available. */
  balanceCredits: decimal.optional(),
  availableCredits: decimal,
  localDate: z.iso.date(),
});

/** Credits that are granted anew each month. */
const recurringGrantSet = z.object({
  recurringId: z.string(),
  kind: z.enum(grantKinds),
  amountCredits: decimal,
  priority: z.number().int(),
  /** Of the account's month; 1 to 28. */
  dayOfMonth: z.number().int().min(1).max(28),
  /** The most of earlier months' credits that stays when a new month's come; absent: all. */
  rolloverCapCredits: decimal.optional(),
  /** When it posts next; absent: it has ended. */
  nextAt: isoTime.optional(),
});

const topUpRuleSet = z.object({
  /** A top-up is requested when less than this is available. */
  thresholdCredits: decimal,
  amountCredits: decimal,
  coolDownSeconds: z.number().int().nonnegative(),
  /** Of all requests of one month of the account. */
  monthlyCapCredits: decimal,
  enabled: z.boolean(),
});
/** A payment adapter fulfils it by a grant that names `topUpId`. */
const topUpRequested = z.object({
  topUpId: z.string(),
  amountCredits: decimal,
  availableCredits: decimal,
  localDate: z.iso.date(),
});

export const creditAccountSchemas = {
  AccountOpened: accountOpened,
  CreditsGranted: creditsGranted,
  Reserved: reserved,
  Settled: settled,
  SettledLate: settledLate,
  Released: released,
  UsageCorrected: usageCorrected,
  DebtRepaid: debtRepaid,
  GrantExpired: grantExpired,
  GrantVoided: grantVoided,
  CreditsAdjusted: creditsAdjusted,
  Refunded: refunded,
  TierChanged: tierChanged,
  AccountFrozen: accountFrozen,
  AccountUnfrozen: accountUnfrozen,
  LimitSet: limitSet,
  LimitRemoved: limitRemoved,
  LimitWarned: limitWarned,
  BalanceAlertsSet: balanceAlertsSet,
  LowBalanceReached: lowBalanceReached,
  RecurringGrantSet: recurringGrantSet,
  TopUpRuleSet: topUpRuleSet,
  TopUpRequested: topUpRequested,
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
