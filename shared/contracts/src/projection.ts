import { z } from 'zod';
import { decimal, id, modelRef, time } from './common.js';

/** Queries of the projection service; every answer carries `asOf` (see ADR on read models). */
export const projectionSubjects = {
  balance: (accountId: string): string => `projection.v1.balance.${accountId}`,
  usage: (accountId: string): string => `projection.v1.usage.${accountId}`,
  transactions: (accountId: string): string => `projection.v1.transactions.${accountId}`,
  openReservations: (accountId: string): string => `projection.v1.open-reservations.${accountId}`,
  grants: (accountId: string): string => `projection.v1.grants.${accountId}`,
  limits: (accountId: string): string => `projection.v1.limits.${accountId}`,
  marginByTier: 'projection.v1.margin-by-tier',
  /** What calls of a range of time were charged for, of every account: `chargedCallsQuery` → `chargedCallsReply`. */
  chargedCalls: 'projection.v1.charged-calls',
  trialBalance: 'projection.v1.trial-balance',
  dailySummaries: 'projection.v1.daily-summaries',
  /** Run-time settings that hold now: key, value, description, when and by whom. */
  systemConfig: 'projection.v1.system-config',
  /** Who changed what in the price book, when and why: newest first, page by page. */
  priceChanges: 'projection.v1.price-changes',
  /** A hint for the credit service: what is to be done because its time has come. */
  due: 'projection.v1.due',
  /** For the credit service: which stored events are about a reservation. */
  recall: (accountId: string): string => `projection.v1.recall.${accountId}`,
} as const;

/** Newest first; `before` is the last row's `cursor`. */
export const pageQuery = z.object({
  limit: z.number().int().min(1).max(500).default(50),
  before: z.string().optional(),
});
export const rangeQuery = z.object({
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  accountId: id.optional(),
});
/** An open reservation past its expiry, an expired grant, or a recurring grant whose next month has come. */
export const dueKinds = ['reservation', 'grant', 'recurring'] as const;
export const dueItem = z.object({
  accountId: id,
  kind: z.enum(dueKinds),
  id,
  dueAt: time,
});
export type DueItem = z.infer<typeof dueItem>;
/** The longest overdue first; `after` is the last item of the page before. */
export const dueQuery = z.object({
  at: time,
  limit: z.number().int().min(1).max(5000).default(1000),
  after: dueItem.optional(),
});
/** `next` is null at the end of the list. */
export const dueReply = z.object({
  due: z.array(dueItem),
  next: dueItem.nullable(),
  asOf: z.string(),
});
export type DueReply = z.infer<typeof dueReply>;

export const recallQuery = z.object({ id });
/** Revisions ascend; none when no event up to `indexedRevision` (−1: the account is not known yet) is about it. */
export const recallReply = z.object({
  revisions: z.array(z.number().int().nonnegative()),
  indexedRevision: z.number().int().min(-1),
});
export type RecallReply = z.infer<typeof recallReply>;

/** By the time of the request, ascending; `after` is the last call of the page before, `to` is exclusive. */
export const chargedCallsQuery = z.object({
  from: time,
  to: time,
  accountId: id.optional(),
  /** Only calls with an attempt of this model. */
  of: modelRef.optional(),
  after: z.object({ requestedAt: time, accountId: id, reservationId: id }).optional(),
  limit: z.number().int().min(1).max(5_000).default(2_000),
});
export type ChargedCallsQuery = z.input<typeof chargedCallsQuery>;

/** What an attempt was charged for. `lines` are meters and quantities; none where it was not billed. */
export const chargedAttempt = z.object({
  provider: z.string(),
  model: z.string(),
  answeredModel: z.string().optional(),
  vendorRequestId: z.string().optional(),
  serviceTier: z.string().optional(),
  region: z.string().optional(),
  billed: z.boolean(),
  provenance: z.string(),
  priceVersion: z.string(),
  costUsd: decimal,
  multiplier: decimal,
  multiplierRule: z.string(),
  multiplierLevel: z.string(),
  lines: z.array(z.tuple([z.string(), decimal])),
});
export type ChargedAttempt = z.infer<typeof chargedAttempt>;

/** A call as it is charged now: corrections are in it, refunds beside it. No attempts: a plain amount. */
export const chargedCall = z.object({
  accountId: z.string(),
  reservationId: z.string(),
  userId: z.string(),
  tier: z.string(),
  requestedAt: z.string(),
  usdPerCredit: decimal,
  vendorCostUsd: decimal,
  chargeCredits: decimal,
  refundedCredits: decimal,
  attempts: z.array(chargedAttempt),
});
export type ChargedCall = z.infer<typeof chargedCall>;

/** `next` is null at the end of the range. */
export const chargedCallsReply = z.object({
  calls: z.array(chargedCall),
  next: chargedCallsQuery.shape.after.unwrap().nullable(),
  asOf: z.string(),
  stale: z.boolean(),
});
export type ChargedCallsReply = z.infer<typeof chargedCallsReply>;
