import { setTimeout as sleep } from 'node:timers/promises';
import { headers, type Refused } from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import { connectNats, NoReplyError, request, type NatsConnection } from '@tollkeeper/messaging';

import { CommandError } from './command-error.js';

const CONNECT_TIMEOUT_MS = 5_000;
const REPLY_TIMEOUT_MS = 5_000;
const PAUSE_MS = 250;
/** How long a person waits for what may pass: nobody answers yet, or a refusal that says so. */
const PATIENCE_MS = 3_000;

/** What a schema of @tollkeeper/contracts is to this file. */
interface Schema<T> {
  readonly parse: (value: unknown) => T;
}

export interface Question<T> {
  readonly subject: string;
  readonly body: unknown;
  readonly reply: Schema<T>;
  /** Keep it to send the same command again; by default a new one. */
  readonly commandId?: string;
  /** How long the reply may take: 5 seconds by default. */
  readonly timeoutMs?: number;
}

/** Speaks to the services over NATS as the user `operator`. */
export class Operator {
  private constructor(
    private readonly nats: NatsConnection,
    private readonly patienceMs: number,
    private readonly adminKey?: string,
  ) {}

  static async connect(url: string, patienceMs = PATIENCE_MS): Promise<Operator> {
    const connecting = connectNats({ url, name: 'toll' });
    const tooLate = sleep(CONNECT_TIMEOUT_MS, undefined, { ref: false });
    const nats = await Promise.race([connecting, tooLate]);
    if (nats) return new Operator(nats, patienceMs);
    // It would try for ever, for a service's sake; a command line gives up, and lets it go if it comes late.
    void connecting.then((late) => late.close());
    throw new CommandError('no-connection', `no NATS server answers at ${new URL(url).host}`);
  }

  /** The same connection, with an admin's key on every message. */
  withAdminKey(adminKey: string): Operator {
    return new Operator(this.nats, this.patienceMs, adminKey);
  }

  /** The answer, or a refusal as it is. What may pass is sent again, under the same command id. */
  async ask<T extends object>({ commandId = uuidv7(), ...rest }: Question<T>): Promise<T> {
    const deadline = performance.now() + this.patienceMs;
    const question = { ...rest, commandId };
    for (;;) {
      const last = performance.now() >= deadline;
      const answer = await this.askOnce(question).catch((error: unknown) => {
        if (!(error instanceof NoReplyError)) throw error;
        if (last) throw new CommandError('no-reply', error.message);
        return undefined;
      });
      const mayPass = answer === undefined || (isRefused(answer) && answer.retryable);
      if (answer !== undefined && (last || !mayPass)) return answer;
      await sleep(PAUSE_MS);
    }
  }

  private async askOnce<T>(question: Question<T> & { commandId: string }): Promise<T> {
    const { subject, body, reply, commandId, timeoutMs = REPLY_TIMEOUT_MS } = question;
    const answer = await request(this.nats, subject, body, {
      timeoutMs,
      headers: {
        [headers.commandId]: commandId,
        [headers.actor]: 'toll',
        ...(this.adminKey !== undefined && { [headers.adminKey]: this.adminKey }),
      },
    });
    return reply.parse(answer);
  }

  /** The answer; a refusal is thrown as the command's failure. */
  async order<T extends object>(question: Question<T>): Promise<Exclude<T, Refused>> {
    const answer = await this.ask(question);
    if (isRefused(answer)) throw new CommandError(answer.reason, answer.message, answer.details);
    return answer as Exclude<T, Refused>;
  }

  async close(): Promise<void> {
    await this.nats.close();
  }
}

export const isRefused = (answer: object): answer is Refused =>
  'status' in answer && answer.status === 'refused';
