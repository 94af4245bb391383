import { connect, type NatsConnection } from '@nats-io/transport-node';
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

/**
 * Connects and stays connected: reconnects for ever, since every service outlives a NATS restart.
 * Each user has an inbox prefix of its own, so that no service can read another's replies.
 */
export const connectNats = async (options: ConnectOptions): Promise<NatsConnection> => {
  const urls = options.url.split(',').map((text) => new URL(text.trim()));
  const first = urls[0];
  if (!first) throw new Error('no NATS URL');
  const user = decodeURIComponent(first.username);
  return connect({
    servers: urls.map((url) => url.host),
    name: options.name,
    ...(user === '' ? {} : { user, pass: decodeURIComponent(first.password) }),
    ...(first.protocol === 'tls:' ? { tls: {} } : {}),
    inboxPrefix: inboxPrefixOf(options.url),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    waitOnFirstConnect: true,
    // Capturing a stack for each request cost a third of the throughput.
    noAsyncTraces: true,
  });
};
