import { partitionCount, partitionOf } from '@tollkeeper/contracts';
import { AccountMailbox, type MailboxDependencies } from './account-mailbox.js';
import { soleOwner, type Ownership } from './ownership/ownership.js';
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

export const notOwner: Outcome = {
  type: 'refused',
  refusal: {
    reason: 'not-owner',
    message: 'the account has moved to another instance; retry with the same id',
    retryable: true,
    details: { retryAfterMs: 200 },
  },
};

/** Every account that this instance writes, each behind its mailbox. */
export class CreditAccounts {
  /** In order of last use. */
  private readonly mailboxes = new Map<string, AccountMailbox>();
  private waiting = 0;
  private readonly waitingIn = new Uint32Array(partitionCount);
  private remembered = 0;
  private readonly onResized = (by: number): void => {
    this.remembered += by;
    if (this.remembered > this.limits.entriesMax) this.forgetIdle();
  };

  constructor(
    private readonly with_: MailboxDependencies,
    private readonly limits: QueueLimits = defaultQueueLimits,
    private readonly ownership: Ownership = soleOwner,
  ) {}

  submit(accountId: string, submission: Omit<Submission, 'resolve'>): Promise<Outcome> {
    const partition = partitionOf(accountId);
    if (!this.ownership.serves(partition)) return Promise.resolve(notOwner);
    const mailbox = this.mailboxOf(accountId);
    const full =
      this.waiting >= this.limits.commandsMax ||
      mailbox.waiting >= this.limits.commandsPerAccountMax;
    if (full && !submission.urgent) return Promise.resolve(overloaded);
    this.waiting++;
    this.count(partition, 1);
    return new Promise((resolve) => {
      mailbox.submit({
        ...submission,
        resolve: (outcome) => {
          this.waiting--;
          this.count(partition, -1);
          resolve(outcome);
        },
      });
    });
  }

  private count(partition: number, by: 1 | -1): void {
    this.waitingIn[partition] = (this.waitingIn[partition] ?? 0) + by;
  }

  /** Those of the partitions on which nothing waits any more, within a while. New commands must be kept away. */
  async drainedOf(partitions: readonly number[], withinMs: number): Promise<readonly number[]> {
    const until = performance.now() + withinMs;
    // Commands that are on their way from a message to their mailbox arrive meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const isIdle = (partition: number): boolean => this.waitingIn[partition] === 0;
    while (!partitions.every(isIdle) && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return partitions.filter(isIdle);
  }

  /** What is known of these partitions' accounts is out of date: they are loaded anew when needed. */
  forget(partitions: ReadonlySet<number>): void {
    for (const [accountId, mailbox] of this.mailboxes) {
      if (!partitions.has(partitionOf(accountId))) continue;
      // Without a snapshot: who owns the account meanwhile may have written a newer one.
      this.remove(accountId, mailbox);
      // What still waits there is decided, and fenced by the store; its memory is no longer counted here.
      mailbox.retire();
    }
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
    this.remove(accountId, mailbox);
  }

  private remove(accountId: string, mailbox: AccountMailbox): void {
    this.mailboxes.delete(accountId);
    this.remembered -= mailbox.entries;
  }
}
