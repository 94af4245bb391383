import type { BookReply } from '@tollkeeper/contracts';
import type { PriceBookEvent } from '@tollkeeper/events';

/** Well below the largest message that the bus carries. */
const pageCharactersMax = 400_000;

/** As many events as a message holds, from `after` on; always one, so that whoever asks on gets on. */
export const bookPage = (
  recorded: readonly PriceBookEvent[],
  after: number,
  asOf: Date,
): BookReply => {
  const events: PriceBookEvent[] = [];
  let characters = 0;
  for (let place = after; place < recorded.length; place += 1) {
    const event = recorded[place];
    if (!event) break;
    characters += JSON.stringify(event).length;
    if (events.length > 0 && characters > pageCharactersMax) break;
    events.push({ type: event.type, data: event.data } as PriceBookEvent);
  }
  const next = after + events.length;
  return { events, ...(next < recorded.length ? { next } : {}), asOf: asOf.toISOString() };
};
