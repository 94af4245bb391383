import type { Allocation, Charge, CreditAccountEvent } from '@tollkeeper/events';
import { maxMoney, parseMoney, sumMoney, zero, type Money } from '@tollkeeper/kernel';
import { firstChargeDifference } from '@tollkeeper/pricing';

/** A promise of the ledger that a stream of events breaks. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';
}

/** Credits of one grant, by where they are; their sum is what was granted. */
interface GrantBook {
  readonly grantId: string;
  readonly priority: number;
  readonly effectiveAtMs: number;
  readonly granted: Money;
  readonly expiresAtMs: number;
  /** Expired or voided by an event of its own. */
  ended: boolean;
  /** Held by open reservations, taken for good, lapsed, voided or expired. */
  gone: Money;
}

interface ReservationBook {
  readonly allocations: Money;
  state: 'open' | 'settled' | 'released' | 'late';
  expired: boolean;
  chargeCredits: Money;
  refundedCredits: Money;
}

/** What is left of a charge after its refunds. */
const net = ({ chargeCredits, refundedCredits }: ReservationBook): Money =>
  maxMoney(zero, chargeCredits.minus(refundedCredits));

/**
 * Reads one account's stream and holds it to the promises at every event: no overspend (of any grant, so of all),
 * each reservation ends once, each charge follows from its own event, what was billed late is charged. Knows
 * the events alone: neither how they were decided nor the service's state.
 */
export class StreamPromises {
  readonly reservations = new Map<string, ReservationBook>();
  private readonly grants = new Map<string, GrantBook>();
  /** Lowest priority number first, then earliest expiry, then oldest. */
  private readonly drawOrder: GrantBook[] = [];
  private owed: Money = zero;
  private events = 0;
  private atMs = 0;

  get debtCredits(): Money {
    return this.owed;
  }

  get openReservations(): string[] {
    return [...this.reservations].filter(([, each]) => each.state === 'open').map(([id]) => id);
  }

  /** Charged in all, corrections included. */
  get chargedCredits(): Money {
    return sumMoney([...this.reservations.values()].map((each) => each.chargeCredits));
  }

  /** @throws BrokenPromiseError */
  apply(event: CreditAccountEvent, occurredAt: string): void {
    const atMs = Date.parse(occurredAt);
    if (atMs < this.atMs) this.broken('time runs backwards');
    this.atMs = atMs;
    const handle = handlers[event.type] as Handler | undefined;
    handle?.(this, event.data);
    this.events++;
  }

  broken(why: string): never {
    throw new BrokenPromiseError(`event ${String(this.events)}: ${why}`);
  }

  grant(data: Data<'CreditsGranted'>): void {
    const { grantId, priority, amountCredits, effectiveAt, expiresAt } = data;
    if (this.grants.has(grantId)) this.broken(`${grantId} is granted twice`);
    const grant: GrantBook = {
      grantId,
      priority,
      effectiveAtMs: Date.parse(effectiveAt),
      granted: parseMoney(amountCredits),
      expiresAtMs: expiresAt === undefined ? Infinity : Date.parse(expiresAt),
      ended: false,
      gone: zero,
    };
    this.grants.set(grantId, grant);
    // Behind the last that it does not go before: the older of two equals stays in front.
    const place = this.drawOrder.findLastIndex(
      (other) =>
        other.priority < priority ||
        (other.priority === priority && other.expiresAtMs <= grant.expiresAtMs),
    );
    this.drawOrder.splice(place + 1, 0, grant);
  }

  /** Takes from grants in force, in their order: none is passed over while it has something left. */
  draw(allocations: readonly Allocation[] | undefined): Money {
    const drawn = this.move(allocations, 'out');
    const ids = (allocations ?? []).map(({ grantId }) => grantId);
    const last = this.drawOrder.findLastIndex(({ grantId }) => ids.includes(grantId));
    const inOrder: string[] = [];
    for (const grant of this.drawOrder.slice(0, last + 1)) {
      const inForce =
        !grant.ended && grant.effectiveAtMs <= this.atMs && this.atMs < grant.expiresAtMs;
      const { grantId } = grant;
      if (ids.includes(grantId)) {
        inOrder.push(grantId);
        if (!inForce) this.broken(`${grantId} is drawn out of its time`);
      }
      if (inForce && grantId !== ids.at(-1) && grant.gone.lt(grant.granted)) {
        this.broken(`${grantId} is passed over`);
      }
    }
    if (inOrder.join() !== ids.join()) this.broken(`drawn in the order ${ids.join()}`);
    return drawn;
  }

