/** What PostgreSQL's text cannot hold, as JSON writes it: NUL, and half of a surrogate pair. */
const unstorable = /\\u(?:0000|d[89a-f])/;

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
 * JSON that the database takes. Writers refuse what it does not, but an event that holds it all the same must not stop every
 * read model: there it is replaced, as decoders do, and the event keeps its own bytes.
 */
export const storableJson = (value: unknown): string => {
  const text = JSON.stringify(value);
  return unstorable.test(text) ? JSON.stringify(clean(JSON.parse(text))) : text;
};

/** The same of a value. */
export const storable = <T>(value: T): T => clean(value) as T;
