export { readOpenAiChatUsage } from './openai-chat.js';
export { apis, isApi, readAnswer, type Api } from './read-answer.js';
export type {
  AnswerFacts,
  AnswerReading,
  MissingUsage,
  ReportedUsage,
  UsageNote,
  UsageReading,
} from './usage-reading.js';
