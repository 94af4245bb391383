import { setMaxListeners } from 'node:events';
import { headers, type Refused } from '@tollkeeper/contracts';
import { idPattern, uuidv7 } from '@tollkeeper/kernel';
import { headerText, milliseconds } from './arguments.js';
import type { Settings } from './connect-options.js';
import { TollkeeperUnavailableError, UnexpectedAnswerError } from './errors.js';
import { SilenceError, type Link } from './link.js';
import { refusalOf } from './refusals.js';
import type { CallOptions } from './requests.js';

/** What a schema of the contracts is to this file. */
export interface Schema<T> {
  readonly safeParse: (value: unknown) => { success: boolean; data?: T; error?: unknown };
}

export interface Question<T> {
  readonly subject: string;
  readonly accountId: string;
  readonly body: object;
  readonly reply: Schema<T | Refused>;
  /**
   * `query` changes nothing. `change` is refused by the service once the call's time is over, so that
   * it does not happen after the caller was told that it failed. `ending` ends a reservation, and is
   * wanted however late.
   */
  readonly type: 'query' | 'change' | 'ending';
}

/**
 * Refusals after which the service itself may not know what became of the command: it failed on it, cannot read the
 * account, or cannot tell yet whether an id as old as this one was stored. `overloaded` and `not-owner` are said at the
 * door, where nothing is begun: they leave no doubt of their own, and settle none of an earlier attempt.
 */
const doubtful = new Set(['internal', 'store-unavailable', 'account-parked', 'index-behind']);

type Heard<T> = { readonly answer: T } | { readonly refused: Refused } | { silence: SilenceError };

/** Asks again, with the same id, until there is an answer or the time is over. */
export class Asker {
  constructor(
    private readonly link: Link,
    private readonly settings: Settings,
    /** 0 to 1, for the jitter. */
    private readonly random: () => number = Math.random,
  ) {}

  async ask<T extends object>(question: Question<T>, options: CallOptions = {}): Promise<T> {
    const timeoutMs = milliseconds(options.timeoutMs ?? this.settings.timeoutMs, 'timeoutMs');
    const deadline = performance.now() + timeoutMs;
    const call = this.callOf(question, options, timeoutMs);
    let inDoubt = false;
    for (let attempt = 0; ; attempt++) {
      options.signal?.throwIfAborted();
      const leftMs = Math.max(1, deadline - performance.now());
      const heard = await this.once(call, Math.min(leftMs, this.settings.attemptTimeoutMs));
      if ('answer' in heard) return heard.answer;
      if (!this.mayPass(heard)) throw failureOf(call, heard, inDoubt);
      inDoubt ||= leavesDoubt(heard);
      const pauseMs = Math.max(this.pauseMs(attempt), retryAfterMsOf(heard));
      if (performance.now() + pauseMs >= deadline) throw failureOf(call, heard, inDoubt);
      await unlessAborted(options.signal, new Promise((resolve) => setTimeout(resolve, pauseMs)));
    }
  }

  private callOf<T>(question: Question<T>, options: CallOptions, timeoutMs: number): Call<T> {
    const { type, body } = question;
    const commandId = type === 'query' ? undefined : commandIdOf(options);
    const { correlationId } = options;
    const late = { deadlineAt: new Date(Date.now() + timeoutMs).toISOString() };
    return {
      question,
      commandId,
      signal: options.signal,
      body: JSON.stringify(type === 'change' ? { ...body, ...late } : body),
      headers: {
        ...(commandId === undefined ? {} : { [headers.commandId]: commandId }),
        ...(correlationId === undefined
          ? {}
          : { [headers.correlationId]: headerText(correlationId, 'correlationId') }),
        [headers.actor]: this.settings.name,
      },
    };
  }

  private async once<T>(call: Call<T>, timeoutMs: number): Promise<Heard<T>> {
    const { question, body, headers, commandId } = call;
    try {
      const asked = this.link.ask(question.subject, body, { headers, timeoutMs });
      const reply = question.reply.safeParse(await unlessAborted(call.signal, asked));
      if (reply.success && reply.data !== undefined) return heardOf(reply.data);
      throw new UnexpectedAnswerError(`${question.subject}: an answer outside the contract`, {
        commandId,
        cause: reply.error,
      });
    } catch (error) {
      if (error instanceof SilenceError) return { silence: error };
      throw error;
    }
  }

  private mayPass<T>(heard: Heard<T>): boolean {
    return this.settings.retries && (!('refused' in heard) || heard.refused.retryable);
  }

  private pauseMs(attempt: number): number {
    const { firstPauseMs, maxPauseMs } = this.settings;
    const full = Math.min(maxPauseMs, firstPauseMs * 2 ** attempt);
    return full * (0.5 + this.random() / 2);
  }
}

interface Call<T> {
  readonly question: Question<T>;
  readonly commandId: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const commandIdOf = ({ commandId = uuidv7() }: CallOptions): string => {
  if (idPattern.test(commandId)) return commandId;
  throw new TypeError('commandId: not 1 to 64 of A-Z a-z 0-9 _ -');
};

const heardOf = <T>(reply: T | Refused): Heard<T> =>
  isRefused(reply) ? { refused: reply } : { answer: reply };

const isRefused = (reply: unknown): reply is Refused =>
  typeof reply === 'object' && reply !== null && 'status' in reply && reply.status === 'refused';

const leavesDoubt = <T>(heard: Heard<T>): boolean =>
  'silence' in heard
    ? heard.silence.delivered
    : 'refused' in heard && doubtful.has(heard.refused.reason);

const retryAfterMsOf = <T>(heard: Heard<T>): number => {
  const given = 'refused' in heard ? heard.refused.details?.['retryAfterMs'] : undefined;
  return typeof given === 'number' && given > 0 ? given : 0;
};

/**
 * A lasting refusal settles the doubt of earlier attempts: had one of them been carried out, the same
 * id would have got its answer. Being too late, or busy, does not.
 */
const failureOf = <T>(call: Call<T>, heard: Heard<T>, inDoubt: boolean): Error => {
  const { commandId, question } = call;
  if ('refused' in heard && heard.refused.reason !== 'too-late') {
    const { reason, message, retryable, details = {} } = heard.refused;
    const unknown = (retryable && inDoubt) || leavesDoubt(heard);
    const outcome = unknown ? 'unknown' : 'not-carried-out';
    const { accountId } = question;
    return refusalOf({ reason, message, retryable, details, accountId, commandId, outcome });
  }
  const silence = 'silence' in heard ? heard.silence : undefined;
  return new TollkeeperUnavailableError(
    silence?.message ?? `${question.subject}: taken up after its deadline (are the clocks right?)`,
    {
      commandId,
      outcome: inDoubt || silence?.delivered ? 'unknown' : 'not-carried-out',
      cause: silence,
    },
  );
};

/** What was promised, or the signal's reason as soon as it aborts. */
const unlessAborted = <T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> => {
  if (!signal) return promise;
  // One signal may be for any number of calls; each takes its listener away again.
  setMaxListeners(0, signal);
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
};
