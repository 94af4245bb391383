import { z } from 'zod';

/** The logger reads LOG_LEVEL by itself; here it is only checked. */
const config = z.object({
  NATS_URL: z.string().min(1),
  DATABASE_URL: z.string().min(1).optional(),
  KURRENTDB_URL: z.string().min(1).optional(),
  /** So long after it is recorded a change holds at the earliest: every replica has it by then. */
  PRICE_LEAD_MS: z.coerce.number().int().min(0).max(86_400_000).default(60_000),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).optional(),
});

export interface PricingConfig {
  readonly natsUrl: string;
  readonly databaseUrl: string | undefined;
  readonly kurrentdbUrl: string | undefined;
  readonly priceLeadMs: number;
}

/** Throws with the names of the variables that are missing or wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): PricingConfig => {
  const parsed = config.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${z.prettifyError(parsed.error)}`);
  return {
    natsUrl: parsed.data.NATS_URL,
    databaseUrl: parsed.data.DATABASE_URL,
    kurrentdbUrl: parsed.data.KURRENTDB_URL,
    priceLeadMs: parsed.data.PRICE_LEAD_MS,
  };
};
