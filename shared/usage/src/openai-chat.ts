import { readChatAnswer } from './chat-answer.js';
import type { Fields } from './counts.js';
import { readOpenAiShape, type OpenAiNames } from './openai-shape.js';
import type { AnswerReading, UsageReading } from './usage-reading.js';

export const chatNames: OpenAiNames = {
  input: 'prompt_tokens',
  output: 'completion_tokens',
  inputDetails: 'prompt_tokens_details',
  outputDetails: 'completion_tokens_details',
};

/** The `usage` of a chat completion by OpenAI, or by a vendor that took its shape. */
export const readOpenAiChatUsage = (usage: unknown): UsageReading =>
  readOpenAiShape(usage, chatNames);

export const readOpenAiChat = (events: readonly Fields[]): AnswerReading =>
  readChatAnswer(events, readOpenAiChatUsage);