  /** @throws BrokenPromiseError before a grant's time */
  expire(grantId: string): void {
    if (!((this.grants.get(grantId)?.expiresAtMs ?? Infinity) <= this.atMs)) {
      this.broken(`${grantId} expires before its time`);
    }
  }

  endGrant(data: Allocation): void {
    if (!parseMoney(data.amountCredits).isZero()) this.move([data], 'out');
    const grant = this.grants.get(data.grantId);
    if (grant) grant.ended = true;
  }

  /** A grant that keeps some of what is unreserved goes on. */
  voidGrant(data: Allocation): void {
    if (!parseMoney(data.amountCredits).isZero()) this.move([data], 'out');
    const grant = this.grants.get(data.grantId);
    if (grant?.gone.gte(grant.granted)) grant.ended = true;
  }

  /** What comes back to a grant that is over lapses, and nothing else does. */
  comeBack(data: {
    readonly returned: readonly Allocation[];
    readonly lapsed?: readonly Allocation[] | undefined;
  }): Money {
    for (const { grantId } of data.returned) {
      if (this.isOver(grantId)) this.broken(`credits return to ${grantId}, which is over`);
    }
    for (const { grantId } of data.lapsed ?? []) {
      if (!this.isOver(grantId)) this.broken(`credits of ${grantId} lapse, which is not over`);
    }
    return this.move(data.returned, 'back').plus(total(data.lapsed));
  }

  private isOver(grantId: string): boolean {
    const grant = this.grants.get(grantId);
    return !grant || grant.ended || grant.expiresAtMs <= this.atMs;
  }

  /** Promise 1, for each grant: never more gone than was granted, never more back than went. */
  move(allocations: readonly Allocation[] | undefined, direction: 'out' | 'back'): Money {
    for (const { grantId, amountCredits } of allocations ?? []) {
      const grant = this.grants.get(grantId);
      if (!grant) return this.broken(`${grantId} was never granted`);
      const amount = parseMoney(amountCredits);
      if (amount.lte(0)) this.broken(`${amountCredits} of ${grantId} is no amount to move`);
      grant.gone = direction === 'out' ? grant.gone.plus(amount) : grant.gone.minus(amount);
      if (grant.gone.gt(grant.granted)) this.broken(`${grantId} is overspent`);
      if (grant.gone.isNegative()) this.broken(`${grantId} got back more than it gave`);
    }
    return total(allocations);
  }

  owe(debt: { readonly amountCredits: string } | undefined, direction: 'more' | 'less'): Money {
    const amount = debt ? parseMoney(debt.amountCredits) : zero;
    this.owed = direction === 'more' ? this.owed.plus(amount) : this.owed.minus(amount);
    if (this.owed.isNegative()) this.broken('more debt is gone than there was');
    return amount;
  }

  reservation(reservationId: string): ReservationBook {
    return this.reservations.get(reservationId) ?? this.broken(`${reservationId} never began`);
  }

  /** Promises 3 and 4: recomputed from the event alone; what is unknown costs something and says so. */
  proveCharge(charge: Charge): Money {
    const difference = firstChargeDifference(charge);
    if (difference) {
      const { field, stored, recomputed } = difference;
      this.broken(`${field} is ${stored}, but follows as ${recomputed}`);
    }
    for (const attempt of charge.attempts) {
      if (!attempt.billed || attempt.provenance !== 'unknown') continue;
      if (!charge.flags?.some((flag) => flag === 'usage-missing' || flag.startsWith('unpriced'))) {
        this.broken('unknown usage is not flagged');
      }
      if (parseMoney(attempt.costUsd).isZero() && attempt.lines[0]?.rateUsd !== '0') {
        this.broken('unknown usage costs nothing');
      }
    }
    return parseMoney(charge.chargeCredits);
  }

  same(what: string, a: Money, b: Money): void {
    if (!a.eq(b)) this.broken(`${what}: ${a.toFixed()} is not ${b.toFixed()}`);
  }
}

const total = (allocations: readonly Allocation[] | undefined): Money =>
  sumMoney((allocations ?? []).map((each) => parseMoney(each.amountCredits)));

