import type { Pool, PoolClient } from '@tollkeeper/postgres';
import {
  createAppendQueue,
  type AppendPart,
  type Appender,
  type QueuedAppend,
} from './append-queue.js';
import {
  InvalidEventError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  categoryOf,
  type ExpectedRevision,
} from './event-store.js';

const bytesMax = 4 * 1024 * 1024;
const eventsMax = 2_000;

/** A batch is one transaction. */
export const createAppender = (pool: Pool, timeoutMs: number): Appender =>
  createAppendQueue({ bytesMax, eventsMax, flush: (batch) => flush(pool, timeoutMs, batch) });

/** Answers every part of the batch; never rejects. */
const flush = async (
  pool: Pool,
  timeoutMs: number,
  batch: readonly QueuedAppend[],
): Promise<void> => {
  try {
    answer(batch, await send(pool, timeoutMs, batch));
  } catch (error) {
    if (!isFaultOfAnEvent(error)) {
      for (const part of batch) part.reject(unknownOutcome(part, error));
      return;
    }
    // The transaction was rolled back for one event's sake: halve the batch until it stands alone.
    const [first] = batch;
    if (batch.length === 1 && first) {
      first.reject(new InvalidEventError(`stream ${first.stream}: refused`, { cause: error }));
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await flush(pool, timeoutMs, batch.slice(0, middle));
    await flush(pool, timeoutMs, batch.slice(middle));
  }
};

const unknownOutcome = (part: QueuedAppend, cause: unknown): Error =>
  new UnknownOutcomeError(`stream ${part.stream}: the append was not answered`, { cause });

const sqlState = (error: unknown): string =>
  error instanceof Error && 'code' in error && 'severity' in error ? String(error.code) : '';

/** The server's own word on the statement; classes 08 and 57P are about the connection that ends. */
const isRefusal = (error: unknown): boolean => !/^(|08.*|57P.*)$/.test(sqlState(error));

/** Not JSON (22), an id that is stored in another place (23), nested too deeply (54). */
const isFaultOfAnEvent = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error));

export const appendSql = 'SELECT * FROM event_store.append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)';

interface AppendRow {
  readonly o_first_revisions: string;
  readonly o_not_stored: string | null;
}

const send = async (
  pool: Pool,
  timeoutMs: number,
  batch: readonly QueuedAppend[],
): Promise<AppendRow> => {
  const client = await pool.connect();
  // The pool listens to idle connections only; one that breaks between its answer and its release would end Node.
  client.on('error', ignore);
  let answered = false;
  try {
    const query = client.query<AppendRow>({
      name: 'event_store.append',
      text: appendSql,
      values: encode(batch),
      types: asText,
    });
    const { rows } = await within(timeoutMs, query);
    answered = true;
    const [row] = rows;
    if (!row) throw new Error('event_store.append answered nothing');
    return row;
  } catch (error) {
    answered ||= isRefusal(error);
    throw error;
  } finally {
    release(client, answered);
  }
};

/** A connection that owes an answer is destroyed, so that nobody takes it for the answer to his question. */
const release = (client: PoolClient, answered: boolean): void => {
  if (answered) client.off('error', ignore);
  client.release(!answered);
};

/** The query in flight, or the next one, fails of the same cause. */
const ignore = (): void => undefined;

const within = async <T>(timeoutMs: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

/** pg would parse numbers and JSON; every column is wanted as PostgreSQL prints it. */
export const asText = { getTypeParser: () => (text: string) => text };

const answer = (batch: readonly QueuedAppend[], row: AppendRow): void => {
  for (const [index, first] of row.o_first_revisions.split(',').entries()) {
    const part = batch[index];
    if (!part || first === '') continue;
    part.resolve({ revision: Number(first) + part.events.length - 1 });
  }
  if (row.o_not_stored === null) return;
  for (const notStored of JSON.parse(row.o_not_stored) as NotStored[]) {
    const part = batch[notStored.part - 1];
    if (!part) throw new Error('event_store.append answered a part that was not sent');
    const { revision } = notStored;
    if (notStored.already) {
      part.resolve({ revision });
    } else {
      const actual = revision < 0 ? undefined : revision;
      part.reject(new WrongExpectedRevisionError(part.stream, part.expected, actual));
    }
  }
};

interface NotStored {
  readonly part: number;
  readonly already: boolean;
  readonly revision: number;
}

const textOid = 25;
const jsonOid = 114;

/** The parameters of `event_store.append`, in its order. */
export const encode = (
  batch: readonly AppendPart[],
  encodeJson: (texts: readonly string[]) => unknown = (texts) => binaryArray(jsonOid, texts),
): unknown[] => {
  const categories = new Set<string>();
  const streams: string[] = [];
  const expected: number[] = [];
  const counts: number[] = [];
  const parts: number[] = [];
  const places: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const data: string[] = [];
  const metadata: string[] = [];
  for (const part of batch) {
    categories.add(categoryOf(part.stream));
    streams.push(part.stream);
    expected.push(expectedNumber(part.expected));
    counts.push(part.events.length);
    for (const [place, event] of part.events.entries()) {
      parts.push(streams.length);
      places.push(place);
      ids.push(event.id);
      types.push(event.type);
      data.push(event.data);
      metadata.push(event.metadata);
    }
  }
  return [
    binaryArray(textOid, [...categories]),
    binaryArray(textOid, streams),
    literal(expected),
    literal(counts),
    literal(parts),
    literal(places),
    literal(ids),
    binaryArray(textOid, types),
    encodeJson(data),
    encodeJson(metadata),
  ];
};

const expectedNumber = (expected: ExpectedRevision): number => {
  if (expected === 'no-stream') return -1;
  return expected === 'any' ? -2 : expected;
};

/** For numbers and UUIDs, which need no quoting. */
const literal = (values: readonly (number | string)[]): string => `{${values.join(',')}}`;

/**
 * PostgreSQL's binary form of a one-dimensional array (array_recv): nothing to quote, nothing to unquote,
 * and no text can be taken for a separator. Compared with other forms in migrations/0001-events/notes.md.
 */
const binaryArray = (elementOid: number, values: readonly string[]): Buffer => {
  let size = 20;
  const lengths = values.map((value) => {
    const length = Buffer.byteLength(value);
    size += 4 + length;
    return length;
  });
  const buffer = Buffer.allocUnsafe(size);
  let at = 0;
  for (const header of [1, 0, elementOid, values.length, 1]) at = buffer.writeInt32BE(header, at);
  for (const [index, value] of values.entries()) {
    const length = lengths[index] ?? 0;
    at = buffer.writeInt32BE(length, at);
    at += buffer.write(value, at, length, 'utf8');
  }
  return buffer;
};
