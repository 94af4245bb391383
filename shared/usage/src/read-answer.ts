import { parseExact } from '@tollkeeper/kernel';
import { eventsOf } from './answer-events.js';
import { readAnthropicMessages } from './anthropic-messages.js';
import { readCerebrasChat } from './cerebras-chat.js';
import type { Fields } from './counts.js';
import { readDeepSeekChat } from './deepseek-chat.js';
import { readGoogleGenerateContent } from './google-generate-content.js';
import { readGroqChat } from './groq-chat.js';
import { readMistralChat } from './mistral-chat.js';
import { readOpenAiChat } from './openai-chat.js';
import { readOpenAiEmbeddings } from './openai-embeddings.js';
import { readOpenAiResponses } from './openai-responses.js';
import { readOpenRouterChat } from './openrouter-chat.js';
import { absent, type AnswerReading } from './usage-reading.js';

type Reader = (events: readonly Fields[], exact?: readonly Fields[]) => AnswerReading;

const readers = {
  'openai.chat': readOpenAiChat,
  'openai.responses': readOpenAiResponses,
  'openai.embeddings': readOpenAiEmbeddings,
  'anthropic.messages': readAnthropicMessages,
  'google.generate-content': readGoogleGenerateContent,
  'groq.chat': readGroqChat,
  'mistral.chat': readMistralChat,
  'deepseek.chat': readDeepSeekChat,
  'openrouter.chat': readOpenRouterChat,
  'cerebras.chat': readCerebrasChat,
} as const satisfies Record<string, Reader>;

/** The wire formats that are understood. */
export type Api = keyof typeof readers;

export const apis = Object.keys(readers) as readonly Api[];

export const isApi = (name: string): name is Api => Object.hasOwn(readers, name);

/**
 * A vendor's raw answer, read: a whole one, a stream's list of chunks, or the text of its server-sent events.
 *
 * @param exact the same answer with each number as its text (`parseExact`), for figures that are money
 */
export const readAnswer = (api: Api, response: unknown, exact?: unknown): AnswerReading => {
  const events = eventsOf(response);
  if (events.length === 0) return absent('the response is not an answer');
  const read: Reader = readers[api];
  return exact === undefined ? read(events) : read(events, eventsOf(exact, parseExact));
};
