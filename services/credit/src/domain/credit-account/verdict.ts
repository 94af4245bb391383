import type { CreditAccountEvent } from '@tollkeeper/events';
import type { CreditRefusal } from './refusals.js';

/** A reason to branch on, a sentence to read, figures to act on. */
export interface Refusal {
  readonly reason: CreditRefusal;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Events to store; none when the command has been carried out before. */
export type Verdict =
  | { readonly type: 'accept'; readonly events: readonly CreditAccountEvent[] }
  | { readonly type: 'refuse'; readonly refusal: Refusal };

export const accept = (...events: CreditAccountEvent[]): Verdict => ({ type: 'accept', events });

/** The same command again: nothing new is stored, the first answer is given. */
export const nothing: Verdict = { type: 'accept', events: [] };

export const refuse = (
  reason: CreditRefusal,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): Verdict => ({
  type: 'refuse',
  refusal: { reason, message, retryable: false, ...(details ? { details } : {}) },
});
