import { lastOf, lastText } from './answer-events.js';
import { isRecord, type Fields } from './counts.js';
import type { AnswerReading, UsageReading } from './usage-reading.js';

export const usageField = (event: Fields): Fields | undefined =>
  isRecord(event['usage']) ? event['usage'] : undefined;

/** What a stream's chunks, or a whole answer, of a chat API say: the last usage, model and service tier. */
export const readChatAnswer = (
  events: readonly Fields[],
  read: (usage: unknown) => UsageReading,
  usageOf = usageField,
): AnswerReading => {
  const reading = read(lastOf(events, usageOf));
  if (reading.kind === 'missing') return reading;
  return {
    ...reading,
    provenance: 'exact',
    model: lastText(events, 'model'),
    serviceTier: lastText(events, 'service_tier'),
  };
};
