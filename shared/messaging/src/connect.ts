import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  errors,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { inboxPrefixOfUser } from '@tollkeeper/contracts';

export type { NatsConnection } from '@nats-io/transport-node';

export interface ConnectOptions {
  /** `nats://user:password@host:port`; several, separated by commas, share the first's credentials. */
  readonly url: string;
  /** Shown by the server's monitoring. */
  readonly name: string;
}

/** Where the replies to this URL's user arrive; the server lets nobody else read them. */
export const inboxPrefixOf = (url: string): string =>
  inboxPrefixOfUser(decodeURIComponent(new URL((url.split(',')[0] ?? '').trim()).username));

/** The connection is closed for good, and nobody here closed it. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

const reconnectEveryMs = 250;

/**
 * Connects and stays connected: reconnects for ever, since every service outlives a NATS restart, and one with
 * other passwords for a moment, too. Only a login that is refused at the start is an error: that is a wrong
 * configuration, which its operator wants to see.
 *
 * Each user has an inbox prefix of its own, so that no service can read another's replies.
 *
 * @throws AuthorizationError of NATS
 */
export const connectNats = async (options: ConnectOptions): Promise<NatsConnection> => {
  const urls = options.url.split(',').map((text) => new URL(text.trim()));
  const first = urls[0];
  if (!first) throw new Error('no NATS URL');
  const user = decodeURIComponent(first.username);
  const nats = await connectAtLast({
    servers: urls.map((url) => url.host),
    name: options.name,
    ...(user === '' ? {} : { user, pass: decodeURIComponent(first.password) }),
    ...(first.protocol === 'tls:' ? { tls: {} } : {}),
    inboxPrefix: inboxPrefixOf(options.url),
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectEveryMs,
    // Else two refused logins in a row close the connection for good.
    ignoreAuthErrorAbort: true,
    // Capturing a stack for each request cost a third of the throughput.
    noAsyncTraces: true,
  });
  void nats.closed().then(dieIfLost);
  return nats;
};

/** Its own `waitOnFirstConnect` would wait for a refused login, too, without a word. */
const connectAtLast = async (options: NodeConnectionOptions): Promise<NatsConnection> => {
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      if (error instanceof errors.AuthorizationError) throw error;
    }
    await sleep(reconnectEveryMs);
  }
};

/**
 * A service that hears nothing any more looks alive and is not. Nobody catches this, which ends the process, so that
 * the supervisor starts a clean one: see `runService`.
 */
const dieIfLost = (cause: unknown): void => {
  if (cause) throw new ConnectionLostError('the connection to NATS closed for good', { cause });
};
