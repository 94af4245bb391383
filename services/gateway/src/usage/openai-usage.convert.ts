/** Exclusive pools of tokens by meter: every token is in exactly one. Absent means none. */
export type UsagePools = Readonly<Record<string, number>>;

export type UsageReading =
  | {
      readonly kind: 'reported';
      readonly pools: UsagePools;
      /** The vendor's figures contradict each other and were made to fit. */
      readonly adjusted: boolean;
    }
  /** Nothing that can be believed was said, which is not the same as nothing was used. */
  | { readonly kind: 'missing'; readonly why: 'absent' | 'not-believable' };

/** The contract's limit of one pool. */
const tokensMax = 1_000_000_000;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= tokensMax;

class Parts {
  adjusted = false;

  /** A part of a total: a figure that is not a count is none, one beyond what is left is cut to it. */
  take(value: unknown, left: number): number {
    if (value === undefined || value === null) return 0;
    if (!isCount(value)) {
      this.adjusted = true;
      return 0;
    }
    if (value > left) this.adjusted = true;
    return Math.min(value, left);
  }
}

/** Some vendors (xAI, Gemini) leave reasoning out of `completion_tokens`: only their total shows it. */
const outputBeside = (total: unknown, known: number): number =>
  isCount(total) && total > known ? total - known : 0;

const meter = (name: string, tokens: number): Record<string, number> =>
  tokens === 0 ? {} : { [name]: tokens };

/**
 * OpenAI's `usage`, and that of those who took its shape. `prompt_tokens` includes what was read from and
 * written to a cache, `completion_tokens` includes reasoning; DeepSeek names its cache hits twice, so they are
 * taken once.
 */
export const readUsage = (usage: unknown): UsageReading => {
  if (!isRecord(usage)) return { kind: 'missing', why: 'absent' };
  const { prompt_tokens: prompt, completion_tokens: completion } = usage;
  if (!isCount(prompt) || !isCount(completion ?? 0) || prompt + Number(completion ?? 0) === 0) {
    return { kind: 'missing', why: 'not-believable' };
  }
  const output = isCount(completion) ? completion : 0;
  const promptDetails = isRecord(usage['prompt_tokens_details'])
    ? usage['prompt_tokens_details']
    : {};
  const completionDetails = isRecord(usage['completion_tokens_details'])
    ? usage['completion_tokens_details']
    : {};
  const parts = new Parts();
  let left = prompt;
  const cached = promptDetails['cached_tokens'] ?? usage['prompt_cache_hit_tokens'];
  const cacheRead = parts.take(cached ?? usage['num_cached_tokens'], left);
  left -= cacheRead;
  const cacheWrite = parts.take(promptDetails['cache_write_tokens'], left);
  left -= cacheWrite;
  const audioIn = parts.take(promptDetails['audio_tokens'], left);
  left -= audioIn;
  const beside = outputBeside(usage['total_tokens'], prompt + output);
  const told = completionDetails['reasoning_tokens'];
  const reasoning = told === beside ? 0 : parts.take(told, output);
  const audioOut = parts.take(completionDetails['audio_tokens'], output - reasoning);
  return {
    kind: 'reported',
    adjusted: parts.adjusted,
    pools: {
      ...meter('input', left),
      ...meter('cache_read', cacheRead),
      ...meter('cache_write', cacheWrite),
      ...meter('input_audio', audioIn),
      ...meter('output', output - reasoning - audioOut),
      ...meter('reasoning', reasoning + beside),
      ...meter('output_audio', audioOut),
    },
  };
};
