import { z } from 'zod';
import {
  bookable,
  bookableOrZero,
  context,
  decimal,
  id,
  modelRef,
  positiveBookable,
  refused,
  text,
  time,
} from './common.js';

/** Subjects of the credit service; each ends in the account's id. */
export const creditSubjects = {
  reserve: (accountId: string): string => `credit.v1.reserve.${accountId}`,
  settle: (accountId: string): string => `credit.v1.settle.${accountId}`,
  release: (accountId: string): string => `credit.v1.release.${accountId}`,
  charge: (accountId: string): string => `credit.v1.charge.${accountId}`,
  correct: (accountId: string): string => `credit.v1.correct.${accountId}`,
  balance: (accountId: string): string => `credit.v1.balance.${accountId}`,
  /** A dry run of reserve: what it would take, and whether the account could pay it now. */
  afford: (accountId: string): string => `credit.v1.afford.${accountId}`,
  limits: (accountId: string): string => `credit.v1.limits.${accountId}`,
  open: (accountId: string): string => `credit.admin.v1.open.${accountId}`,
  grant: (accountId: string): string => `credit.admin.v1.grant.${accountId}`,
  void: (accountId: string): string => `credit.admin.v1.void.${accountId}`,
  refund: (accountId: string): string => `credit.admin.v1.refund.${accountId}`,
  adjust: (accountId: string): string => `credit.admin.v1.adjust.${accountId}`,
  tier: (accountId: string): string => `credit.admin.v1.tier.${accountId}`,
  freeze: (accountId: string): string => `credit.admin.v1.freeze.${accountId}`,
  unfreeze: (accountId: string): string => `credit.admin.v1.unfreeze.${accountId}`,
  setLimit: (accountId: string): string => `credit.admin.v1.set-limit.${accountId}`,
  removeLimit: (accountId: string): string => `credit.admin.v1.remove-limit.${accountId}`,
  recur: (accountId: string): string => `credit.admin.v1.recur.${accountId}`,
  alerts: (accountId: string): string => `credit.admin.v1.alerts.${accountId}`,
  topUpRule: (accountId: string): string => `credit.admin.v1.top-up-rule.${accountId}`,
  rerate: (accountId: string): string => `credit.admin.v1.rerate.${accountId}`,
  /** Many commands in one message, self-clocked: see `batch`. */
  batch: (lane: string): string => `credit.v1.batch.${lane}`,
  /** Between credit instances only: a message whose account the receiver owns; see `forwardHeaders`. */
  direct: (instance: string): string => `credit.direct.v1.${instance}`,
} as const;

export const creditRefusals = [
  'invalid-request',
  'unknown-account',
  'account-exists',
  'insufficient-credits',
  'debt-outstanding',
  'unknown-price',
  'below-cost',
  'unbounded',
  'replay-mismatch',
  'unknown-reservation',
  'reservation-closed',
  'amount-not-chargeable',
  'unknown-grant',
  'grant-ended',
  'unknown-limit',
  'account-frozen',
  'limit-reached',
  'rate-limited',
  'model-not-in-tier',
  'free-tier-budget',
  'exceeds-charge',
  'index-behind',
  'not-owner',
  'too-late',
  'overloaded',
  'internal',
  'store-unavailable',
  'account-parked',
] as const;
export type CreditRefusal = (typeof creditRefusals)[number];

const identity = {
  /**
   * The caller's id of this command; the header `Toll-Command-Id` wins. UUIDv7 is fastest. One that the account remembers of
   * a command which asked for something else, of whatever kind, is refused as `replay-mismatch`. Ids of settles, releases and
   * corrections are remembered for as long as their reservation: beyond, they are known by the reservation alone.
   */
  commandId: id.optional(),
  correlationId: text.max(128).optional(),
  /** A command that is dequeued later than this is refused as `too-late`. */
  deadlineAt: time.optional(),
};

const purpose = {
  userId: id.optional(),
  projectId: id.optional(),
  keyId: id.optional(),
  taskType: text.min(1).max(64).optional(),
  context: context.optional(),
};

