/** What PostgreSQL's text cannot hold, as JSON writes it: NUL, and half of a surrogate pair. A whole pair is found, too. */
const suspect = /\\u(?:0000|d[89a-f])/i;

/** Whether JSON may hold what the database cannot; looked at for each event. */
export const maybeUnstorable = (json: string): boolean => suspect.test(json);

const replacement = '\uFFFD';

const cleanText = (text: string): string =>
  text.replaceAll('\0', replacement).replaceAll(/\p{Cs}/gu, replacement);

const clean = (value: unknown): unknown => {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [cleanText(key), clean(each)]),
  );
};

/**
 * A plain value that the database takes. Writers refuse what it does not, but an event that holds it all the same must not stop
 * every read model: it is read with replacements, as decoders do, and the stored one keeps its own bytes.
 */
export const storable = <T>(value: T): T => clean(value) as T;
