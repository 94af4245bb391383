import { z } from 'zod';
import { decimal, id, positiveDecimal, refused, text, time } from './common.js';
import { configScope, vendorPriceBody } from './pricing-admin.js';

/** Subjects for pricing admins that take long: ask with patience. They carry an admin key as the others do. */
export const pricingSimulationSubjects = {
  simulate: 'pricing.admin.v1.simulate',
  /** More affected users of a simulation: `simulationUsers` → `simulationUsersReply`. */
  simulationUsers: 'pricing.admin.v1.simulation-users',
  rerate: 'pricing.admin.v1.rerate',
} as const;

const range = {
  /** Either so many days up to `to`, or `from` and `to` (exclusive); without `to`, up to now. */
  days: z.union([z.literal(7), z.literal(30), z.literal(90)]).optional(),
  from: time.optional(),
  to: time.optional(),
};
interface Range {
  readonly days?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}
const isRange = ({ days, from, to }: Range): boolean =>
  (days === undefined) !== (from === undefined) &&
  (from === undefined || to === undefined || Date.parse(from) < Date.parse(to));
const rangeFault = 'either days, or from and perhaps a later to';

/** What calls of the range would have been charged under these multipliers and vendor prices. */
export const simulate = z
  .object({
    ...range,
    accountId: id.optional(),
    multipliers: z
      .array(z.object({ scope: configScope, multiplier: positiveDecimal }))
      .max(200)
      .default([]),
    vendorPrices: z.array(vendorPriceBody).max(100).default([]),
    /** At most so many of the affected users are in the answer, those whose charge changes most first. */
    users: z.number().int().min(0).max(2_000).default(100),
  })
  .refine(isRange, rangeFault);
export type Simulate = z.input<typeof simulate>;

/** US dollars; `margin` is a share of the revenue to 6 decimals, absent where there is none. */
export const simulatedFigures = z.object({
  revenueUsd: decimal,
  costUsd: decimal,
  marginUsd: decimal,
  margin: decimal.optional(),
});
export type SimulatedFigures = z.infer<typeof simulatedFigures>;

const change = { usages: z.number().int(), before: simulatedFigures, after: simulatedFigures };

/** Before: as recorded, corrected and refunded. After: what the proposal changes is computed anew, the rest as recorded. */
export const simulationView = z.object({
  simulationId: z.string(),
  from: z.string(),
  to: z.string(),
  usages: z.number().int(),
  /** Usages whose charge would differ. */
  changed: z.number().int(),
  totals: z.object({ before: simulatedFigures, after: simulatedFigures }),
  /** After less before. */
  net: z.object({ revenueUsd: decimal, costUsd: decimal, marginUsd: decimal }),
  byTier: z.array(z.object({ tier: z.string(), ...change })),
  /** By the attempt that answered; empty names: plain amounts, without a vendor. */
  byProvider: z.array(z.object({ provider: z.string(), ...change })),
  /** The model mix: shares of all usages, to 6 decimals. */
  byModel: z.array(
    z.object({ provider: z.string(), model: z.string(), share: decimal, ...change }),
  ),
  affectedUsers: z.number().int(),
  users: z.array(
    z.object({
      userId: z.string(),
      usages: z.number().int(),
      beforeCredits: decimal,
      afterCredits: decimal,
      deltaCredits: decimal,
      deltaUsd: decimal,
    }),
  ),
  /** Meters that a proposed price does not have: those usages stay as they were recorded. */
  unpriced: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      meter: z.string(),
      usages: z.number().int(),
    }),
  ),
  asOf: z.string(),
  stale: z.boolean(),
});
export type SimulationView = z.infer<typeof simulationView>;
export const simulateReply = z.union([simulationView, refused]);
export type SimulateReply = z.infer<typeof simulateReply>;

/** Of the latest simulations only: `unknown-simulation` otherwise. */
export const simulationUsers = z.object({
  simulationId: id,
  /** How many have been read. */
  after: z.number().int().nonnegative(),
});
export const simulationUsersReply = z.union([
  z.object({ users: simulationView.shape.users, next: z.number().int().optional() }),
  refused,
]);
export type SimulationUsersReply = z.infer<typeof simulationUsersReply>;

/**
 * Charges the calls of a range at a version of their model's price: the differences, and with `post` the events that book them.
 * What is priced so already has no difference, so a second run posts nothing.
 */
export const rerateRange = z
  .object({
    priceVersion: text.min(1).max(256),
    ...range,
    accountId: id.optional(),
    post: z.boolean().default(false),
    reason: text.trim().min(1).max(256),
    /** At most so many differences are in the answer; all of them are counted, and posted. */
    list: z.number().int().min(0).max(2_000).default(200),
  })
  .refine(isRange, rangeFault);
export type RerateRange = z.input<typeof rerateRange>;

export const rerateView = z.object({
  priceVersion: z.string(),
  from: z.string(),
  to: z.string(),
  /** Calls of the model in the range. */
  usages: z.number().int(),
  differences: z.number().int(),
  /** Sums of what would change, or has. */
  deltaCostUsd: decimal,
  deltaCredits: decimal,
  /** Without `post`, none. */
  posted: z.number().int(),
  /** Refused by the account's owner, with the reason; they are tried again by the next run. */
  failed: z.array(
    z.object({ accountId: z.string(), reservationId: z.string(), reason: z.string() }),
  ),
  /** Calls whose usage nobody knows: there is nothing to compute again. */
  unknownUsage: z.number().int(),
  list: z.array(
    z.object({
      accountId: z.string(),
      reservationId: z.string(),
      requestedAt: z.string(),
      beforeCostUsd: decimal,
      afterCostUsd: decimal,
      beforeCredits: decimal,
      afterCredits: decimal,
    }),
  ),
  asOf: z.string(),
  stale: z.boolean(),
});
export type RerateView = z.infer<typeof rerateView>;
export const rerateRangeReply = z.union([rerateView, refused]);
export type RerateRangeReply = z.infer<typeof rerateRangeReply>;