const tokens = z.number().int().nonnegative().max(1_000_000_000);

/**
 * `CompletionRequested`, which is the request to reserve: the dearest candidate is reserved.
 * No rates: the credit service prices. `reservationId` is the command's id.
 */
export const completionRequested = z.object({
  ...identity,
  ...purpose,
  candidates: z.array(modelRef).min(1).max(8),
  bounds: z.object({
    /** The most input tokens that the vendor can count. */
    inputTokens: tokens,
    /** The limit sent upstream, for each choice. */
    outputTokens: tokens,
    choices: z.number().int().min(1).max(128).default(1),
    serviceTier: text.max(32).optional(),
    /** Where the vendor will run it, as its price list names it. */
    region: text.max(32).optional(),
    /** True: where credits, hard limits or rates leave less than `outputTokens`, reserve what they leave. */
    outputMayShrink: z.boolean().default(false),
  }),
  requestStartedAt: time.optional(),
});
export type CompletionRequested = z.input<typeof completionRequested>;

/** Reserves a plain amount, for services that price by themselves. */
export const reserveAmount = z.object({
  ...identity,
  ...purpose,
  amountCredits: positiveBookable,
});

export const reserve = z.union([completionRequested, reserveAmount]);
export type Reserve = z.input<typeof reserve>;

const attempt = z.object({
  ...modelRef.shape,
  answeredModel: text.max(160).optional(),
  vendorRequestId: text.max(128).optional(),
  serviceTier: text.max(32).optional(),
  region: text.max(32).optional(),
  billed: z.boolean().default(true),
  provenance: z.enum(['exact', 'vendor-reported', 'estimated', 'unknown']).default('exact'),
  /** Exclusive pools by meter: `{"input": 900, "cache_read": 100, "output": 50}`. */
  usage: z.record(text.min(1).max(40), tokens).default({}),
  failure: text.max(64).optional(),
});
/** What the gateway knows of one call of one vendor. */
export type Attempt = z.input<typeof attempt>;

/**
 * Known again by its reservation, whatever its command id: the same figures get the first answer, others are refused as
 * `replay-mismatch`.
 */
export const settle = z
  .object({
    ...identity,
    reservationId: id,
    attempts: z.array(attempt).min(1).max(8).optional(),
    /** Instead of attempts, for a reservation of a plain amount. */
    amountCredits: bookable.optional(),
  })
  .refine(
    ({ attempts, amountCredits }) => attempts === undefined || amountCredits === undefined,
    'either attempts or amountCredits',
  );
export type Settle = z.input<typeof settle>;

/**
 * Known again by its reservation: one that has been released stays so, and whoever releases it again, with whatever
 * reason or command id, is told that it is. Once settled it is refused as `reservation-closed`, but
 * to whoever has released it before, by the same id.
 */
export const release = z.object({
  ...identity,
  reservationId: id,
  reason: z.enum(['failed', 'cancelled']),
  /** None that was billed: such a call is settled. */
  attempts: z
    .array(attempt)
    .max(8)
    .refine((all) => all.every(({ billed }) => !billed), 'what was billed is settled, not released')
    .optional(),
});
export type Release = z.input<typeof release>;

/** Re-settles an estimate when the exact usage arrives. */
export const correct = z.object({
  ...identity,
  reservationId: id,
  attempts: z.array(attempt).min(1).max(8),
});
export type Correct = z.input<typeof correct>;

/**
 * Prices what a settled reservation used at another version of the same model, with the multipliers and credit value that it was
 * charged by, and books the difference. One that is priced so already stays as it is.
 */
export const rerate = z.object({
  ...identity,
  reservationId: id,
  priceVersion: text.min(1).max(256),
  /** What was charged for, as the stored charge says it. */
  attempts: z.array(attempt).min(1).max(8),
  reason: text.min(1).max(256),
});
export type Rerate = z.input<typeof rerate>;

/** Reserve and settle a plain amount in one step. */
export const charge = z.object({ ...identity, ...purpose, amountCredits: positiveBookable });
export type Charge = z.input<typeof charge>;