type Data<T extends CreditAccountEvent['type']> = Extract<CreditAccountEvent, { type: T }>['data'];
type Handler = (books: StreamPromises, data: unknown) => void;
type Handlers = {
  readonly [T in CreditAccountEvent['type']]?: (books: StreamPromises, data: Data<T>) => void;
};

/** Events that move no credits have no entry. */
const handlers: Handlers = {
  CreditsGranted: (books, data) => {
    books.grant(data);
  },

  Reserved: (books, data) => {
    if (books.reservations.has(data.reservationId)) books.broken('reserved twice');
    const allocations = books.draw(data.allocations);
    books.same('reserved', allocations, parseMoney(data.amountCredits));
    books.reservations.set(data.reservationId, {
      allocations,
      state: 'open',
      expired: false,
      chargeCredits: zero,
      refundedCredits: zero,
    });
  },

  Settled: (books, data) => {
    const reservation = books.reservation(data.reservationId);
    if (reservation.state !== 'open') books.broken(`${data.reservationId} ended twice`);
    const drawn = total(data.drawn);
    const back = books.comeBack(data);
    const beyond = books.draw(data.drawnBeyond);
    const owed = books.owe(data.debt, 'more');
    books.same('what was reserved', drawn.plus(back), reservation.allocations);
    const charge = books.proveCharge(data);
    books.same('what was charged', drawn.plus(beyond).plus(owed), charge);
    reservation.state = 'settled';
    reservation.chargeCredits = charge;
  },

  SettledLate: (books, data) => {
    const reservation = books.reservation(data.reservationId);
    if (reservation.state !== 'released') books.broken(`${data.reservationId} settled late twice`);
    const drawn = books.draw(data.drawn);
    const owed = books.owe(data.debt, 'more');
    const charge = books.proveCharge(data);
    books.same('what was charged late', drawn.plus(owed), charge);
    if (!data.flags?.includes('late')) books.broken('late usage is not flagged');
    reservation.state = 'late';
    reservation.chargeCredits = charge;
  },

  Released: (books, data) => {
    const reservation = books.reservation(data.reservationId);
    if (reservation.state !== 'open') books.broken(`${data.reservationId} ended twice`);
    books.same('what was released', books.comeBack(data), reservation.allocations);
    reservation.state = 'released';
    reservation.expired = data.reason === 'expired';
  },

  UsageCorrected: (books, data) => {
    const reservation = books.reservation(data.reservationId);
    const before = net(reservation);
    books.same(
      'the charge before',
      parseMoney(data.previousChargeCredits),
      reservation.chargeCredits,
    );
    reservation.chargeCredits = books.proveCharge(data);
    const delta = net(reservation).minus(before);
    books.same('the difference', parseMoney(data.deltaCredits), delta);
    const back = books.comeBack(data);
    const out = books.draw(data.drawn);
    const cancelled = data.debtCancelledCredits;
    const less = books.owe(
      cancelled === undefined ? undefined : { amountCredits: cancelled },
      'less',
    );
    const more = books.owe(data.debt, 'more');
    books.same('what moved', out.plus(more).minus(back).minus(less), delta);
  },

  DebtRepaid: (books, data) => {
    books.draw([data]);
    books.owe(data, 'less');
  },

  GrantExpired: (books, data) => {
    books.expire(data.grantId);
    books.endGrant(data);
  },

  GrantVoided: (books, data) => {
    books.voidGrant(data);
  },

  CreditsAdjusted: (books, data) => {
    const drawn = books.draw(data.drawn);
    const owed = books.owe(data.debt, 'more');
    books.same('the adjustment', drawn.plus(owed), parseMoney(data.amountCredits));
  },

  Refunded: (books, data) => {
    const reservation = books.reservation(data.reservationId);
    const back = books.comeBack(data);
    const cancelled = data.debtCancelledCredits;
    const less = books.owe(
      cancelled === undefined ? undefined : { amountCredits: cancelled },
      'less',
    );
    books.same('the refund', back.plus(less), parseMoney(data.amountCredits));
    if (parseMoney(data.amountCredits).gt(net(reservation))) {
      books.broken('more is refunded than was charged');
    }
    reservation.refundedCredits = reservation.refundedCredits.plus(data.amountCredits);
  },
};
