import {
  fieldsOf,
  isAbsent,
  isCount,
  isRecord,
  Parts,
  poolsOf,
  shown,
  type Fields,
} from './counts.js';
import { absent, notBelievable, type UsageNote, type UsageReading } from './usage-reading.js';

/** Where one of the APIs that took OpenAI's shape keeps its figures. */
export interface OpenAiNames {
  readonly input: string;
  readonly output: string;
  readonly inputDetails: string;
  readonly outputDetails: string;
  /** Embeddings write nothing. */
  readonly outputless?: boolean;
  /** Mistral's totals count audio that it bills by the second. */
  readonly totalCountsMore?: (usage: Fields) => boolean;
}

const modalities = ['audio', 'image', 'video'] as const;

interface Totals {
  readonly input: number;
  readonly output: number;
  /** Tokens that only the vendor's total shows. */
  readonly beside: number;
  readonly notes: readonly UsageNote[];
}

/** Some vendors (xAI, Gemini) leave reasoning out of the output: only their total shows it. */
const besideOutput = (usage: Fields, names: OpenAiNames, known: number): number => {
  const total = usage['total_tokens'];
  if (!isCount(total) || names.outputless || names.totalCountsMore?.(usage)) return 0;
  return Math.max(0, total - known);
};

const totalNotes = (usage: Fields, names: OpenAiNames, known: number): readonly UsageNote[] => {
  const total = usage['total_tokens'];
  if (besideOutput(usage, names, known) > 0) return ['reasoning-beside-output'];
  const differs = isCount(total) && (total < known || (names.outputless && total !== known));
  return differs ? ['total-differs'] : [];
};

const totalsOf = (usage: Fields, names: OpenAiNames): Totals | string => {
  const { [names.input]: input, [names.output]: told } = usage;
  if (!isCount(input)) return `${names.input} is not a count: ${shown(input)}`;
  // A proto-based vendor leaves a count of zero out; without any total nothing is known of it.
  if (isAbsent(told) && !names.outputless && !isCount(usage['total_tokens'])) {
    return `${names.output} is missing`;
  }
  const output = told ?? 0;
  if (!isCount(output)) return `${names.output} is not a count: ${shown(told)}`;
  const known = input + output;
  const beside = besideOutput(usage, names, known);
  if (known + beside === 0) return 'every count is zero';
  return { input, output, beside, notes: totalNotes(usage, names, known) };
};

interface CacheUse {
  readonly read: number;
  readonly written: number;
}

/** The names under which vendors tell of cache hits; those that are told twice must agree. */
const cacheUseOf = (usage: Fields, details: Fields, input: number, parts: Parts): CacheUse => {
  const told = [
    details['cached_tokens'],
    usage['prompt_cache_hit_tokens'],
    usage['num_cached_tokens'],
  ];
  const [first, ...others] = told.filter((value) => !isAbsent(value));
  for (const other of others) {
    if (other !== first)
      parts.contradict(`cached tokens are both ${shown(first)} and ${shown(other)}`);
  }
  const read = parts.take('cached tokens', first, input);
  const written = parts.take('cache_write_tokens', details['cache_write_tokens'], input - read);
  const { prompt_cache_hit_tokens: hit, prompt_cache_miss_tokens: miss } = usage;
  if (isCount(hit) && !isAbsent(miss) && (!isCount(miss) || hit + miss !== input)) {
    parts.contradict(
      `cache hits ${String(hit)} and misses ${shown(miss)} are not ${String(input)}`,
    );
  }
  return { read, written };
};

/** Splits the input by modality; cached tokens of one are told apart only where the vendor does it. */
const inputPools = (usage: Fields, names: OpenAiNames, input: number, parts: Parts) => {
  const details = fieldsOf(usage[names.inputDetails]);
  const cachedDetails = fieldsOf(details['cached_tokens_details']);
  const cache = cacheUseOf(usage, details, input, parts);
  const pools: Record<string, number> = {};
  const notes: UsageNote[] = [];
  let plain = input - cache.read - cache.written;
  let plainRead = cache.read;
  for (const modality of modalities) {
    const name = `${modality}_tokens`;
    const told = cachedDetails[name];
    const count = parts.take(`input ${name}`, details[name], plain + plainRead);
    if (count > 0 && plainRead > 0 && isAbsent(told)) notes.push('cache-modality-unknown');
    const least = Math.max(0, count - plain);
    const cached = Math.max(least, parts.take(`cached ${name}`, told, Math.min(count, plainRead)));
    pools[`input_${modality}`] = count - cached;
    pools[`cache_read_${modality}`] = cached;
    plain -= count - cached;
    plainRead -= cached;
  }
  return {
    pools: { input: plain, cache_read: plainRead, cache_write: cache.written, ...pools },
    notes,
  };
};

const outputPools = (usage: Fields, names: OpenAiNames, totals: Totals, parts: Parts) => {
  const details = fieldsOf(usage[names.outputDetails]);
  const { output, beside } = totals;
  const told = details['reasoning_tokens'];
  const within = told === beside ? 0 : parts.take('reasoning_tokens', told, output);
  let left = output - within;
  const pools: Record<string, number> = {};
  for (const modality of modalities) {
    const count = parts.take(`output ${modality}_tokens`, details[`${modality}_tokens`], left);
    pools[`output_${modality}`] = count;
    left -= count;
  }
  return { output: left, reasoning: within + beside, ...pools };
};

/**
 * OpenAI's `usage`, and that of those who took its shape. The input includes what was read from and written to
 * a cache, the output includes reasoning and rejected predictions.
 */
export const readOpenAiShape = (usage: unknown, names: OpenAiNames): UsageReading => {
  if (!isRecord(usage)) return absent('the answer holds no usage');
  const totals = totalsOf(usage, names);
  if (typeof totals === 'string') return notBelievable(totals);
  const parts = new Parts();
  const input = inputPools(usage, names, totals.input, parts);
  const output = outputPools(usage, names, totals, parts);
  return {
    kind: 'reported',
    pools: poolsOf({ ...input.pools, ...output }),
    contradictions: parts.contradictions,
    notes: [...new Set([...totals.notes, ...input.notes])],
  };
};