export const openAccount = z.object({
  ...identity,
  ownerUserId: id,
  /** By default personal at `personalAccountId(ownerUserId)`, organization at any other id. */
  kind: z.enum(['personal', 'organization']).optional(),
  tier: z.enum(['free', 'pro', 'enterprise', 'enterprise_max']).default('free'),
  timeZone: text.max(64).default('UTC'),
});
export type OpenAccount = z.input<typeof openAccount>;

export const grantCredits = z.object({
  ...identity,
  amountCredits: positiveBookable,
  /** Refunds and adjustments are commands of their own, which say why. */
  kind: z.enum(['purchase', 'initial', 'subscription', 'promotion']).default('purchase'),
  priority: z.number().int().min(0).max(1000).optional(),
  effectiveAt: time.optional(),
  expiresAt: time.optional(),
  costBasisUsd: bookableOrZero.optional(),
  externalReference: text.max(128).optional(),
  /** The `TopUpRequested` that it fulfils. */
  topUpId: id.optional(),
});
export type GrantCredits = z.input<typeof grantCredits>;

const reasonCode = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be like "goodwill" or "billing-error"');
const reference = text.min(1).max(128);

/** Takes back what is unreserved of a grant; what returns to it later lapses. One that has expired or been voided: `grant-ended`. */
export const voidGrant = z.object({
  ...identity,
  grantId: id,
  reasonCode,
  reference: reference.optional(),
});
export type VoidGrant = z.input<typeof voidGrant>;

/** Gives back what a reservation was charged: all that is left of it unless `amountCredits` says less. */
export const refund = z.object({
  ...identity,
  reservationId: id,
  amountCredits: positiveBookable.optional(),
  reasonCode,
  reference: reference.optional(),
});
export type Refund = z.input<typeof refund>;

/** Up or down, by an actor. There is no "set balance". */
export const adjust = z.object({
  ...identity,
  /** Signed; not zero. */
  amountCredits: bookable.refine((text) => /[1-9]/.test(text), 'must not be zero'),
  reasonCode,
  reference: reference.optional(),
  /** Down by more than is available: the rest is owed. Otherwise such an adjustment is refused. */
  bookDebt: z.boolean().default(false),
});
export type Adjust = z.input<typeof adjust>;

export const changeTier = z.object({
  ...identity,
  tier: z.enum(['free', 'pro', 'enterprise', 'enterprise_max']),
  reason: text.min(1).max(256),
});
export type ChangeTier = z.input<typeof changeTier>;

/** Of freeze and unfreeze. */
export const freeze = z.object({ ...identity, reason: text.min(1).max(256) });
export type Freeze = z.input<typeof freeze>;

/** Sets a limit, or changes its amount or mode; scope, window and unit of a limit stay. */
export const setLimit = z.object({
  ...identity,
  limitId: id,
  scope: z.discriminatedUnion('type', [
    z.object({ type: z.literal('account') }),
    z.object({ type: z.enum(['key', 'user', 'project']), id }),
  ]),
  window: z.enum(['minute', 'hour', 'day', 'month', 'total']),
  unit: z.enum(['credits', 'usd', 'tokens', 'requests']),
  amount: bookableOrZero,
  /** `rate` is for requests and tokens of a minute: counted in memory only, lost at a restart. */
  mode: z.enum(['soft', 'hard', 'rate']).default('hard'),
});
export type SetLimit = z.input<typeof setLimit>;
export const removeLimit = z.object({ ...identity, limitId: id });
export type RemoveLimit = z.input<typeof removeLimit>;

/** Of SetLimit and RemoveLimit. */
export const limitAccepted = z.object({ status: z.literal('accepted'), limitId: z.string() });
export type LimitAccepted = z.infer<typeof limitAccepted>;
export const limitReply = z.discriminatedUnion('status', [limitAccepted, refused]);
export type LimitReply = z.infer<typeof limitReply>;

