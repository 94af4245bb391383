import type { DecisionContext } from '../domain/credit-account/context.js';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import type { CreditAccount } from '../domain/credit-account/state.js';
import type { Refusal } from '../domain/credit-account/verdict.js';
import type { Admission } from './rate-limits.js';

/** Refusals that the service gives besides the domain's. */
export type ServiceRefusal = Omit<Refusal, 'reason'> & {
  readonly reason:
    | Refusal['reason']
    | 'too-late'
    | 'overloaded'
    | 'not-owner'
    | 'internal'
    | 'account-parked'
    | 'index-behind'
    | 'store-unavailable';
};

export type Outcome =
  | { readonly type: 'accepted'; readonly answer: object }
  | { readonly type: 'refused'; readonly refusal: ServiceRefusal };

/** What the account's rates make of a command that came now; nothing is counted. */
export type Admit = (command: CreditCommand) => Admission;

/** A command on its way through a mailbox. */
export interface Submission {
  /** Absent for a look at the account, which like a command sees only what is stored. */
  readonly command: CreditCommand | undefined;
  /** A look that has an answer for an account that was never opened, too. */
  readonly seesUnopened?: boolean;
  /** Goes before reserves and is never shed. */
  readonly urgent: boolean;
  readonly deadlineAtMs: number | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  readonly actor: string;
  /** The reply, from the state after the decision: the same for the first time and for every repetition. */
  readonly answer: (
    account: CreditAccount,
    at: Date,
    context: DecisionContext,
    admit: Admit,
  ) => object;
  readonly resolve: (outcome: Outcome) => void;
}
