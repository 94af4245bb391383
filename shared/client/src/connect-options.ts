import { headerText, milliseconds } from './arguments.js';

/** How a command is sent again: always with the same id, within the call's timeout. */
export interface RetryOptions {
  /** How long one attempt waits for its answer; 2,000 by default. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Before the second attempt; doubles from there, with jitter. 50 by default. */
  readonly firstPauseMs?: number | undefined;
  /** 1,000 by default. */
  readonly maxPauseMs?: number | undefined;
}

/** PEM texts, or `true` for TLS by the system's authorities. */
export type TlsOption =
  | true
  | {
      readonly ca?: string | undefined;
      readonly cert?: string | undefined;
      readonly key?: string | undefined;
    };

export interface ConnectOptions {
  /** `nats://host:port`, or `tls://`; with credentials, as `nats://user:password@host:port`, or without. */
  readonly servers: string | readonly string[];
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  readonly token?: string | undefined;
  /** The text of a `.creds` file. */
  readonly creds?: string | undefined;
  readonly tls?: TlsOption | undefined;
  /** Yours, as it is shown by the NATS server and stored as the actor of what you change. */
  readonly name?: string | undefined;
  /** For connecting, and for each call with its retries; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** False: each command is sent once. */
  readonly retry?: RetryOptions | false | undefined;
  /** Where replies arrive: `_INBOX_<user>` by default, which is all that a service's user may read. */
  readonly inboxPrefix?: string | undefined;
}

export interface Settings {
  readonly name: string;
  readonly timeoutMs: number;
  readonly retries: boolean;
  readonly attemptTimeoutMs: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

/** @throws TypeError */
export const settingsOf = ({ name, timeoutMs, retry }: Partial<ConnectOptions>): Settings => {
  const { attemptTimeoutMs, firstPauseMs, maxPauseMs } = retry === false ? {} : (retry ?? {});
  const patience = retry === false ? Infinity : 2_000;
  return {
    name: headerText(name ?? 'tollkeeper-client', 'name'),
    timeoutMs: milliseconds(timeoutMs ?? 10_000, 'timeoutMs'),
    retries: retry !== false,
    attemptTimeoutMs: maybeMs(attemptTimeoutMs, 'retry.attemptTimeoutMs') ?? patience,
    firstPauseMs: maybeMs(firstPauseMs, 'retry.firstPauseMs') ?? 50,
    maxPauseMs: maybeMs(maxPauseMs, 'retry.maxPauseMs') ?? 1_000,
  };
};

const maybeMs = (given: number | undefined, field: string): number | undefined =>
  given === undefined ? undefined : milliseconds(given, field);