const limitView = z.object({
  limitId: z.string(),
  scope: z.object({
    type: z.enum(['account', 'key', 'user', 'project']),
    id: z.string().optional(),
  }),
  window: z.enum(['minute', 'hour', 'day', 'month', 'total']),
  unit: z.enum(['credits', 'usd', 'tokens', 'requests']),
  mode: z.enum(['soft', 'hard', 'rate']),
  amount: decimal,
  /** The window that it is now: `2026-11-20T10:15`, `2026-11-20T10`, `2026-11-20`, `2026-11`, `total`. */
  period: z.string(),
  /** Charged and reserved in that window; absent for a rate, which is counted in memory only. */
  used: decimal.optional(),
  /** When the window is over; absent for `total`. */
  resetsAt: z.string().optional(),
});
/** The reply to `credit.v1.limits.<accountId>`. */
export const limitsView = z.object({
  accountId: z.string(),
  limits: z.array(limitView),
  asOf: z.string(),
});
export type LimitsView = z.infer<typeof limitsView>;
export const limitsReply = z.union([limitsView, refused]);
export type LimitsReply = z.infer<typeof limitsReply>;

/** Details of `limit-reached`: decimal strings in the limit's unit. */
export interface LimitDetails {
  readonly limitId: string;
  readonly scope: { readonly type: string; readonly id?: string };
  readonly window: string;
  readonly unit: string;
  readonly amount: string;
  readonly used: string;
  readonly required: string;
  readonly resetsAt?: string;
}

/** Details of `free-tier-budget`: decimal strings, credits. */
export interface FreeTierDetails {
  readonly budget: string;
  readonly used: string;
  readonly required: string;
  readonly resetsAt: string;
}

/**
 * Grants the same amount anew each month, first on the next such day of the account; `amountCredits` 0 ends it.
 * Of months that were missed only the present one is granted.
 */
export const recur = z.object({
  ...identity,
  recurringId: id,
  kind: z.enum(['subscription', 'promotion', 'initial', 'purchase']).default('subscription'),
  amountCredits: bookableOrZero,
  priority: z.number().int().min(0).max(1000).optional(),
  dayOfMonth: z.number().int().min(1).max(28).default(1),
  rolloverCapCredits: bookableOrZero.optional(),
});
export type Recur = z.input<typeof recur>;

/** Replaces the thresholds below which `LowBalanceReached` is raised. */
export const setAlerts = z.object({
  ...identity,
  thresholdsCredits: z.array(positiveBookable).max(10),
});
export type SetAlerts = z.input<typeof setAlerts>;

export const setTopUpRule = z.object({
  ...identity,
  thresholdCredits: positiveBookable,
  amountCredits: positiveBookable,
  coolDownSeconds: z.number().int().min(0).max(31_536_000).default(3600),
  monthlyCapCredits: positiveBookable,
  enabled: z.boolean().default(true),
});
export type SetTopUpRule = z.input<typeof setTopUpRule>;

/** Decimal strings; credits, and the same in US dollars at the policy in force. */
export const balanceView = z.object({
  accountId: z.string(),
  ownerUserId: z.string(),
  tier: z.string(),
  /** Granted less charged, lapsed and owed: `available + reserved - debt`. */
  balance: decimal,
  reserved: decimal,
  /** What a new reservation may take. */
  available: decimal,
  /** Owed beyond what there is: credits that have come into force since the last change count as having paid. */
  debt: decimal,
  usdPerCredit: decimal,
  balanceUsd: decimal,
  reservedUsd: decimal,
  availableUsd: decimal,
  asOf: z.string(),
});
export type BalanceView = z.infer<typeof balanceView>;

export const reserveAccepted = z.object({
  status: z.literal('accepted'),
  reservationId: z.string(),
  amountCredits: decimal,
  expiresAt: z.string(),
  /** The output limit that was reserved for each choice, where a completion was. */
  outputTokens: z.number().int().optional(),
});
export type ReserveAccepted = z.infer<typeof reserveAccepted>;

