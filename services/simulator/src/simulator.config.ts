import { z } from 'zod';
import { behaviour, type Behaviour } from './behaviour.js';

const port = z.coerce.number().int().min(0).max(65_535);

const environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(0),
  /** Where the invoice is kept; in memory only when it is absent. */
  SIM_DATA_DIR: z.string().optional(),
  SIM_LATENCY_MS: z.string().optional(),
  SIM_OUTPUT_TOKENS: z.string().optional(),
  SIM_INPUT_TOKENS: z.string().optional(),
  SIM_CACHED_TOKENS: z.string().optional(),
  SIM_REASONING_TOKENS: z.string().optional(),
  SIM_CHUNK_INTERVAL_MS: z.string().optional(),
  SIM_TOKENS_PER_CHUNK: z.string().optional(),
  SIM_FAILURE: z.string().optional(),
  SIM_FAILURE_RATE: z.string().optional(),
  SIM_HANG_UP: z.string().optional(),
});

export interface SimulatorConfig {
  readonly host: string;
  readonly port: number;
  readonly dataDir?: string;
  readonly behaviour: Behaviour;
}

/** @throws ZodError, which names the variable that is wrong. */
export const readConfig = (env: NodeJS.ProcessEnv): SimulatorConfig => {
  const read = environment.parse(env);
  return {
    host: read.HOST,
    port: read.PORT,
    ...(read.SIM_DATA_DIR ? { dataDir: read.SIM_DATA_DIR } : {}),
    behaviour: behaviour.parse({
      latencyMs: read.SIM_LATENCY_MS,
      outputTokens: read.SIM_OUTPUT_TOKENS,
      inputTokens: read.SIM_INPUT_TOKENS,
      cachedTokens: read.SIM_CACHED_TOKENS,
      reasoningTokens: read.SIM_REASONING_TOKENS,
      chunkIntervalMs: read.SIM_CHUNK_INTERVAL_MS,
      tokensPerChunk: read.SIM_TOKENS_PER_CHUNK,
      failure: read.SIM_FAILURE,
      failureRate: read.SIM_FAILURE_RATE,
      hangUp: read.SIM_HANG_UP,
    }),
  };
};
