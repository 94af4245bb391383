import { AccountMailbox, type MailboxDependencies } from './account-mailbox.js';
import type { Outcome, Submission } from './submission.js';

export interface QueueLimits {
  readonly commandsPerAccountMax: number;
  readonly commandsMax: number;
  /** Accounts kept in memory; idle ones beyond are forgotten and loaded again when needed. */
  readonly accountsMax: number;
  /** Reservations and grants kept in memory, over all accounts, about 1 kB each; beyond, idle accounts are forgotten. */
  readonly entriesMax: number;
}

export const defaultQueueLimits: QueueLimits = {
  commandsPerAccountMax: 2_000,
  commandsMax: 20_000,
  accountsMax: 50_000,
  entriesMax: 400_000,
};

/** Under a load that keeps every account busy, looking for an idle one must not become the load. */
const busyLookedAtMax = 100;

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
  private remembered = 0;
  private readonly onResized = (by: number): void => {
    this.remembered += by;
    if (this.remembered > this.limits.entriesMax) this.forgetIdle();
  };

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

  /** Accounts in memory, and what they hold. */
  get size(): { readonly accounts: number; readonly entries: number } {
    return { accounts: this.mailboxes.size, entries: this.remembered };
  }

  /** Offers a snapshot of every idle account that would take long to load, the last used first. */
  offerSnapshots(): void {
    for (const [accountId, mailbox] of [...this.mailboxes].reverse()) {
      const snapshot = mailbox.lastSnapshot();
      if (snapshot) this.with_.remembering?.snapshots.offer(accountId, snapshot);
    }
  }

  private mailboxOf(accountId: string): AccountMailbox {
    const known = this.mailboxes.get(accountId);
    if (known) {
      this.mailboxes.delete(accountId);
      this.mailboxes.set(accountId, known);
      return known;
    }
    if (this.mailboxes.size >= this.limits.accountsMax) this.forgetIdle();
    const made = new AccountMailbox(accountId, this.with_, this.onResized);
    this.mailboxes.set(accountId, made);
    return made;
  }

  /** Drops idle accounts, the longest unused first, until a hundredth of both bounds is free again. */
  private forgetIdle(): void {
    const accountsAimed = Math.floor(this.limits.accountsMax * 0.99);
    const entriesAimed = this.limits.entriesMax * 0.99;
    let busy = 0;
    for (const [accountId, mailbox] of this.mailboxes) {
      if (this.mailboxes.size <= accountsAimed && this.remembered <= entriesAimed) return;
      if (mailbox.idle) this.drop(accountId, mailbox);
      else if (++busy >= busyLookedAtMax) return;
    }
  }

  private drop(accountId: string, mailbox: AccountMailbox): void {
    const snapshot = mailbox.lastSnapshot();
    if (snapshot) this.with_.remembering?.snapshots.offer(accountId, snapshot);
    this.mailboxes.delete(accountId);
    this.remembered -= mailbox.entries;
  }
}
