import { z } from 'zod';
import { id, time } from './common.js';

/** Queries of the projection service; every answer carries `asOf` (see ADR on read models). */
export const projectionSubjects = {
  balance: (accountId: string): string => `projection.v1.balance.${accountId}`,
  usage: (accountId: string): string => `projection.v1.usage.${accountId}`,
  transactions: (accountId: string): string => `projection.v1.transactions.${accountId}`,
  openReservations: (accountId: string): string => `projection.v1.open-reservations.${accountId}`,
  grants: (accountId: string): string => `projection.v1.grants.${accountId}`,
  limits: (accountId: string): string => `projection.v1.limits.${accountId}`,
  marginByTier: 'projection.v1.margin-by-tier',
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
