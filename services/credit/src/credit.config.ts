import { anyLane } from '@tollkeeper/contracts';
import { idPattern, isDecimalString, parseMoney } from '@tollkeeper/kernel';
import { z } from 'zod';
import { defaultLeaseTimes, type LeaseTimes } from './application/ownership/lease-keeper.js';
import { defaultRules, excessPolicies, type AccountRules } from './domain/credit-account/rules.js';

const amount = z
  .string()
  .refine((text) => isDecimalString(text) && !text.startsWith('-'), 'must be a decimal amount')
  .transform(parseMoney);

const config = z.object({
  NATS_URL: z.string().min(1),
  DATABASE_URL: z.string().min(1).optional(),
  KURRENTDB_URL: z.string().min(1).optional(),
  /** This instance among its peers: one that is restarted under the same id takes its partitions back at once. */
  INSTANCE_ID: z
    .string()
    .regex(idPattern, 'must be 1 to 64 of A-Z a-z 0-9 _ -')
    .refine((id) => id !== anyLane, `must not be ${anyLane}`)
    .default('credit'),
  /** How long the others wait for a silent instance before they take over. */
  LEASE_MS: z.coerce.number().int().min(1_000).default(defaultLeaseTimes.leaseMs),
  /** Of the bucket that holds the leases, where NATS is a cluster. */
  LEASE_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  /** The longest call. */
  CALL_TIMEOUT_MS: z.coerce.number().int().positive().default(600_000),
  /** How much longer a reservation lives, for its settle to arrive. */
  SETTLE_GRACE_MS: z.coerce.number().int().positive().default(120_000),
  /** What becomes of usage beyond its reservation. */
  EXCESS_POLICY: z.enum(excessPolicies).default(defaultRules.excessPolicy),
  /** Between two looks at what has become due. */
  DUE_EVERY_MS: z.coerce.number().int().positive().default(5_000),
  INITIAL_GRANT_USD: amount.default(defaultRules.initialGrantUsd),
  OPEN_ON_RESERVE: z.stringbool().default(defaultRules.openOnReserve),
  /** Comma-separated `provider/model`; unset: by rate. */
  FREE_TIER_MODELS: z.string().optional(),
  FREE_TIER_OUTPUT_USD_PER_MILLION_MAX: amount.default(
    defaultRules.freeTier.outputUsdPerMillionMax,
  ),
  FREE_TIER_MONTHLY_CREDITS: amount.default(defaultRules.freeTier.monthlyBudgetCredits),
});

export interface CreditConfig {
  readonly natsUrl: string;
  readonly databaseUrl: string | undefined;
  readonly kurrentdbUrl: string | undefined;
  readonly instanceId: string;
  readonly leaseTimes: LeaseTimes;
  readonly leaseReplicas: number;
  readonly reservationTtlMs: number;
  readonly dueEveryMs: number;
  readonly rules: AccountRules;
}

/** Throws with the names of the variables that are missing or wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): CreditConfig => {
  const parsed = config.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${z.prettifyError(parsed.error)}`);
  return {
    natsUrl: parsed.data.NATS_URL,
    databaseUrl: parsed.data.DATABASE_URL,
    kurrentdbUrl: parsed.data.KURRENTDB_URL,
    instanceId: parsed.data.INSTANCE_ID,
    leaseTimes: leaseTimesOf(parsed.data.LEASE_MS),
    leaseReplicas: parsed.data.LEASE_REPLICAS,
    reservationTtlMs: parsed.data.CALL_TIMEOUT_MS + parsed.data.SETTLE_GRACE_MS,
    dueEveryMs: parsed.data.DUE_EVERY_MS,
    rules: rulesOf(parsed.data),
  };
};

const leaseTimesOf = (leaseMs: number): LeaseTimes => ({
  renewEveryMs: leaseMs / 5,
  leaseMs,
});

const rulesOf = (env: z.output<typeof config>): AccountRules => ({
  excessPolicy: env.EXCESS_POLICY,
  initialGrantUsd: env.INITIAL_GRANT_USD,
  openOnReserve: env.OPEN_ON_RESERVE,
  freeTier: {
    models: env.FREE_TIER_MODELS === undefined ? undefined : new Set(listOf(env.FREE_TIER_MODELS)),
    outputUsdPerMillionMax: env.FREE_TIER_OUTPUT_USD_PER_MILLION_MAX,
    monthlyBudgetCredits: env.FREE_TIER_MONTHLY_CREDITS,
  },
  refundGrantDays: defaultRules.refundGrantDays,
});

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
