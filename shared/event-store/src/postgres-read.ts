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

const columns = `position, revision, recorded_at AT TIME ZONE 'UTC', id, stream, type, data, metadata`;
const queries = {
  store_id: 'SELECT store_id FROM event_store.head',
  head: 'SELECT nullif(position, 0) FROM event_store.head',
  head_of_categories: 'SELECT event_store.head_of_categories($1)',
  read_stream: `SELECT ${columns} FROM event_store.read_stream($1, $2, $3)`,
  read_categories: `SELECT ${columns} FROM event_store.read_categories($1, $2, $3)`,
} as const;

type Row = readonly (string | null)[];

export interface PostgresReader {
  readonly storeId: () => Promise<string>;
  readonly head: (categories?: readonly string[]) => Promise<Position | undefined>;
  readonly read: (stream: string, options?: ReadOptions) => AsyncGenerator<RecordedEvent>;
  /** Fetches page after page of some categories' events. */
  readonly follow: (
    categories: readonly string[],
  ) => (after: Position | undefined) => Promise<Page>;
}

export const createReader = (pool: Pool): PostgresReader => {
  const select = async (name: keyof typeof queries, values: unknown[] = []): Promise<Row[]> => {
    try {
      const { rows } = await pool.query<(string | null)[]>({
        name: `event_store.${name}`,
        text: queries[name],
        values,
        types: asText,
        rowMode: 'array',
      });
      return rows;
    } catch (error) {
      throw new StoreUnavailableError('the event store could not be read', { cause: error });
    }
  };

  return {
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
