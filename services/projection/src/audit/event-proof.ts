import type { Allocation } from '@tollkeeper/events';
import {
  formatMoney,
  parseMoney,
  sumMoney,
  unreachable,
  zero,
  type Money,
} from '@tollkeeper/kernel';
import { firstChargeDifference } from '@tollkeeper/pricing';
import type { LedgerEvent, LedgerEventOf } from '../projector/ledger-event.js';

export interface GrantState {
  readonly amount: Money;
  readonly expires: boolean;
  /** Neither reserved, drawn nor lapsed. */
  free: Money;
  /** In open reservations. */
  held: Money;
}

export type Fail = (check: string, message: string) => never;

/** What is known of an account so far. */
export interface Books {
  readonly grants: Map<string, GrantState>;
  readonly open: Map<string, ReadonlyMap<string, Money>>;
  readonly released: Set<string>;
  readonly addDebt: (change: Money) => Money;
  readonly addCharged: (change: Money) => void;
  readonly addLapsed: (change: Money) => void;
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
      case 'GrantVoided':
      case 'CreditsAdjusted':
      case 'Refunded':
      case 'TierChanged':
      case 'AccountFrozen':
      case 'AccountUnfrozen':
      case 'LimitSet':
      case 'LimitRemoved':
      case 'LimitWarned':
      case 'BalanceAlertsSet':
      case 'LowBalanceReached':
      case 'RecurringGrantSet':
      case 'TopUpRuleSet':
      case 'TopUpRequested':
        throw new Error('not proven yet');
      default:
        unreachable(event);
    }
  }

  private grant({ data }: LedgerEventOf<'CreditsGranted'>): void {
    if (this.books.grants.has(data.grantId))
      this.fail('grants', `${data.grantId} is granted twice`);
    const granted = parseMoney(data.amountCredits);
    if (granted.lte(0)) this.fail('grants', `${data.amountCredits} credits granted`);
    const expires = data.expiresAt !== undefined;
    this.books.grants.set(data.grantId, { amount: granted, expires, free: granted, held: zero });
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
    this.same(
      'deltaCredits',
      amount(data.chargeCredits).minus(amount(data.previousChargeCredits)),
      delta,
    );
    const givenBack = total(data.returned).plus(total(data.lapsed)).plus(cancelled);
    this.draw(data.drawn);
    this.reviveDrawn(data.returned);
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
      grant.free = grant.free.plus(credits);
    }
  }

  /** What a correction returns was drawn for good before: no grant comes to more than it was. */
  private reviveDrawn(allocations: readonly Allocation[]): void {
    this.giveBack(allocations);
    for (const { grantId } of allocations) {
      const grant = this.books.grants.get(grantId);
      if (grant?.free.plus(grant.held).gt(grant.amount)) {
        this.fail('allocations', `grant ${grantId} comes to more than was granted`);
      }
    }
  }

  private lapse(allocations: readonly Allocation[] | undefined): void {
    for (const part of allocations ?? []) {
      const { grant, credits } = this.part(part);
      if (!grant.expires) this.fail('grants', `${part.grantId} lapses without an expiry`);
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
