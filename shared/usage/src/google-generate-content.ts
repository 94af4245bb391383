import { lastOf, lastText } from './answer-events.js';
import {
  fieldsOf,
  isAbsent,
  isCount,
  isRecord,
  listOf,
  Parts,
  poolsOf,
  shown,
  textOf,
  type Fields,
} from './counts.js';
import { absent, notBelievable, type AnswerReading, type UsageNote } from './usage-reading.js';

const counts = [
  'promptTokenCount',
  'cachedContentTokenCount',
  'toolUsePromptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
] as const;

/** A missing count is zero. */
const countOf = (usage: Fields, field: string): number => {
  const value = usage[field];
  return isCount(value) ? value : 0;
};

const isEmpty = (usage: Fields): boolean =>
  counts.every((field) => isAbsent(usage[field]) || usage[field] === 0);

const usageOf = (event: Fields): Fields | undefined =>
  isRecord(event['usageMetadata']) ? event['usageMetadata'] : undefined;

/** Chunks count up, and older models send zeros first: the last that is not empty holds for the whole stream. */
const finalUsage = (events: readonly Fields[]): Fields | undefined =>
  lastOf(events, (event) => {
    const usage = usageOf(event);
    return usage && !isEmpty(usage) ? usage : undefined;
  }) ?? lastOf(events, usageOf);

/** Pages of a document are tokens of images. */
const modalityNames: Readonly<Record<string, string>> = {
  AUDIO: 'audio',
  IMAGE: 'image',
  DOCUMENT: 'image',
  VIDEO: 'video',
};

const modalities = ['audio', 'image', 'video'] as const;

type ByModality = Readonly<Record<string, number>>;

/** Tokens of other modalities than text; those of the same one are added up, and cut to the total. */
const byModality = (details: unknown, total: number, parts: Parts): ByModality => {
  const found: Record<string, number> = {};
  let left = total;
  for (const detail of listOf(details).map(fieldsOf)) {
    const modality = modalityNames[String(detail['modality'])];
    if (modality === undefined) continue;
    const count = parts.take(`${modality} tokens`, detail['tokenCount'], left);
    found[modality] = (found[modality] ?? 0) + count;
    left -= count;
  }
  return found;
};

const sum = (tokens: ByModality): number => Object.values(tokens).reduce((a, b) => a + b, 0);

interface InputSide {
  readonly pools: Record<string, number>;
  readonly notes: readonly UsageNote[];
}

/**
 * `promptTokenCount` includes what was cached; tokens of a tool's results come on top. Without details of the
 * cache only audio, which has a price of its own, is kept apart, and text is taken as cached before audio.
 */
const inputSide = (usage: Fields, parts: Parts): InputSide => {
  const prompt = countOf(usage, 'promptTokenCount');
  const tool = countOf(usage, 'toolUsePromptTokenCount');
  const cached = parts.take('cachedContentTokenCount', usage['cachedContentTokenCount'], prompt);
  const asked = byModality(usage['promptTokensDetails'], prompt, parts);
  const fromTools = byModality(usage['toolUsePromptTokensDetails'], tool, parts);
  const told = Array.isArray(usage['cacheTokensDetails']) || cached === 0;
  const cachedOf = byModality(usage['cacheTokensDetails'], cached, parts);
  const pools: Record<string, number> = {};
  let input = prompt - cached + tool;
  let read = cached;
  for (const modality of told ? modalities : (['audio'] as const)) {
    const all = asked[modality] ?? 0;
    const least = Math.max(0, all - (prompt - cached));
    const hit = told ? parts.take(`cached ${modality} tokens`, cachedOf[modality], all) : least;
    pools[`input_${modality}`] = all - hit + (fromTools[modality] ?? 0);
    pools[`cache_read_${modality}`] = hit;
    input -= all - hit + (fromTools[modality] ?? 0);
    read -= hit;
  }
  if (input < 0 || read < 0) parts.contradict('the details of the input are more than the input');
  const unknown = !told && (asked['audio'] ?? 0) > 0;
  return {
    pools: { input: Math.max(0, input), cache_read: Math.max(0, read), ...pools },
    notes: unknown ? ['cache-modality-unknown'] : [],
  };
};

/** Thoughts are not among the candidates' tokens. */
const outputSide = (usage: Fields, parts: Parts): ByModality => {
  const candidates = countOf(usage, 'candidatesTokenCount');
  const written = byModality(usage['candidatesTokensDetails'], candidates, parts);
  return {
    output: candidates - sum(written),
    reasoning: countOf(usage, 'thoughtsTokenCount'),
    ...Object.fromEntries(modalities.map((name) => [`output_${name}`, written[name] ?? 0])),
  };
};

const totalNotes = (usage: Fields): UsageNote[] => {
  const total = usage['totalTokenCount'];
  const parts =
    countOf(usage, 'promptTokenCount') +
    countOf(usage, 'toolUsePromptTokenCount') +
    countOf(usage, 'candidatesTokenCount') +
    countOf(usage, 'thoughtsTokenCount');
  return isAbsent(total) || total === parts ? [] : ['total-differs'];
};

/** Searches that ground an answer are billed by rules of their own. */
const isGrounded = (event: Fields): boolean =>
  listOf(event['candidates']).some(
    (candidate) =>
      listOf(fieldsOf(fieldsOf(candidate)['groundingMetadata'])['webSearchQueries']).length > 0,
  );

/** `ON_DEMAND_FLEX` → `flex` (Vertex AI); `serviceTier` is the Gemini API's. */
const serviceTierOf = (usage: Fields): string | undefined => {
  const traffic = textOf(usage['trafficType']);
  if (traffic === undefined) return textOf(usage['serviceTier'])?.toLowerCase();
  return traffic.replace(/^ON_DEMAND_/, '').toLowerCase();
};

const fault = (usage: Fields): string | undefined => {
  for (const field of counts) {
    const value = usage[field];
    if (!isAbsent(value) && !isCount(value)) return `${field} is not a count: ${shown(value)}`;
  }
  return isEmpty(usage) ? 'every count is zero' : undefined;
};

export const readGoogleGenerateContent = (events: readonly Fields[]): AnswerReading => {
  const usage = finalUsage(events);
  if (!usage) return absent('the answer holds no usageMetadata');
  const wrong = fault(usage);
  if (wrong !== undefined) return notBelievable(wrong);
  const parts = new Parts();
  const input = inputSide(usage, parts);
  const output = outputSide(usage, parts);
  const grounded: readonly UsageNote[] = events.some(isGrounded) ? ['tool-not-metered'] : [];
  return {
    kind: 'reported',
    pools: poolsOf({ ...input.pools, ...output }),
    contradictions: parts.contradictions,
    notes: [...totalNotes(usage), ...input.notes, ...grounded],
    provenance: 'exact',
    model: lastText(events, 'modelVersion'),
    serviceTier: serviceTierOf(usage),
  };
};
