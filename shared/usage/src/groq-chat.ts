import { readChatAnswer, usageField } from './chat-answer.js';
import { fieldsOf, listOf, type Fields } from './counts.js';
import { readOpenAiChatUsage } from './openai-chat.js';
import type { AnswerReading } from './usage-reading.js';

/** A stream's usage stands in the last chunk's `x_groq`; where `usage` is there too, it says the same. */
const usageOf = (event: Fields): Fields | undefined =>
  usageField(event) ?? usageField(fieldsOf(event['x_groq']));

/** A compound system calls other models, each at its own price. */
const modelsBehind = (event: Fields): readonly unknown[] =>
  listOf(
    fieldsOf(event['usage_breakdown'] ?? fieldsOf(event['x_groq'])['usage_breakdown'])['models'],
  );

/** OpenAI's shape; the seconds beside the tokens (`queue_time`, `prompt_time`, …) are not billed. */
export const readGroqChat = (events: readonly Fields[]): AnswerReading => {
  const models = new Set(events.flatMap(modelsBehind).map((used) => fieldsOf(used)['model']));
  if (models.size > 1) {
    const names = [...models].map(String).join(', ');
    return {
      kind: 'missing',
      why: 'several-models',
      message: `the call used several models: ${names}`,
    };
  }
  return readChatAnswer(events, readOpenAiChatUsage, usageOf);
};
