import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { StoreUnavailableError } from './event-store.js';

/**
 * Appends in flight on a connection. They share one duplex stream, whose buffer takes 16 messages; beyond, the client
 * queues them in a way that turns a broken connection into unhandled rejections, which end a service
 * (304 of them seen at 256 in flight with events of 20 kB; none at 15).
 */
const appendsMax = 15;
/** A message of 16 MiB failed innocent neighbours; together they stay below half of that. */
const bytesMax = 8 * 1024 * 1024;
/** So 240 appends in flight: to many streams as fast as 256 on one connection, and 2.5 times as fast as 15. */
const connectionsMax = 16;

/** One call that appends: to one stream, or to several at once. */
export interface Sending<T> {
  readonly streams: readonly string[];
  readonly bytes: number;
  readonly send: (client: KurrentDBClient) => Promise<T>;
}

export interface KurrentSender {
  /** Rejects as the client does, or with a NoAnswerError when the time is up. */
  readonly send: <T>(sending: Sending<T>) => Promise<T>;
  /** Resolves when everything queued has been answered. */
  readonly close: () => Promise<void>;
}

/** The time was up: what was sent may be stored or not, and the connection that was silent is given up. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

interface Waiting {
  readonly streams: readonly string[];
  readonly bytes: number;
  readonly sendOn: (connection: Connection) => void;
}

/**
 * Sends appends in the order in which they come, one at a time for each stream: on a fresh connection the client
 * may let a second append overtake the first. Each has a time limit of our own, because the client's
 * `deadline` is not enforced on this path; a connection that let the time pass is replaced.
 */
export const createKurrentSender = (
  connect: () => KurrentDBClient,
  timeoutMs: number,
): KurrentSender => {
  const connections = createConnections(connect);
  const waiting = new Set<Waiting>();
  const streamsInFlight = new Set<string>();
  const unanswered = new Set<Promise<unknown>>();
  let closed = false;

  const isInFlight = (stream: string): boolean => streamsInFlight.has(stream);

  const sendWaiting = (): void => {
    for (const next of waiting) {
      const connection = connections.leastBusy();
      if (!hasRoom(connection, next.bytes)) return;
      if (next.streams.some(isInFlight)) continue;
      waiting.delete(next);
      next.sendOn(connection);
    }
  };

  const send = <T>(wanted: Sending<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const { streams, bytes } = wanted;
      let used: Connection | undefined;
      let finished = false;
      const finish = (): void => {
        // The answer may still come after the time is up; by then the stream's next append may be in flight.
        if (finished) return;
        finished = true;
        clearTimeout(timer);
        if (used) for (const stream of streams) streamsInFlight.delete(stream);
        sendWaiting();
      };
      const entry: Waiting = {
        streams,
        bytes,
        sendOn: (connection) => {
          used = connection;
          for (const stream of streams) streamsInFlight.add(stream);
          sendOn(connection, wanted).then(resolve, reject).finally(finish);
        },
      };
      const timer = setTimeout(() => {
        reject(new NoAnswerError(`no answer within ${String(timeoutMs)} ms`));
        waiting.delete(entry);
        if (used) connections.replace(used);
        finish();
      }, timeoutMs);
      waiting.add(entry);
      sendWaiting();
    });

  return {
    send: (wanted) => {
      if (closed) return Promise.reject(new StoreUnavailableError('this store was closed'));
      const answer = send(wanted);
      unanswered.add(answer);
      const forget = (): void => void unanswered.delete(answer);
      answer.then(forget, forget);
      return answer;
    },
    close: async () => {
      closed = true;
      await Promise.allSettled(unanswered);
      await connections.close();
    },
  };
};

interface Connection {
  readonly client: () => KurrentDBClient;
  appends: number;
  bytes: number;
}

interface Connections {
  readonly leastBusy: () => Connection;
  /** Gives up what is stuck in this one: its appends end as unknown outcomes. */
  readonly replace: (stuck: Connection) => void;
  readonly close: () => Promise<void>;
}

const createConnections = (connect: () => KurrentDBClient): Connections => {
  const clients = new Map<Connection, KurrentDBClient>();
  const newConnection = (): Connection => {
    const connection = {
      // Made when it is needed: a quiet service keeps to one.
      client: () => {
        const client = clients.get(connection) ?? connect();
        clients.set(connection, client);
        return client;
      },
      appends: 0,
      bytes: 0,
    };
    return connection;
  };
  const all = Array.from({ length: connectionsMax }, newConnection);
  return {
    leastBusy: () => all.reduce((best, other) => (other.appends < best.appends ? other : best)),
    replace: (stuck) => {
      const place = all.indexOf(stuck);
      if (place < 0) return;
      all[place] = newConnection();
      const client = clients.get(stuck);
      clients.delete(stuck);
      if (client) void disposeClient(client);
    },
    close: async () => {
      await Promise.all([...clients.values()].map(disposeClient));
    },
  };
};

const sendOn = async <T>(connection: Connection, { bytes, send }: Sending<T>): Promise<T> => {
  connection.appends += 1;
  connection.bytes += bytes;
  try {
    return await send(connection.client());
  } finally {
    connection.appends -= 1;
    connection.bytes -= bytes;
  }
};

/** Whatever its size, an append that is alone may go. */
const hasRoom = ({ appends, bytes }: Connection, moreBytes: number): boolean =>
  appends === 0 || (appends < appendsMax && bytes + moreBytes <= bytesMax);

/**
 * `dispose` alone leaves the channel's socket open, and Node running. Never rejects: a client that finds no node of its
 * cluster has no channel to close, and whoever gives it up is told of something else.
 */
export const disposeClient = async (client: KurrentDBClient): Promise<void> => {
  try {
    await client.dispose();
    // Public in the client's code, absent from its types.
    const { getChannel } = client as unknown as {
      getChannel: () => Promise<{ close: () => void }>;
    };
    (await getChannel()).close();
  } catch {
    // Nothing is open.
  }
};
