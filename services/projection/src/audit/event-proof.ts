import type { Allocation } from '@tollkeeper/events';
import {
  formatMoney,
  maxMoney,
  parseMoney,
  sumMoney,
  unreachable,
  zero,
  type Money,
} from '@tollkeeper/kernel';
import { firstChargeDifference } from '@tollkeeper/pricing';
import { movesNoCredits, type LedgerEvent, type LedgerEventOf } from '../projector/ledger-event.js';
import type { Fail } from './difference.js';
import type { LifeProof } from './life-proof.js';

/**
 * Every credit of a grant is free, held, drawn or lost, and none of them is ever negative: the first promise,
 * grant by grant (drawn + open + lapsed + voided ≤ granted + refunded).
 */
export interface GrantState {
  readonly amount: Money;
  /** Infinity: never. */
  readonly expiresAtMs: number;
  /** Neither reserved, drawn nor lost. */
  free: Money;
  /** In open reservations. */
  held: Money;
  /** For good: by charges, repaid debts and adjustments, less what came back. */
  drawn: Money;
  /** Expired or voided: nothing comes back to it. */
  ended: boolean;
}

/** What is known of an account so far. */
export interface Books {
  readonly grants: Map<string, GrantState>;
  readonly open: Map<string, ReadonlyMap<string, Money>>;
  readonly released: Set<string>;
  readonly addDebt: (change: Money) => Money;
  readonly addCharged: (change: Money) => Money;
  readonly addLapsed: (change: Money) => void;
  readonly addVoided: (change: Money) => void;
  readonly addAdjusted: (change: Money) => void;
  readonly adjustments: Set<string>;
  /** Given back so far, by reservation. */
  readonly refunded: Map<string, Money>;
  /** What lapsed of each refund and no grant has made up for yet. */
  readonly lapsedByRefund: Map<string, Money>;
  readonly life: LifeProof;
}

type Charged =
  LedgerEventOf<'Settled'> | LedgerEventOf<'SettledLate'> | LedgerEventOf<'UsageCorrected'>;

const total = (allocations: readonly Allocation[] | undefined): Money =>
  sumMoney((allocations ?? []).map((part) => parseMoney(part.amountCredits)));

const amount = (text: string | undefined): Money => (text === undefined ? zero : parseMoney(text));

/** One event against the account's books, which it moves on. */
export class EventProof {
  constructor(
    private readonly books: Books,
    private readonly event: LedgerEvent,
    private readonly fail: Fail,
  ) {}

  check(): void {
    const { event } = this;
    if (event.revision === 0 && event.type !== 'AccountOpened') {
      this.fail('account', 'the stream does not begin with AccountOpened');
    }
    switch (event.type) {
      case 'AccountOpened':
        if (event.revision !== 0) this.fail('account', 'opened again');
        this.books.life.open(event.data.tier);
        return;
      case 'CreditsGranted':
        this.grant(event);
        return;
      case 'Reserved':
        this.reserve(event);
        return;
      case 'Settled':
        this.settle(event);
        return;
      case 'SettledLate':
        this.settleLate(event);
        return;
      case 'Released':
        this.release(event);
        return;
      case 'UsageCorrected':
        this.correct(event);
        return;
      case 'DebtRepaid':
        this.draw([event.data]);
        this.moveDebt(amount(event.data.amountCredits).neg());
        return;
      case 'GrantExpired':
        this.expire(event);
        return;
      case 'GrantVoided':
        this.voidGrant(event);
        return;
      case 'CreditsAdjusted':
        this.adjust(event);
        return;
      case 'Refunded':
        this.refund(event);
        return;
      default:
        if (!movesNoCredits(event)) return unreachable(event);
        this.books.life.check(event, () => this.freeCredits(), this.fail);
    }
  }

  private grant({ data }: LedgerEventOf<'CreditsGranted'>): void {
    if (this.books.grants.has(data.grantId))
      this.fail('grants', `${data.grantId} is granted twice`);
    const granted = parseMoney(data.amountCredits);
    if (granted.lte(0)) this.fail('grants', `${data.amountCredits} credits granted`);
    this.books.grants.set(data.grantId, {
      amount: granted,
      expiresAtMs: data.expiresAt === undefined ? Infinity : Date.parse(data.expiresAt),
      free: granted,
      held: zero,
      drawn: zero,
      ended: false,
    });
    if (data.refundId !== undefined) this.makeUp(data.refundId, granted);
    this.books.life.granted(data, this.fail);
  }

  /** What a refund lets lapse comes back by new grants, and no more than that. */
  private makeUp(refundId: string, granted: Money): void {
    const left = this.books.lapsedByRefund.get(refundId)?.minus(granted);
    if (!left || left.lt(0)) {
      return this.fail('refund', `${formatMoney(granted)} granted are not what ${refundId} lost`);
    }
    this.books.lapsedByRefund.set(refundId, left);
  }

  private expire({ data }: LedgerEventOf<'GrantExpired'>): void {
    const grant = this.ending(data.grantId);
    if (!this.isOver(grant)) this.fail('grants', `${data.grantId} has not expired`);
    if (!grant.free.eq(amount(data.amountCredits))) {
      this.fail('grants', `${formatMoney(grant.free)} of ${data.grantId} were left`);
    }
    this.books.addLapsed(grant.free);
    grant.free = zero;
    grant.ended = true;
  }

