import { isRecord, textOf, type Fields } from './counts.js';

/** A server-sent event's data lines; comments (`: OPENROUTER PROCESSING`), ids and blank lines are not for us. */
const dataOf = (line: string): string | undefined =>
  line.startsWith('data:') ? line.slice(5).trim() : undefined;

type Parse = (text: string) => unknown;

const parseJson: Parse = (text) => JSON.parse(text);

const parsed = (text: string, parse: Parse): unknown => {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
};

const eventsOfText = (text: string, parse: Parse): readonly unknown[] => {
  const whole = parsed(text, parse);
  if (whole !== undefined) return Array.isArray(whole) ? whole : [whole];
  return text.split(/\r?\n/).flatMap((line) => {
    const data = dataOf(line);
    return data === undefined ? [] : [parsed(data, parse)];
  });
};

/**
 * A vendor's raw answer as a list of events: a whole answer is one, a stream is the list of its chunks or the text
 * of its server-sent events.
 *
 * @param parse reads JSON within text: `parseExact` keeps each number as its own text
 */
export const eventsOf = (response: unknown, parse = parseJson): readonly Fields[] => {
  const events =
    typeof response === 'string'
      ? eventsOfText(response, parse)
      : Array.isArray(response)
        ? (response as unknown[])
        : [response];
  return events.filter(isRecord);
};

/** The last that is not empty: the first chunk of some vendors names no model. */
export const lastText = (events: readonly Fields[], field: string): string | undefined => {
  for (let place = events.length - 1; place >= 0; place -= 1) {
    const text = textOf(events[place]?.[field]);
    if (text !== undefined) return text;
  }
  return undefined;
};

/** The last that a reader finds in an event: vendors that repeat usage count up. */
export const lastOf = (
  events: readonly Fields[],
  find: (event: Fields) => Fields | undefined,
): Fields | undefined => {
  for (let place = events.length - 1; place >= 0; place -= 1) {
    const event = events[place];
    const found = event && find(event);
    if (found) return found;
  }
  return undefined;
};
