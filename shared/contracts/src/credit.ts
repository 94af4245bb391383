import { z } from 'zod';
import { context, decimal, id, modelRef, positiveDecimal, refused, time } from './common.js';

/** Subjects of the credit service; each ends in the account's id. */
export const creditSubjects = {
  reserve: (accountId: string): string => `credit.v1.reserve.${accountId}`,
  settle: (accountId: string): string => `credit.v1.settle.${accountId}`,
  release: (accountId: string): string => `credit.v1.release.${accountId}`,
  charge: (accountId: string): string => `credit.v1.charge.${accountId}`,
  correct: (accountId: string): string => `credit.v1.correct.${accountId}`,
  balance: (accountId: string): string => `credit.v1.balance.${accountId}`,
  open: (accountId: string): string => `credit.admin.v1.open.${accountId}`,
  grant: (accountId: string): string => `credit.admin.v1.grant.${accountId}`,
  /** Many commands in one message, self-clocked: see `batch`. */
  batch: (lane: string): string => `credit.v1.batch.${lane}`,
} as const;

export const creditRefusals = [
  'invalid-request',
  'unknown-account',
  'account-exists',
  'insufficient-credits',
  'debt-outstanding',
  'unknown-price',
  'unbounded',
  'replay-mismatch',
  'unknown-reservation',
  'reservation-closed',
  'amount-not-chargeable',
  'too-late',
  'overloaded',
  'internal',
  'store-unavailable',
  'account-parked',
] as const;
export type CreditRefusal = (typeof creditRefusals)[number];

const identity = {
  /** The caller's id of this command; the header `Toll-Command-Id` wins. UUIDv7 is fastest. */
  commandId: id.optional(),
  correlationId: z.string().max(128).optional(),
  /** A command that is dequeued later than this is refused as `too-late`. */
  deadlineAt: time.optional(),
};

const purpose = {
  userId: id.optional(),
  projectId: id.optional(),
  keyId: id.optional(),
  taskType: z.string().min(1).max(64).optional(),
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
    serviceTier: z.string().max(32).optional(),
    /** True: where the credits do not cover `outputTokens`, reserve what they do cover. */
    outputMayShrink: z.boolean().default(false),
  }),
  requestStartedAt: time.optional(),
});
export type CompletionRequested = z.input<typeof completionRequested>;

/** Reserves a plain amount, for services that price by themselves. */
export const reserveAmount = z.object({
  ...identity,
  ...purpose,
  amountCredits: positiveDecimal,
});

export const reserve = z.union([completionRequested, reserveAmount]);
export type Reserve = z.input<typeof reserve>;

const attempt = z.object({
  ...modelRef.shape,
  answeredModel: z.string().max(160).optional(),
  vendorRequestId: z.string().max(128).optional(),
  serviceTier: z.string().max(32).optional(),
  billed: z.boolean().default(true),
  provenance: z.enum(['exact', 'vendor-reported', 'estimated', 'unknown']).default('exact'),
  /** Exclusive pools by meter: `{"input": 900, "cache_read": 100, "output": 50}`. */
  usage: z.record(z.string().min(1).max(40), tokens).default({}),
  failure: z.string().max(64).optional(),
});
/** What the gateway knows of one call of one vendor. */
export type Attempt = z.input<typeof attempt>;

export const settle = z.object({
  ...identity,
  reservationId: id,
  attempts: z.array(attempt).min(1).max(8).optional(),
  /** Instead of attempts, for a reservation of a plain amount. */
  amountCredits: decimal.optional(),
});
export type Settle = z.input<typeof settle>;

export const release = z.object({
  ...identity,
  reservationId: id,
  reason: z.enum(['failed', 'cancelled']),
  attempts: z.array(attempt).max(8).optional(),
});
export type Release = z.input<typeof release>;

/** Re-settles an estimate when the exact usage arrives. */
export const correct = z.object({
  ...identity,
  reservationId: id,
  attempts: z.array(attempt).min(1).max(8),
});
export type Correct = z.input<typeof correct>;

/** Reserve and settle a plain amount in one step. */
export const charge = z.object({ ...identity, ...purpose, amountCredits: positiveDecimal });
export type Charge = z.input<typeof charge>;

export const openAccount = z.object({
  ...identity,
  ownerUserId: id,
  kind: z.enum(['personal', 'organization']).default('personal'),
  tier: z.enum(['free', 'pro', 'enterprise', 'enterprise_max']).default('free'),
  timeZone: z.string().max(64).default('UTC'),
});
export type OpenAccount = z.input<typeof openAccount>;

export const grantCredits = z.object({
  ...identity,
  amountCredits: positiveDecimal,
  kind: z
    .enum(['purchase', 'initial', 'subscription', 'promotion', 'refund', 'adjustment'])
    .default('purchase'),
  priority: z.number().int().min(0).max(1000).optional(),
  effectiveAt: time.optional(),
  expiresAt: time.optional(),
  costBasisUsd: decimal.optional(),
  externalReference: z.string().max(128).optional(),
});
export type GrantCredits = z.input<typeof grantCredits>;

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

export const openAccepted = z.object({ status: z.literal('accepted'), accountId: z.string() });
export const grantAccepted = z.object({
  status: z.literal('accepted'),
  grantId: z.string(),
  available: decimal,
});

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
}
