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
  /** A hint for the credit service: open reservations that are past their expiry. */
  dueReservations: 'projection.v1.due-reservations',
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
export const dueQuery = z.object({
  at: time,
  limit: z.number().int().min(1).max(5000).default(1000),
});
export const dueReply = z.object({
  due: z.array(z.object({ accountId: z.string(), reservationId: z.string() })),
  asOf: z.string(),
});
export type DueReply = z.infer<typeof dueReply>;
