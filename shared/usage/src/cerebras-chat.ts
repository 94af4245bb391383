import type { Fields } from './counts.js';
import { readOpenAiChat } from './openai-chat.js';
import type { AnswerReading } from './usage-reading.js';

/** OpenAI's shape; `time_info` beside it is not billed. */
export const readCerebrasChat = (events: readonly Fields[]): AnswerReading =>
  readOpenAiChat(events);
