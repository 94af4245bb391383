import { createPool, migrate, type Pool } from '@tollkeeper/postgres';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { checkAppend } from './check-append.js';
import type { EventStore, Subscription } from './event-store.js';
import { createAppender } from './postgres-append.js';
import { createListener } from './postgres-listener.js';
import { createReader } from './postgres-read.js';
import { safeSessions } from './postgres-safety.js';
import { subscribeByPulling } from './pull-subscription.js';

export interface PostgresEventStoreOptions {
  readonly url: string;
  readonly applicationName: string;
  /** Start even if the server may lose what it has acknowledged; for tests. */
  readonly allowUnsafe?: boolean;
  /** Told of failures that the store deals with by itself, such as a lost connection. */
  readonly onError?: (error: unknown) => void;
  /** After that an append's outcome is unknown; 10 s unless given. */
  readonly appendTimeoutMs?: number;
  /** After that a read fails; 10 s unless given. */
  readonly readTimeoutMs?: number;
  /** How long a subscription trusts in being notified; 1 s unless given. */
  readonly pollMs?: number;
}

export const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

/** The store in schema `event_store` of a PostgreSQL database, migrated on opening. */
export const openPostgresEventStore = async (
  options: PostgresEventStoreOptions,
): Promise<EventStore> => {
  const onError = options.onError ?? (() => undefined);
  const appendTimeoutMs = options.appendTimeoutMs ?? 10_000;
  const { url, applicationName } = options;
  const writers = createWriters(options, appendTimeoutMs, onError);
  const sessions = options.allowUnsafe ? writers : safeSessions(writers, appendTimeoutMs);
  const readers = createPool({ url, connectionsMax: 3, applicationName, onError });
  try {
    await migrate(readers, 'event_store', migrations);
    (await sessions.connect()).release();
  } catch (error) {
    await Promise.all([writers.end(), readers.end()]);
    throw error;
  }
  const appender = createAppender(sessions, appendTimeoutMs);
  const listener = createListener(
    {
      connectionString: url,
      application_name: applicationName,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    },
    onError,
  );
  const reader = createReader(readers, options.readTimeoutMs ?? 10_000);
  const subscriptions = new Set<Subscription>();

  return {
    storeId: reader.storeId,
    append: async (stream, expected, events) =>
      appender.append(stream, expected, events, checkAppend(stream, expected, events)),
    read: reader.read,
    lastRevision: reader.lastRevision,
    subscribe: (subscribeOptions) => {
      const { categories } = subscribeOptions;
      const subscription = subscribeByPulling(
        {
          fetch: reader.follow(categories),
          onStored: (wake) => listener.listen(categories, wake),
          pollMs: options.pollMs ?? 1_000,
          onFetchFailed: onError,
        },
        subscribeOptions,
      );
      subscriptions.add(subscription);
      return subscription;
    },
    head: reader.head,
    comparePositions: (a, b) => a.length - b.length || (a < b ? -1 : Number(a > b)),
    close: async () => {
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()));
      await Promise.all([appender.close(), listener.close()]);
      await Promise.all([writers.end(), readers.end()]);
    },
  };
};

/** Two, so that a connection that is being given up does not stand in the way of its successor. */
const createWriters = (
  { url, applicationName }: PostgresEventStoreOptions,
  timeoutMs: number,
  onError: (error: unknown) => void,
): Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max: 2,
    connectionTimeoutMillis: timeoutMs,
    // The server must not go on waiting for the head on behalf of a client that has given up.
    statement_timeout: timeoutMs,
    keepAlive: true,
  });
  pool.on('error', onError);
  return pool;
};
