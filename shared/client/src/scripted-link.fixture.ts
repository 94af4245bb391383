import type { Link, LinkOptions } from './link.js';
import { SilenceError } from './link.js';

export interface Sent {
  readonly subject: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer, or an error to throw. */
export type Answer = Readonly<Record<string, unknown>> | Error;
type Step = Answer | ((sent: Sent) => Answer);

/** Answers by the script, one step for each attempt, the last one for ever. */
export class ScriptedLink implements Link {
  readonly sent: Sent[] = [];
  closed = false;

  constructor(private script: readonly Step[]) {}

  /** From now on. */
  says(...script: readonly Step[]): void {
    this.script = script;
  }

  async ask(subject: string, body: string, { headers }: LinkOptions): Promise<unknown> {
    await Promise.resolve();
    const sent = { subject, body: JSON.parse(body) as Sent['body'], headers };
    this.sent.push(sent);
    const [step = silence, ...rest] = this.script;
    if (rest.length > 0) this.script = rest;
    const answer = typeof step === 'function' ? step(sent) : step;
    if (answer instanceof Error) throw answer;
    return answer;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

export const silence = (): SilenceError => new SilenceError('no answer', true);
export const noResponder = (): SilenceError => new SilenceError('nobody serves it', false);
export const refused = (
  reason: string,
  retryable = false,
  details?: Readonly<Record<string, unknown>>,
) => ({ status: 'refused', reason, message: `it is ${reason}`, retryable, details });
