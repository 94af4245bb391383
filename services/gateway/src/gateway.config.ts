import { z } from 'zod';
import { vendorsOf, type VendorConfig } from './vendors/vendors.config.js';

const milliseconds = z.coerce.number().int().positive().max(86_400_000);
const count = z.coerce.number().int().positive();

const environment = z.object({
  NATS_URL: z.string().min(1),
  DATABASE_URL: z.string().min(1),
  GATEWAY_DATA_DIR: z.string().min(1),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  CALL_TIMEOUT_MS: milliseconds.default(600_000),
  CONNECT_TIMEOUT_MS: milliseconds.default(10_000),
  RESERVE_TIMEOUT_MS: milliseconds.default(5_000),
  SETTLE_TIMEOUT_MS: milliseconds.default(2_000),
  DEFAULT_OUTPUT_TOKENS: count.default(8_192),
  BODY_BYTES_MAX: count.default(10 << 20),
  IN_FLIGHT_MAX: count.default(5_000),
  API_KEY_TTL_MS: milliseconds.default(10_000),
  MODELS_REFRESH_MS: milliseconds.default(30_000),
  COMPLETION_EVENTS_PER_SECOND_MAX: z.coerce.number().int().min(0).default(1_000),
});

export interface GatewayConfig {
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly vendors: readonly VendorConfig[];
  readonly callTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly reserveTimeoutMs: number;
  readonly settleTimeoutMs: number;
  readonly defaultOutputTokens: number;
  readonly bodyBytesMax: number;
  readonly inFlightMax: number;
  readonly apiKeyTtlMs: number;
  readonly modelsRefreshMs: number;
  readonly completionEventsPerSecondMax: number;
}

/** Throws with the names of the variables that are missing or wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): GatewayConfig => {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${z.prettifyError(parsed.error)}`);
  const read = parsed.data;
  return {
    natsUrl: read.NATS_URL,
    databaseUrl: read.DATABASE_URL,
    dataDir: read.GATEWAY_DATA_DIR,
    host: read.HOST,
    port: read.PORT,
    vendors: vendorsOf(env),
    callTimeoutMs: read.CALL_TIMEOUT_MS,
    connectTimeoutMs: read.CONNECT_TIMEOUT_MS,
    reserveTimeoutMs: read.RESERVE_TIMEOUT_MS,
    settleTimeoutMs: read.SETTLE_TIMEOUT_MS,
    defaultOutputTokens: read.DEFAULT_OUTPUT_TOKENS,
    bodyBytesMax: read.BODY_BYTES_MAX,
    inFlightMax: read.IN_FLIGHT_MAX,
    apiKeyTtlMs: read.API_KEY_TTL_MS,
    modelsRefreshMs: read.MODELS_REFRESH_MS,
    completionEventsPerSecondMax: read.COMPLETION_EVENTS_PER_SECOND_MAX,
  };
};