  /** One that leaves some of the unreserved credits does not end the grant. */
  private voidGrant({ data }: LedgerEventOf<'GrantVoided'>): void {
    const grant = this.ending(data.grantId);
    const voided = amount(data.amountCredits);
    if (voided.lt(0)) this.fail('grants', `${data.amountCredits} credits voided`);
    this.takeFree(data.grantId, grant, voided);
    grant.ended = grant.free.isZero();
    this.books.addVoided(voided);
  }

  private ending(grantId: string): GrantState {
    const grant = this.books.grants.get(grantId);
    if (!grant) return this.fail('grants', `grant ${grantId} does not exist`);
    if (grant.ended) return this.fail('grants', `grant ${grantId} has ended before`);
    return grant;
  }

  private adjust({ data }: LedgerEventOf<'CreditsAdjusted'>): void {
    const { adjustments } = this.books;
    if (adjustments.has(data.adjustmentId)) {
      this.fail('adjustment', `${data.adjustmentId} is posted twice`);
    }
    adjustments.add(data.adjustmentId);
    const adjusted = amount(data.amountCredits);
    const debt = amount(data.debt?.amountCredits);
    if (adjusted.lte(0) || debt.lt(0)) this.fail('adjustment', 'nothing is taken');
    if (data.debt && data.debt.cause !== 'adjustment') {
      this.fail('adjustment', `its debt is called ${data.debt.cause}`);
    }
    this.draw(data.drawn);
    this.same('drawn credits and debt', total(data.drawn).plus(debt), adjusted);
    this.moveDebt(debt);
    this.books.addAdjusted(adjusted);
  }

  /**
   * Parts, grants and the account's charges are proven here. That no call gets back more than it was charged takes every
   * charge: the projection parks the account, and `verify` compares the sums of `refunded` with the usage log.
   */
  private refund({ data }: LedgerEventOf<'Refunded'>): void {
    const { lapsedByRefund, refunded } = this.books;
    if (lapsedByRefund.has(data.refundId)) {
      this.fail('refund', `${data.refundId} is posted twice`);
    }
    const credits = amount(data.amountCredits);
    const lapsed = total(data.lapsed);
    const cancelled = amount(data.debtCancelledCredits);
    if (credits.lte(0) || cancelled.lt(0)) this.fail('refund', 'nothing is given back');
    this.same('parts of the refund', total(data.returned).plus(lapsed).plus(cancelled), credits);
    this.undraw(data.returned);
    this.undraw(data.lapsed ?? []);
    this.giveBack(data.returned);
    this.lapse(data.lapsed);
    this.moveDebt(cancelled.neg());
    if (this.books.addCharged(credits.neg()).lt(0)) {
      this.fail('refund', 'more is given back than the account was charged');
    }
    lapsedByRefund.set(data.refundId, lapsed);
    refunded.set(data.reservationId, this.refundedOf(data.reservationId).plus(credits));
  }

  private refundedOf(reservationId: string): Money {
    return this.books.refunded.get(reservationId) ?? zero;
  }

  private reserve({ data }: LedgerEventOf<'Reserved'>): void {
    const { open, released } = this.books;
    if (open.has(data.reservationId) || released.has(data.reservationId)) {
      this.fail('ends-once', `reservation ${data.reservationId} began before`);
    }
    this.same('allocations', total(data.allocations), amount(data.amountCredits));
    const held = new Map<string, Money>();
    for (const part of data.allocations) {
      const { grant, credits } = this.part(part);
      this.takeFree(part.grantId, grant, credits);
      grant.held = grant.held.plus(credits);
      held.set(part.grantId, (held.get(part.grantId) ?? zero).plus(credits));
    }
    open.set(data.reservationId, held);
  }

  private settle(event: LedgerEventOf<'Settled'>): void {
    const { data } = event;
    this.end(data.reservationId, [data.drawn, data.returned, data.lapsed ?? []]);
    this.keep(data.drawn);
    this.giveBack(data.returned);
    this.lapse(data.lapsed);
    this.draw(data.drawnBeyond ?? []);
    const covered = total(data.drawn).plus(total(data.drawnBeyond));
    this.charge(event, covered, amount(data.chargeCredits));
  }

  private settleLate(event: LedgerEventOf<'SettledLate'>): void {
    const { data } = event;
    if (!this.books.released.has(data.reservationId)) {
      this.fail(
        'ends-once',
        `reservation ${data.reservationId} was not released, or settled already`,
      );
    }
    this.books.released.delete(data.reservationId);
    this.draw(data.drawn);
    this.charge(event, total(data.drawn), amount(data.chargeCredits));
  }

  private release({ data }: LedgerEventOf<'Released'>): void {
    this.end(data.reservationId, [data.returned, data.lapsed ?? []]);
    this.giveBack(data.returned);
    this.lapse(data.lapsed);
    this.books.released.add(data.reservationId);
  }

