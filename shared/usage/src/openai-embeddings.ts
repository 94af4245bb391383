import { readChatAnswer } from './chat-answer.js';
import type { Fields } from './counts.js';
import { chatNames } from './openai-chat.js';
import { readOpenAiShape } from './openai-shape.js';
import type { AnswerReading } from './usage-reading.js';

/** `prompt_tokens` only: nothing is written. */
export const readOpenAiEmbeddings = (events: readonly Fields[]): AnswerReading =>
  readChatAnswer(events, (usage) => readOpenAiShape(usage, { ...chatNames, outputless: true }));
