import { eventHash, genesisHash } from '@tollkeeper/events';
import type { RecordedEvent } from '@tollkeeper/event-store';
import { formatMoney, sumMoney, zero, type Money } from '@tollkeeper/kernel';
import type { LedgerEvent } from '../projector/ledger-event.js';
import { DifferenceError, type Fail } from './difference.js';
import { LifeProof } from './life-proof.js';
import { EventProof, type Books, type GrantState } from './event-proof.js';

/**
 * Proves one account's stream, event by event, from its own words: the chain of hashes, each charge, each grant, each
 * reservation. Written without the projections, so that an error in them is found here.
 *
 * Memory goes with grants, open, released and refunded reservations, not with events.
 */
export class AccountProof {
  private prevHash: string;
  private revision = -1;
  private readonly grants = new Map<string, GrantState>();
  private readonly open = new Map<string, ReadonlyMap<string, Money>>();
  private readonly released = new Set<string>();
  private debt = zero;
  private charged = zero;
  private lapsed = zero;
  private voided = zero;
  private adjusted = zero;
  private readonly refunded = new Map<string, Money>();

  constructor(
    private readonly accountId: string,
    stream: string,
  ) {
    this.prevHash = genesisHash(stream);
  }

  /** @throws DifferenceError */
  check(recorded: RecordedEvent, event: LedgerEvent): void {
    const fail = (check: string, message: string): never => {
      throw new DifferenceError({
        check,
        message: `${recorded.stream}@${String(recorded.revision)} ${event.type}: ${message}`,
        accountId: this.accountId,
        revision: recorded.revision,
        eventId: recorded.id,
      });
    };
    this.checkChain(recorded, event, fail);
    new EventProof(this.books, event, fail).check();
  }

  /** As `balances` should have it. */
  figures(): Readonly<Record<string, string>> {
    const grants = [...this.grants.values()];
    const available = sumMoney(grants.map((grant) => grant.free));
    const reserved = sumMoney(grants.map((grant) => grant.held));
    return {
      balance: formatMoney(available.plus(reserved).minus(this.debt)),
      available: formatMoney(available),
      reserved: formatMoney(reserved),
      debt: formatMoney(this.debt),
      granted: formatMoney(sumMoney(grants.map((grant) => grant.amount))),
      charged: formatMoney(this.charged),
      lapsed: formatMoney(this.lapsed),
      voided: formatMoney(this.voided),
      adjusted: formatMoney(this.adjusted),
      revision: String(this.revision),
    };
  }

  get hasGrants(): boolean {
    return this.grants.size > 0;
  }

  /** As `grants` should have them, by grant. */
  grantFigures(): ReadonlyMap<string, Readonly<Record<string, string>>> {
    return new Map(
      [...this.grants].map(([grantId, { amount, free, held, drawn }]) => [
        grantId,
        {
          amount: formatMoney(amount),
          available: formatMoney(free),
          reserved: formatMoney(held),
          drawn: formatMoney(drawn),
        },
      ]),
    );
  }

  /** As `usage_log.refunded_credits` should have it, by reservation; absent: nothing. */
  refunds(): ReadonlyMap<string, Money> {
    return this.refunded;
  }

  private checkChain(recorded: RecordedEvent, event: LedgerEvent, fail: Fail): void {
    if (recorded.revision !== this.revision + 1) {
      fail('revisions', `follows revision ${String(this.revision)}`);
    }
    if (event.metadata.prevHash !== this.prevHash) {
      fail('hash-chain', `prevHash is ${event.metadata.prevHash}, not ${this.prevHash}`);
    }
    this.revision = recorded.revision;
    this.prevHash = eventHash(recorded);
  }

  private readonly books: Books = {
    grants: this.grants,
    open: this.open,
    released: this.released,
    addDebt: (change) => {
      this.debt = this.debt.plus(change);
      return this.debt;
    },
    addCharged: (change) => {
      this.charged = this.charged.plus(change);
      return this.charged;
    },
    addLapsed: (change) => {
      this.lapsed = this.lapsed.plus(change);
    },
    addVoided: (change) => {
      this.voided = this.voided.plus(change);
    },
    addAdjusted: (change) => {
      this.adjusted = this.adjusted.plus(change);
    },
    adjustments: new Set(),
    refunded: this.refunded,
    lapsedByRefund: new Map(),
    life: new LifeProof(),
  };
}