export const settleAccepted = z.object({
  status: z.literal('accepted'),
  reservationId: z.string(),
  chargeCredits: decimal,
  costUsd: decimal,
  /** Of the attempt that answered; absent for a plain amount. */
  priceVersion: z.string().optional(),
  multiplier: decimal.optional(),
  provenance: z.string().optional(),
  /** Credits owed after this settle; absent when none. */
  debtCredits: decimal.optional(),
  late: z.boolean().optional(),
});
export type SettleAccepted = z.infer<typeof settleAccepted>;

export const accepted = z.object({ status: z.literal('accepted') });
export type Accepted = z.infer<typeof accepted>;

export const rerateAccepted = z.object({
  status: z.literal('accepted'),
  reservationId: z.string(),
  /** False: it was priced so already. */
  changed: z.boolean(),
  chargeCredits: decimal,
  costUsd: decimal,
});
export type RerateAccepted = z.infer<typeof rerateAccepted>;
export const rerateReply = z.discriminatedUnion('status', [rerateAccepted, refused]);
export type RerateReply = z.infer<typeof rerateReply>;

export const openAccepted = z.object({ status: z.literal('accepted'), accountId: z.string() });
export const grantAccepted = z.object({
  status: z.literal('accepted'),
  grantId: z.string(),
  available: decimal,
});

export const refundAccepted = z.object({
  status: z.literal('accepted'),
  refundId: z.string(),
  refundedCredits: decimal,
  available: decimal,
});
export const adjustAccepted = z.object({
  status: z.literal('accepted'),
  adjustmentId: z.string(),
  available: decimal,
  debt: decimal,
});
export const affordView = z.object({
  affordable: z.boolean(),
  /** Why not, as reserve would refuse it. */
  reason: z.string().optional(),
  required: decimal.optional(),
  available: decimal,
  /** The output limit that would be reserved for each choice. */
  outputTokens: z.number().int().optional(),
});
export type AffordView = z.infer<typeof affordView>;

export const refundReply = z.discriminatedUnion('status', [refundAccepted, refused]);
export type RefundReply = z.infer<typeof refundReply>;
export const adjustReply = z.discriminatedUnion('status', [adjustAccepted, refused]);
export type AdjustReply = z.infer<typeof adjustReply>;
export const affordReply = z.union([affordView, refused]);
export type AffordReply = z.infer<typeof affordReply>;
export const reserveReply = z.discriminatedUnion('status', [reserveAccepted, refused]);
export type ReserveReply = z.infer<typeof reserveReply>;
export const settleReply = z.discriminatedUnion('status', [settleAccepted, refused]);
export type SettleReply = z.infer<typeof settleReply>;
export const releaseReply = z.discriminatedUnion('status', [accepted, refused]);
export type ReleaseReply = z.infer<typeof releaseReply>;
export const openReply = z.discriminatedUnion('status', [openAccepted, refused]);
export const grantReply = z.discriminatedUnion('status', [grantAccepted, refused]);
export const balanceReply = z.union([balanceView, refused]);
export type BalanceReply = z.infer<typeof balanceReply>;

/** Details of `insufficient-credits` and `debt-outstanding`: decimal strings. */
export interface ShortfallDetails {
  readonly balance: string;
  readonly available: string;
  readonly required: string;
  readonly balanceUsd: string;
  readonly requiredUsd: string;
  readonly suggestions: readonly {
    readonly action: string;
    readonly credits: string;
    readonly usd: string;
  }[];
}

export const batchVerbs = ['reserve', 'settle', 'release'] as const;
export type BatchVerb = (typeof batchVerbs)[number];

/** The batch subject that any instance may take from; the others are named by instance. */
export const anyLane = '0';

/**
 * Commands of many callers in one message. Answers come back in one or more messages on the reply
 * subject, as soon as they are known, each `[place in the batch, reply]`; `done` with the last.
 */
export interface CommandBatch {
  readonly commands: readonly (readonly [verb: BatchVerb, accountId: string, body: unknown])[];
}
export interface CommandBatchReply {
  readonly replies: readonly (readonly [place: number, reply: unknown])[];
  readonly done: boolean;
  /** Instances that own some of the batch's partitions: their own lane saves a hop the next time. */
  readonly owners?: readonly (readonly [partition: number, instance: string])[];
}
