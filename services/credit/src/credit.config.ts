import { z } from 'zod';

const config = z.object({
  NATS_URL: z.string().min(1),
  DATABASE_URL: z.string().min(1).optional(),
  KURRENTDB_URL: z.string().min(1).optional(),
  /** The longest call. */
  CALL_TIMEOUT_MS: z.coerce.number().int().positive().default(600_000),
  /** How much longer a reservation lives, for its settle to arrive. */
  SETTLE_GRACE_MS: z.coerce.number().int().positive().default(120_000),
});

export interface CreditConfig {
  readonly natsUrl: string;
  readonly databaseUrl: string | undefined;
  readonly kurrentdbUrl: string | undefined;
  readonly reservationTtlMs: number;
}

/** Throws with the names of the variables that are missing or wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): CreditConfig => {
  const parsed = config.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${z.prettifyError(parsed.error)}`);
  return {
    natsUrl: parsed.data.NATS_URL,
    databaseUrl: parsed.data.DATABASE_URL,
    kurrentdbUrl: parsed.data.KURRENTDB_URL,
    reservationTtlMs: parsed.data.CALL_TIMEOUT_MS + parsed.data.SETTLE_GRACE_MS,
  };
};
