import type { Pool } from '@tollkeeper/postgres';
import {
  StoreUnavailableError,
  type Position,
  type ReadOptions,
  type RecordedEvent,
} from './event-store.js';
import { asText } from './postgres-append.js';
import type { Page } from './pull-subscription.js';

/** A page of large events makes the next one shorter, so that pages stay within memory. */
const pageEventsMax = 1_000;
const pageEventsFirst = 128;
const pageLengthAimed = 2 * 1024 * 1024;
const questionsMax = 1_000;

const columns = `position, revision, recorded_at AT TIME ZONE 'UTC', id, stream, type, data, metadata`;
const queries = {
  store_id: 'SELECT store_id FROM event_store.head',
  head: 'SELECT nullif(position, 0) FROM event_store.head',
  head_of_categories: 'SELECT event_store.head_of_categories($1)',
  read_stream: `SELECT ${columns} FROM event_store.read_stream($1, $2, $3)`,
  last_revisions: 'SELECT event_store.last_revisions($1)',
  read_categories: `SELECT ${columns} FROM event_store.read_categories($1, $2, $3)`,
} as const;

type Row = readonly (string | null)[];

export interface PostgresReader {
  readonly storeId: () => Promise<string>;
  readonly head: (categories?: readonly string[]) => Promise<Position | undefined>;
  readonly read: (stream: string, options?: ReadOptions) => AsyncGenerator<RecordedEvent>;
  readonly lastRevision: (stream: string) => Promise<number | undefined>;
  /** Fetches page after page of some categories' events. */
  readonly follow: (
    categories: readonly string[],
  ) => (after: Position | undefined) => Promise<Page>;
}

/** A query that is not answered within `timeoutMs` fails: its connection may be half-open, and is given up. */
export const createReader = (pool: Pool, timeoutMs: number): PostgresReader => {
  const select = async (name: keyof typeof queries, values: unknown[] = []): Promise<Row[]> => {
    const query = {
      name: `event_store.${name}`,
      text: queries[name],
      values,
      types: asText,
      rowMode: 'array' as const,
      query_timeout: timeoutMs,
    };
    try {
      const { rows } = await pool.query<(string | null)[]>(query);
      return rows;
    } catch (error) {
      throw new StoreUnavailableError('the event store could not be read', { cause: error });
    }
  };

  const lastRevision = gathered(async (streams) => {
    const rows = await select('last_revisions', [streams]);
    return rows.map(([revision]) => (typeof revision === 'string' ? Number(revision) : undefined));
  });

  return {
    lastRevision,

    storeId: async () => {
      const [row] = await select('store_id');
      if (!row?.[0]) throw new Error('event_store.head is empty');
      return row[0];
    },

    head: async (categories) => {
      const [row] = categories
        ? await select('head_of_categories', [categories])
        : await select('head');
      return row?.[0] ?? undefined;
    },

    read: async function* (stream, { fromRevision = 0, limit = Infinity } = {}) {
      const page = createPager();
      let next = fromRevision;
      let left = limit;
      while (left > 0) {
        const size = Math.min(page.size(), left);
        const events = (await select('read_stream', [stream, next, size])).map(toRecorded);
        page.measure(events);
        yield* events;
        if (events.length < size) return;
        next += events.length;
        left -= events.length;
      }
    },

    follow: (categories) => {
      const page = createPager();
      return async (after = '0') => {
        const size = page.size();
        const rows = await select('read_categories', [categories, after, size]);
        const events = rows.map(toRecorded);
        page.measure(events);
        return { events, full: events.length === size };
      };
    },
  };
};

interface Question<T> {
  readonly about: string;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One query in flight; what is asked meanwhile goes together in the next, as appends do. Answers come in the
 * order of the questions, and to each from a query that began after it was asked.
 */
const gathered = <T>(
  ask: (about: readonly string[]) => Promise<readonly T[]>,
): ((about: string) => Promise<T>) => {
  const waiting: Question<T>[] = [];
  let asking = false;
  const askAll = async (): Promise<void> => {
    for (asking = true; waiting.length > 0;) {
      const questions = waiting.splice(0, questionsMax);
      try {
        const answers = await ask(questions.map(({ about }) => about));
        for (const [place, { resolve }] of questions.entries()) resolve(answers[place] as T);
      } catch (error) {
        for (const { reject } of questions) reject(error);
      }
    }
    asking = false;
  };
  return (about) =>
    new Promise((resolve, reject) => {
      waiting.push({ about, resolve, reject });
      if (!asking) void askAll();
    });
};

const toRecorded = (row: Row): RecordedEvent => {
  const text = (column: number): string => row[column] ?? '';
  return {
    position: text(0),
    revision: Number(text(1)),
    recordedAt: new Date(`${text(2).replace(' ', 'T')}Z`),
    id: text(3),
    stream: text(4),
    type: text(5),
    data: text(6),
    metadata: text(7),
  };
};

interface Pager {
  readonly size: () => number;
  readonly measure: (page: readonly RecordedEvent[]) => void;
}

const createPager = (): Pager => {
  let size = pageEventsFirst;
  return {
    size: () => size,
    measure: (page) => {
      if (page.length === 0) return;
      const length = page.reduce(
        (sum, { data, metadata }) => sum + data.length + metadata.length,
        0,
      );
      const fitting = Math.floor((pageLengthAimed * page.length) / length);
      size = Math.max(1, Math.min(fitting, size * 4, pageEventsMax));
    },
  };
};