  private correct(event: LedgerEventOf<'UsageCorrected'>): void {
    const { data } = event;
    const delta = amount(data.deltaCredits);
    const cancelled = amount(data.debtCancelledCredits);
    const refunded = this.refundedOf(data.reservationId);
    const net = (charge: string): Money => maxMoney(zero, amount(charge).minus(refunded));
    this.same(
      'deltaCredits',
      net(data.chargeCredits).minus(net(data.previousChargeCredits)),
      delta,
    );
    const givenBack = total(data.returned).plus(total(data.lapsed)).plus(cancelled);
    this.draw(data.drawn);
    this.undraw(data.returned);
    this.undraw(data.lapsed ?? []);
    this.giveBack(data.returned);
    this.lapse(data.lapsed);
    this.moveDebt(cancelled.neg());
    this.charge(event, total(data.drawn).minus(givenBack), delta);
  }

  /** Recomputes the charge from this event alone, and accounts for every credit of it. */
  private charge(event: Charged, covered: Money, charged: Money): void {
    const difference = firstChargeDifference(event.data);
    if (difference) {
      const { field, stored, recomputed } = difference;
      this.fail('charge', `${field} is ${stored}, recomputed ${recomputed}`);
    }
    const debt = amount(event.data.debt?.amountCredits);
    this.same('drawn credits and debt', covered.plus(debt), charged);
    this.moveDebt(debt);
    this.books.addCharged(charged);
  }

  /** Every part of what was reserved must be accounted for, grant by grant. */
  private end(reservationId: string, ends: readonly (readonly Allocation[])[]): void {
    const held = this.books.open.get(reservationId);
    if (!held) return this.fail('ends-once', `reservation ${reservationId} is not open`);
    this.books.open.delete(reservationId);
    const rest = new Map(held);
    for (const allocation of ends.flat()) {
      const { grant, credits } = this.part(allocation);
      grant.held = grant.held.minus(credits);
      rest.set(allocation.grantId, (rest.get(allocation.grantId) ?? zero).minus(credits));
    }
    for (const [grantId, left] of rest) {
      if (!left.isZero()) {
        this.fail(
          'allocations',
          `${formatMoney(left)} credits of grant ${grantId} unaccounted for`,
        );
      }
    }
  }

  private draw(allocations: readonly Allocation[]): void {
    for (const part of allocations) {
      const { grant, credits } = this.part(part);
      this.takeFree(part.grantId, grant, credits);
      grant.drawn = grant.drawn.plus(credits);
    }
  }

  /** Of what was held. */
  private keep(allocations: readonly Allocation[]): void {
    for (const part of allocations) {
      const { grant, credits } = this.part(part);
      grant.drawn = grant.drawn.plus(credits);
    }
  }

  private takeFree(grantId: string, grant: GrantState, credits: Money): void {
    if (credits.gt(grant.free)) {
      this.fail(
        'no-overspend',
        `takes ${formatMoney(credits)} of grant ${grantId}, which has ${formatMoney(grant.free)}`,
      );
    }
    grant.free = grant.free.minus(credits);
  }

  private giveBack(allocations: readonly Allocation[]): void {
    for (const part of allocations) {
      const { grant, credits } = this.part(part);
      if (this.isOver(grant))
        this.fail('grants', `credits return to ${part.grantId}, which is over`);
      grant.free = grant.free.plus(credits);
    }
  }

  /** What a correction or refund gives back was drawn for good before. */
  private undraw(allocations: readonly Allocation[]): void {
    for (const part of allocations) {
      const { grant, credits } = this.part(part);
      grant.drawn = grant.drawn.minus(credits);
      if (grant.drawn.lt(0)) {
        this.fail('allocations', `more comes back to grant ${part.grantId} than was drawn of it`);
      }
    }
  }

  private isOver(grant: GrantState): boolean {
    return grant.ended || grant.expiresAtMs <= Date.parse(this.event.metadata.occurredAt);
  }

  private freeCredits(): Money {
    return sumMoney([...this.books.grants.values()].map((grant) => grant.free));
  }

  private lapse(allocations: readonly Allocation[] | undefined): void {
    for (const part of allocations ?? []) {
      const { grant, credits } = this.part(part);
      if (!this.isOver(grant)) this.fail('grants', `${part.grantId} lapses before its time`);
      this.books.addLapsed(credits);
    }
  }

  private moveDebt(change: Money): void {
    if (this.books.addDebt(change).lt(0)) this.fail('debt', 'more is repaid than was owed');
  }

  private part(allocation: Allocation): { grant: GrantState; credits: Money } {
    const grant = this.books.grants.get(allocation.grantId);
    const credits = parseMoney(allocation.amountCredits);
    if (!grant) return this.fail('grants', `grant ${allocation.grantId} does not exist`);
    if (credits.lte(0)) return this.fail('allocations', `${allocation.amountCredits} credits`);
    return { grant, credits };
  }

  private same(what: string, found: Money, expected: Money): void {
    if (!found.eq(expected)) {
      this.fail(
        'allocations',
        `${what}: ${formatMoney(found)} instead of ${formatMoney(expected)}`,
      );
    }
  }
}
