import { AccountMailbox, type MailboxDependencies } from './account-mailbox.js';
import type { Outcome, Submission } from './submission.js';

export interface QueueLimits {
  readonly commandsPerAccountMax: number;
  readonly commandsMax: number;
  /** Accounts kept in memory; idle ones beyond are forgotten and loaded again when needed. */
  readonly accountsMax: number;
}

export const defaultQueueLimits: QueueLimits = {
  commandsPerAccountMax: 2_000,
  commandsMax: 20_000,
  accountsMax: 50_000,
};

const overloaded: Outcome = {
  type: 'refused',
  refusal: {
    reason: 'overloaded',
    message: 'too many commands are waiting; retry after a second',
    retryable: true,
    details: { retryAfterMs: 1_000 },
  },
};

/** Every account that this instance writes, each behind its mailbox. */
export class CreditAccounts {
  /** In order of last use. */
  private readonly mailboxes = new Map<string, AccountMailbox>();
  private waiting = 0;

  constructor(
    private readonly with_: MailboxDependencies,
    private readonly limits: QueueLimits = defaultQueueLimits,
  ) {}

  submit(accountId: string, submission: Omit<Submission, 'resolve'>): Promise<Outcome> {
    const mailbox = this.mailboxOf(accountId);
    const full =
      this.waiting >= this.limits.commandsMax ||
      mailbox.waiting >= this.limits.commandsPerAccountMax;
    if (full && !submission.urgent) return Promise.resolve(overloaded);
    this.waiting++;
    return new Promise((resolve) => {
      mailbox.submit({
        ...submission,
        resolve: (outcome) => {
          this.waiting--;
          resolve(outcome);
        },
      });
    });
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  private mailboxOf(accountId: string): AccountMailbox {
    const known = this.mailboxes.get(accountId);
    if (known) {
      this.mailboxes.delete(accountId);
      this.mailboxes.set(accountId, known);
      return known;
    }
    if (this.mailboxes.size >= this.limits.accountsMax) this.forgetIdle();
    const made = new AccountMailbox(accountId, this.with_);
    this.mailboxes.set(accountId, made);
    return made;
  }

  private forgetIdle(): void {
    let looked = 0;
    for (const [accountId, mailbox] of this.mailboxes) {
      if (mailbox.idle) {
        this.mailboxes.delete(accountId);
        return;
      }
      if (++looked >= 100) return;
    }
  }
}
