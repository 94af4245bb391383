import { formatMoney, readAmount } from '@tollkeeper/kernel';
import { lastOf } from './answer-events.js';
import { readChatAnswer, usageField } from './chat-answer.js';
import { isRecord, type Fields } from './counts.js';
import { readOpenAiChatUsage } from './openai-chat.js';
import type { AnswerReading } from './usage-reading.js';

/** With a key of the caller's own, `cost` is OpenRouter's fee, often 0, and the vendor bills the caller. */
const costOf = (usage: Fields): unknown => {
  if (usage['is_byok'] !== true) return usage['cost'];
  return isRecord(usage['cost_details'])
    ? usage['cost_details']['upstream_inference_cost']
    : undefined;
};

/**
 * OpenAI's shape, plus what the call cost.
 *
 * @param exact the same events with every number as its text (`parseExact`), so that the cost stays what was written;
 * without them it is the shortest text of the double.
 */
export const readOpenRouterChat = (
  events: readonly Fields[],
  exact: readonly Fields[] = events,
): AnswerReading => {
  const reading = readChatAnswer(events, readOpenAiChatUsage);
  const usage = lastOf(exact, usageField);
  if (reading.kind === 'missing' || !usage) return reading;
  const byok = lastOf(events, usageField)?.['is_byok'] === true;
  const told = costOf({ ...usage, is_byok: byok });
  const cost =
    typeof told === 'string' || typeof told === 'number' ? readAmount(String(told)) : undefined;
  return cost ? { ...reading, reportedCostUsd: formatMoney(cost) } : reading;
};
