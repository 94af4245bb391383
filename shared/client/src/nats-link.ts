import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  credsAuthenticator,
  errors,
  headers as natsHeaders,
  type MsgHdrs,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { inboxPrefixOfUser } from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import type { ConnectOptions, Settings } from './connect-options.js';
import { ClientClosedError, NotPermittedError, TollkeeperUnavailableError } from './errors.js';
import { SilenceError, type Link, type LinkOptions } from './link.js';

const reconnectEveryMs = 250;
/** NATS's own limit, for as long as the server has not said its own. */
const payloadBytesMax = 1024 * 1024;
/** For headers: a message is passed on between instances with a few more. */
const headroomBytes = 4 * 1024;

/** Tries until the timeout, for a server that is just starting; a refused login is told at once. */
export const openNatsLink = async (options: ConnectOptions, settings: Settings): Promise<Link> => {
  const nats = natsOptionsOf(options, settings);
  const deadline = performance.now() + settings.timeoutMs;
  for (;;) {
    const leftMs = Math.max(1, deadline - performance.now());
    try {
      return new NatsLink(await connect({ ...nats, timeout: leftMs }));
    } catch (error) {
      if (isAuthorization(error)) {
        throw new NotPermittedError('the NATS server refuses these credentials', { cause: error });
      }
      if (performance.now() + reconnectEveryMs >= deadline) {
        throw new TollkeeperUnavailableError(`no NATS server answers: ${messageOf(error)}`, {
          outcome: 'not-carried-out',
          cause: error,
        });
      }
    }
    await sleep(reconnectEveryMs);
  }
};

export const natsOptionsOf = (
  options: ConnectOptions,
  { name }: Pick<Settings, 'name'>,
): NodeConnectionOptions => {
  const given = typeof options.servers === 'string' ? options.servers.split(',') : options.servers;
  const urls = given.map((text) => urlOf(text.trim()));
  if (urls.length === 0) throw new TypeError('servers: none is given');
  const login = loginOf(options, urls[0]);
  const tls = tlsOf(options, urls[0]);
  return {
    servers: urls.map((url) => url.host),
    name,
    ...login,
    ...(tls ? { tls } : {}),
    inboxPrefix: options.inboxPrefix ?? inboxPrefixOfUser(login.user),
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectEveryMs,
    // Else two refused logins in a row close the connection for good, though the next one may be taken.
    ignoreAuthErrorAbort: true,
    // Capturing a stack for each request costs a third of the throughput.
    noAsyncTraces: true,
  };
};

const urlOf = (text: string): URL => {
  try {
    const url = new URL(text.includes('://') ? text : `nats://${text}`);
    decodeURIComponent(url.username + url.password);
    if (url.host !== '') return url;
  } catch {
    // Not told as the cause: that repeats the text, which may hold a password.
  }
  throw new TypeError('servers: not a URL such as nats://127.0.0.1:4222');
};

type Login = Pick<NodeConnectionOptions, 'token' | 'authenticator'> & {
  readonly user?: string;
  readonly pass?: string;
};

/** What is given beside the URL wins; a URL with a name and no password holds a token, as NATS has it. */
const loginOf = ({ user, pass, token, creds }: ConnectOptions, url: URL | undefined): Login => {
  if (creds !== undefined) {
    return { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) };
  }
  if (token !== undefined) return { token };
  if (user !== undefined) return { user, ...(pass === undefined ? {} : { pass }) };
  const [name, password] = [url?.username ?? '', url?.password ?? ''].map(decodeURIComponent);
  if (!name) return {};
  return password ? { user: name, pass: password } : { token: name };
};

const tlsOf = ({ tls }: ConnectOptions, url: URL | undefined): object | undefined => {
  if (tls === undefined) return url?.protocol === 'tls:' ? {} : undefined;
  return tls === true ? {} : tls;
};

const isAuthorization = (error: unknown): boolean =>
  error instanceof errors.AuthorizationError ||
  error instanceof errors.UserAuthenticationExpiredError;

/** The chain of causes of an error, itself first. */
const causesOf = (error: unknown): unknown[] => {
  const chain: unknown[] = [];
  for (let each = error; each !== undefined && chain.length < 5;) {
    chain.push(each);
    each = each instanceof Error ? each.cause : undefined;
  }
  return chain;
};

class NatsLink implements Link {
  private closed = false;
  private readonly waiting = new Set<Promise<unknown>>();

  constructor(private readonly nats: NatsConnection) {}

  async ask(subject: string, body: string, options: LinkOptions): Promise<unknown> {
    if (this.closed) throw new ClientClosedError('this client was closed');
    if (this.nats.isClosed()) throw new SilenceError('the connection closed for good', false);
    const bytesMax = (this.nats.info?.max_payload ?? payloadBytesMax) - headroomBytes;
    if (Buffer.byteLength(body) > bytesMax) {
      throw new TypeError(`${subject}: larger than the ${String(bytesMax)} bytes of a message`);
    }
    const asked = this.request(subject, body, options);
    this.waiting.add(asked);
    try {
      return await asked;
    } finally {
      this.waiting.delete(asked);
    }
  }

  /** NATS's own drain would drop the answers that are still to come. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.waiting);
    await this.nats.close();
  }

  private async request(subject: string, body: string, options: LinkOptions): Promise<unknown> {
    try {
      const reply = await this.nats.request(subject, body, {
        timeout: options.timeoutMs,
        headers: toHeaders(options.headers),
      });
      return jsonOf(reply.string());
    } catch (error) {
      throw this.failureOf(subject, error);
    }
  }

  private failureOf(subject: string, error: unknown): Error {
    const causes = causesOf(error);
    const is = (kind: abstract new (...args: never[]) => Error): boolean =>
      causes.some((cause) => cause instanceof kind);
    if (is(errors.PermissionViolationError)) {
      return new NotPermittedError(`these credentials may not send to ${subject}`, {
        cause: error,
      });
    }
    if (is(errors.NoRespondersError)) {
      return new SilenceError(`nobody serves ${subject}`, false, error);
    }
    return new SilenceError(`no answer from ${subject}: ${messageOf(error)}`, true, error);
  }
}

const toHeaders = (fields: Readonly<Record<string, string>>): MsgHdrs => {
  const made = natsHeaders();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
