import type { ForgettingRule } from '../domain/credit-account/memory.js';
import { mayBeForgotten } from '../domain/credit-account/memory.js';
import { recallReservation, reservationIdOf } from '../domain/credit-account/recall.js';
import type { CreditAccount } from '../domain/credit-account/state.js';
import type { Past, Recall } from './recall.js';
import type { Snapshots } from './snapshots.js';
import type { Submission } from './submission.js';

/** How accounts forget, and what brings back what they have forgotten. */
export interface Remembering {
  readonly rule: ForgettingRule;
  readonly recall: Recall;
  readonly snapshots: Snapshots;
}

/** `decide` now; `wait`: it comes back; `behind`: nobody can tell yet; `broken`: the index names events that do not belong together. */
export type Consultation = 'decide' | 'wait' | 'behind' | 'broken';

/**
 * One account's commands on reservations that memory does not hold. Each waits by itself until its reservation's
 * events have been read, while the others go on.
 */
export class Recollection {
  private readonly found = new WeakMap<Submission, { readonly past: Past | undefined }>();
  private asking = 0;

  constructor(
    private readonly recall: Recall | undefined,
    private readonly comeBack: (submission: Submission) => void,
  ) {}

  /** Commands that wait for an answer. */
  get waiting(): number {
    return this.asking;
  }

  /**
   * Whether a command can be decided on this state, into which its reservation is put where that was recalled. Looks at the
   * marks of this very state: since the question was asked, the account may have been loaded anew.
   */
  consult(submission: Submission, account: CreditAccount): Consultation {
    const { command } = submission;
    const id = command && reservationIdOf(command);
    if (id === undefined || !this.recall) return 'decide';
    if (account.reservations.has(id) || !mayBeForgotten(account.memory, id)) return 'decide';
    const { revisionMax } = account.memory.forgotten;
    const found = this.found.get(submission);
    if (!found) {
      this.ask(submission, this.recall.find(account.accountId, id, revisionMax));
      return 'wait';
    }
    // A retry after this decision is to ask anew.
    this.found.delete(submission);
    const { past } = found;
    if (!past || past.indexedRevision < revisionMax) return 'behind';
    if (past.events.length === 0) return 'decide';
    return recallReservation(account, id, past.events) ? 'decide' : 'broken';
  }

  private ask(submission: Submission, answer: Promise<Past | undefined>): void {
    this.asking += 1;
    void answer
      .catch(() => undefined)
      .then((past) => {
        this.asking -= 1;
        this.found.set(submission, { past });
        this.comeBack(submission);
      });
  }
}
