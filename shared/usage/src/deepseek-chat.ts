import type { Fields } from './counts.js';
import { readOpenAiChat } from './openai-chat.js';
import type { AnswerReading } from './usage-reading.js';

/**
 * OpenAI's shape, with `prompt_cache_hit_tokens` + `prompt_cache_miss_tokens` = `prompt_tokens`. The hits are told
 * again in `prompt_tokens_details`: they are taken once.
 */
export const readDeepSeekChat = (events: readonly Fields[]): AnswerReading =>
  readOpenAiChat(events);
