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
import { lastText } from './answer-events.js';
import { absent, notBelievable, type AnswerReading, type UsageNote } from './usage-reading.js';

/** Deltas are cumulative: a figure that is told again replaces the one before it, and null says nothing. */
const overwritten = (usages: readonly Fields[]): Record<string, unknown> => {
  const merged: Record<string, unknown> = {};
  for (const usage of usages) {
    for (const [field, value] of Object.entries(usage)) if (!isAbsent(value)) merged[field] = value;
  }
  return merged;
};

/** `message_start` wraps the message; `message_delta` has its usage beside the delta. */
const messageOf = (event: Fields): Fields =>
  isRecord(event['message']) ? event['message'] : event;

const inputCounts = [
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
] as const;

type Counts = Readonly<Record<string, number>>;

/** Writes to the five-minute cache and the one-hour cache have prices of their own. */
const cacheWrites = (usage: Fields, parts: Parts): Counts => {
  const written = parts.take(
    'cache_creation_input_tokens',
    usage['cache_creation_input_tokens'],
    Infinity,
  );
  const byAge = fieldsOf(usage['cache_creation']);
  const minutes = byAge['ephemeral_5m_input_tokens'];
  const hour = byAge['ephemeral_1h_input_tokens'];
  if (isAbsent(minutes) && isAbsent(hour)) return { cache_write: written };
  const fiveMinutes = parts.take('ephemeral_5m_input_tokens', minutes, Infinity);
  const oneHour = parts.take('ephemeral_1h_input_tokens', hour, Infinity);
  const told = !isAbsent(usage['cache_creation_input_tokens']);
  if (told && fiveMinutes + oneHour !== written) {
    parts.contradict(
      `cache_creation counts ${String(fiveMinutes + oneHour)} tokens, cache_creation_input_tokens ${String(written)}`,
    );
  }
  return { cache_write: fiveMinutes, cache_write_1h: oneHour };
};

const poolsOfUsage = (usage: Fields, parts: Parts): Counts => ({
  input: parts.take('input_tokens', usage['input_tokens'], Infinity),
  cache_read: parts.take('cache_read_input_tokens', usage['cache_read_input_tokens'], Infinity),
  ...cacheWrites(usage, parts),
  output: parts.take('output_tokens', usage['output_tokens'], Infinity),
});

const added = (a: Counts, b: Counts): Counts => {
  const sum: Record<string, number> = { ...a };
  for (const [meter, count] of Object.entries(b)) sum[meter] = (sum[meter] ?? 0) + count;
  return sum;
};

/** Compactions are billed beside the message's own totals. */
const compactionsOf = (usage: Fields, parts: Parts): Counts =>
  listOf(usage['iterations'])
    .filter(isRecord)
    .filter((iteration) => iteration['type'] === 'compaction')
    .reduce<Counts>((sum, iteration) => added(sum, poolsOfUsage(iteration, parts)), {});

const advisorOf = (usage: Fields): Fields | undefined =>
  listOf(usage['iterations'])
    .filter(isRecord)
    .find((iteration) => iteration['type'] === 'advisor_message');

const fault = (usage: Fields): string | undefined => {
  for (const field of ['input_tokens', 'output_tokens'] as const) {
    if (!isCount(usage[field])) return `${field} is not a count: ${shown(usage[field])}`;
  }
  for (const field of inputCounts) {
    const value = usage[field];
    if (!isAbsent(value) && !isCount(value)) return `${field} is not a count: ${shown(value)}`;
  }
  const total = [...inputCounts, 'output_tokens'].reduce(
    (sum, field) => sum + Number(usage[field] ?? 0),
    0,
  );
  return total === 0 ? 'every count is zero' : undefined;
};

/** Fast mode is a price of its own, whatever tier served it. */
const serviceTierOf = (usage: Fields): string | undefined =>
  usage['speed'] === 'fast' ? 'fast' : textOf(usage['service_tier']);

const regionless = new Set(['global', 'not_available']);

const regionOf = (usage: Fields): { readonly region?: string } => {
  const geo = textOf(usage['inference_geo'])?.toLowerCase();
  return geo === undefined || regionless.has(geo) ? {} : { region: geo };
};

const notesOf = (events: readonly Fields[]): UsageNote[] => {
  const notes: UsageNote[] = [];
  const started = events.some((event) => event['type'] === 'message_start');
  const ended = events.some(
    (event) => event['type'] === 'message_delta' && isRecord(event['usage']),
  );
  if (started && !ended) notes.push('incomplete-stream');
  return notes;
};

/**
 * `input_tokens` excludes what was read from and written to the cache; the three together pick the context tier.
 * `output_tokens` includes thinking, at the same price: the count of it is information and no pool of its own.
 */
export const readAnthropicMessages = (events: readonly Fields[]): AnswerReading => {
  const messages = events.map(messageOf);
  const usages = messages.map((message) => message['usage']).filter(isRecord);
  if (usages.length === 0) return absent('the answer holds no usage');
  const usage = overwritten(usages);
  const wrong = fault(usage);
  if (wrong !== undefined) return notBelievable(wrong);
  const advisor = advisorOf(usage);
  if (advisor) {
    const message = `the call also used the model ${shown(advisor['model'])}`;
    return { kind: 'missing', why: 'several-models', message };
  }
  const parts = new Parts();
  const searches = fieldsOf(usage['server_tool_use'])['web_search_requests'];
  const pools = added(poolsOfUsage(usage, parts), compactionsOf(usage, parts));
  const notes = notesOf(events);
  return {
    kind: 'reported',
    pools: poolsOf({ ...pools, web_search: parts.take('web_search_requests', searches, Infinity) }),
    contradictions: parts.contradictions,
    notes,
    provenance: notes.includes('incomplete-stream') ? 'estimated' : 'exact',
    model: lastText(messages, 'model'),
    serviceTier: serviceTierOf(usage),
    ...regionOf(usage),
  };
};
