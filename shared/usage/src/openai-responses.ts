import { lastText } from './answer-events.js';
import { readChatAnswer } from './chat-answer.js';
import { isRecord, listOf, type Fields } from './counts.js';
import { readOpenAiShape, type OpenAiNames } from './openai-shape.js';
import type { AnswerReading, UsageNote } from './usage-reading.js';

const names: OpenAiNames = {
  input: 'input_tokens',
  output: 'output_tokens',
  inputDetails: 'input_tokens_details',
  outputDetails: 'output_tokens_details',
};

/** Billed by the call, as no usage says: opening and searching within a page is not. */
const isSearch = (item: Fields): boolean =>
  item['type'] === 'web_search_call' &&
  (!isRecord(item['action']) || item['action']['type'] === 'search');

const notMetered = new Set(['code_interpreter_call', 'image_generation_call', 'shell_call']);

/** A stream's last event holds the whole response; in the others its usage is absent or null. */
const responseOf = (event: Fields): Fields =>
  isRecord(event['response']) ? event['response'] : event;

export const readOpenAiResponses = (events: readonly Fields[]): AnswerReading => {
  const responses = events.map(responseOf);
  const reading = readChatAnswer(responses, (usage) => readOpenAiShape(usage, names));
  if (reading.kind === 'missing') return reading;
  const last = responses.findLast((response) => Array.isArray(response['output']));
  const items = listOf(last?.['output']).filter(isRecord);
  const searches = items.filter(isSearch).length;
  const fileSearches = items.filter((item) => item['type'] === 'file_search_call').length;
  const unmetered = items.some((item) => notMetered.has(String(item['type'])));
  const notes: readonly UsageNote[] = unmetered ? ['tool-not-metered'] : [];
  return {
    ...reading,
    pools: {
      ...reading.pools,
      ...(searches > 0 ? { web_search: searches } : {}),
      ...(fileSearches > 0 ? { file_search: fileSearches } : {}),
    },
    notes: [...reading.notes, ...notes],
    model: lastText(responses, 'model'),
    serviceTier: lastText(responses, 'service_tier'),
  };
};
