import { readChatAnswer } from './chat-answer.js';
import { isAbsent, isCount, isRecord, shown, type Fields } from './counts.js';
import { chatNames } from './openai-chat.js';
import { readOpenAiShape } from './openai-shape.js';
import type { AnswerReading, UsageReading } from './usage-reading.js';

const hasAudio = (usage: Fields): boolean =>
  !isAbsent(usage['prompt_audio_seconds']) && !isRecord(usage['prompt_audio_seconds']);

/** OpenAI's shape, `num_cached_tokens` beside it, and audio in seconds, whose tokens only the total counts. */
const readUsage = (usage: unknown): UsageReading => {
  const reading = readOpenAiShape(usage, { ...chatNames, totalCountsMore: hasAudio });
  if (reading.kind === 'missing' || !isRecord(usage) || !hasAudio(usage)) return reading;
  const seconds = usage['prompt_audio_seconds'];
  const inputAudioSeconds = typeof seconds === 'number' ? Math.ceil(seconds) : NaN;
  if (!isCount(inputAudioSeconds)) {
    const contradiction = `prompt_audio_seconds is not a duration: ${shown(seconds)}`;
    return { ...reading, contradictions: [...reading.contradictions, contradiction] };
  }
  if (inputAudioSeconds === 0) return reading;
  return { ...reading, pools: { ...reading.pools, input_audio_second: inputAudioSeconds } };
};

export const readMistralChat = (events: readonly Fields[]): AnswerReading =>
  readChatAnswer(events, readUsage);
