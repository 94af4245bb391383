import { createHash } from 'node:crypto';
import {
  creditStream,
  eventHash,
  genesisHash,
  toStored,
  type Allocation,
  type Charge,
  type CreditAccountEvent,
  type DebtCause,
  type GrantKind,
  type Purpose,
  type ReleaseReason,
  type StoredEvent,
  type Tier,
} from '@tollkeeper/events';
import {
  floorTo,
  formatMoney,
  localDate,
  maxMoney,
  minMoney,
  parseMoney,
  sumMoney,
  zero,
  type Money,
} from '@tollkeeper/kernel';
import { chargeOf, waivedAbove, type CallUsage } from './charge.fixture.js';

interface Grant {
  readonly id: string;
  readonly expiresAt: string | undefined;
  left: Money;
  ended: boolean;
}

export interface GrantOptions {
  readonly kind?: GrantKind;
  readonly effectiveAt?: string;
  readonly expiresAt?: string;
  readonly externalReference?: string;
  readonly costBasisUsd?: string;
  readonly reasonCode?: string;
  readonly refundId?: string;
  readonly topUpId?: string;
  readonly recurring?: { recurringId: string; period: string; nextAt?: string };
}

/** The same id for the same words, so that a story told twice gives the same events. */
const uuidOf = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/**
 * For specs: one account's events with right chains, allocations and figures, told without the credit service.
 *
 * Each telling moves its clock by a second. Credits are drawn from the oldest grant first.
 */
export class AccountStory {
  /** All events told so far. */
  readonly events: StoredEvent[] = [];
  private readonly grants: Grant[] = [];
  private readonly open = new Map<string, Allocation[]>();
  private readonly charges = new Map<string, Charge>();
  private readonly refunds = new Map<string, Money>();
  private adjustments = 0;
  /** Drawn for good, oldest first. */
  private paid: Allocation[] = [];
  private debt: Money = zero;
  private prevHash: string;

  constructor(
    readonly accountId: string,
    public nowMs = Date.parse('2026-11-20T10:00:00.000Z'),
  ) {
    this.prevHash = genesisHash(creditStream(accountId));
  }

  get stream(): string {
    return creditStream(this.accountId);
  }

  opened(tier: Tier = 'pro', ownerUserId = `owner_${this.accountId}`): this {
    const { accountId } = this;
    return this.tell({
      type: 'AccountOpened',
      data: { accountId, kind: 'personal', ownerUserId, tier, timeZone: 'UTC' },
    });
  }

  granted(amountCredits: string, options: GrantOptions = {}): this {
    const grantId = `g${String(this.grants.length + 1)}`;
    const { kind = 'purchase', ...rest } = options;
    this.grants.push({
      id: grantId,
      expiresAt: rest.expiresAt,
      left: parseMoney(amountCredits),
      ended: false,
    });
    this.tell({
      type: 'CreditsGranted',
      data: {
        grantId,
        kind,
        amountCredits,
        priority: 100,
        effectiveAt: this.now,
        ...rest,
        localDate: this.today,
      },
    });
    return this.repaid();
  }

  /** What is owed, as far as there are credits, one event a grant; tells nothing where nothing can be repaid. */
  repaid(): this {
    if (this.debt.isZero()) return this;
    const { taken, missing } = this.take(this.debt);
    this.debt = missing;
    this.paid.push(...taken);
    for (const part of taken) this.tell({ type: 'DebtRepaid', data: part });
    return this;
  }

  /** What is unreserved of a grant lapses. */
  grantExpired(grantId: string): this {
    const amountCredits = formatMoney(this.end(grantId));
    return this.tell({
      type: 'GrantExpired',
      data: { grantId, amountCredits, localDate: this.today },
    });
  }

  /** Without an amount, all that is unreserved. */
  grantVoided(grantId: string, reasonCode = 'mistake', amount?: string): this {
    const amountCredits = formatMoney(this.end(grantId, amount));
    return this.tell({
      type: 'GrantVoided',
      data: { grantId, amountCredits, reasonCode, reference: 'case-1', localDate: this.today },
    });
  }

  /** Downward; what the grants do not cover is owed. */
  adjusted(amountCredits: string, reasonCode = 'goodwill-reversal'): this {
    const { taken, missing } = this.take(parseMoney(amountCredits));
    this.adjustments += 1;
    return this.tell({
      type: 'CreditsAdjusted',
      data: {
        adjustmentId: `a${String(this.adjustments)}`,
        amountCredits,
        reasonCode,
        reference: 'case-2',
        drawn: taken,
        ...this.owed(missing, 'adjustment'),
        localDate: this.today,
      },
    });
  }

  /** Debt is cancelled first; what lapses is made up for by a new grant. */
  refunded(reservationId: string, amountCredits: string, reasonCode = 'bad-answer'): this {
    const amount = parseMoney(amountCredits);
    const debtCancelled = minMoney(amount, this.debt);
    this.debt = this.debt.minus(debtCancelled);
    const refund = split(this.paid.toReversed(), amount.minus(debtCancelled));
    this.paid = refund.rest.toReversed();
    const { returned, lapsed } = this.giveBack(refund.drawn);
    const before = this.refunds.get(reservationId) ?? zero;
    this.refunds.set(reservationId, before.plus(amount));
    const refundId = `refund-${String(this.events.length)}`;
    this.tell({
      type: 'Refunded',
      data: {
        refundId,
        reservationId,
        amountCredits,
        returned,
        ...(lapsed.length === 0 ? {} : { lapsed }),
        ...(debtCancelled.isZero() ? {} : { debtCancelledCredits: formatMoney(debtCancelled) }),
        reasonCode,
        reference: 'ticket-3',
        localDate: this.today,
      },
    });
    const lost = sumMoney(lapsed.map((part) => parseMoney(part.amountCredits)));
    return lost.isZero()
      ? this
      : this.granted(formatMoney(lost), {
          kind: 'refund',
          refundId,
          externalReference: 'ticket-3',
        });
  }

  /** A share (0 to 1) of what its charge still comes to; tells nothing where that is nothing. */
  refundedShare(reservationId: string, share: string): this {
    const charge = this.charges.get(reservationId);
    if (!charge) return this;
    const amount = this.net(reservationId, charge).times(parseMoney(share)).toDecimalPlaces(4);
    return amount.gt(0) ? this.refunded(reservationId, formatMoney(amount)) : this;
  }

  tierChanged(from: Tier, to: Tier): this {
    return this.tell({ type: 'TierChanged', data: { from, to, reason: 'upgrade' } });
  }

  frozen(): this {
    return this.tell({ type: 'AccountFrozen', data: { reason: 'fraud-check' } });
  }

  unfrozen(): this {
    return this.tell({ type: 'AccountUnfrozen', data: { reason: 'checked' } });
  }

  limitSet(limitId: string, amount: string, keyId?: string): this {
    return this.tell({
      type: 'LimitSet',
      data: {
        limitId,
        scope: keyId === undefined ? { type: 'account' } : { type: 'key', id: keyId },
        window: 'month',
        unit: 'credits',
        amount,
        mode: 'soft',
      },
    });
  }

  limitWarned(limitId: string, used: string, amount: string): this {
    const period = this.today.slice(0, 7);
    return this.tell({ type: 'LimitWarned', data: { limitId, period, used, amount } });
  }

  limitRemoved(limitId: string): this {
    return this.tell({ type: 'LimitRemoved', data: { limitId } });
  }

  alertsSet(...thresholdsCredits: string[]): this {
    return this.tell({ type: 'BalanceAlertsSet', data: { thresholdsCredits } });
  }

  lowBalanceReached(thresholdCredits: string): this {
    return this.tell({
      type: 'LowBalanceReached',
      data: {
        thresholdCredits,
        balanceCredits: this.available,
        availableCredits: this.available,
        localDate: this.today,
      },
    });
  }

  recurringGrantSet(recurringId: string, amountCredits: string, nextAt?: string): this {
    return this.tell({
      type: 'RecurringGrantSet',
      data: {
        recurringId,
        kind: 'subscription',
        amountCredits,
        priority: 100,
        dayOfMonth: 1,
        ...(nextAt === undefined ? {} : { nextAt }),
      },
    });
  }

  topUpRuleSet(thresholdCredits: string, amountCredits: string, enabled = true): this {
    return this.tell({
      type: 'TopUpRuleSet',
      data: {
        thresholdCredits,
        amountCredits,
        coolDownSeconds: 60,
        monthlyCapCredits: '1000',
        enabled,
      },
    });
  }

  topUpRequested(topUpId: string, amountCredits: string): this {
    return this.tell({
      type: 'TopUpRequested',
      data: { topUpId, amountCredits, availableCredits: this.available, localDate: this.today },
    });
  }

  reserved(reservationId: string, amountCredits: string, purpose: Partial<Purpose> = {}): this {
    const allocations = this.take(parseMoney(amountCredits)).taken;
    this.open.set(reservationId, allocations);
    return this.tell({
      type: 'Reserved',
      data: {
        reservationId,
        amountCredits,
        allocations,
        tier: 'pro',
        localDate: this.today,
        expiresAt: new Date(this.nowMs + 720_000).toISOString(),
        purpose: { userId: 'caller', ...purpose },
      },
    });
  }

  /** As much of the amount as there is. */
  reservedAtMost(reservationId: string, amountCredits: string): this {
    const there = sumMoney(this.grants.map((grant) => grant.left));
    const amount = minMoney(there, parseMoney(amountCredits));
    return this.reserved(reservationId, formatMoney(amount));
  }

  settled(reservationId: string, what: string | CallUsage): this {
    return this.settledFor(reservationId, chargeOf(what));
  }

  /** Charges no more than was reserved, as the policy `deny-excess` does. */
  settledWithin(reservationId: string, what: CallUsage): this {
    const reserved = this.open.get(reservationId) ?? [];
    const most = sumMoney(reserved.map((part) => parseMoney(part.amountCredits)));
    return this.settledFor(reservationId, waivedAbove(chargeOf(what), most));
  }

  private settledFor(reservationId: string, charge: Charge): this {
    const { drawn, rest, left } = split(
      this.openOf(reservationId),
      parseMoney(charge.chargeCredits),
    );
    const beyond = this.take(left);
    const { returned, lapsed } = this.giveBack(rest);
    this.paid.push(...drawn, ...beyond.taken);
    this.charges.set(reservationId, charge);
    return this.tell({
      type: 'Settled',
      data: {
        ...charge,
        reservationId,
        drawn,
        ...(beyond.taken.length === 0 ? {} : { drawnBeyond: beyond.taken }),
        returned,
        ...(lapsed.length === 0 ? {} : { lapsed }),
        ...this.owed(beyond.missing, 'over-reservation'),
        localDate: this.today,
      },
    });
  }

  released(reservationId: string, reason: ReleaseReason = 'failed'): this {
    const { returned, lapsed } = this.giveBack(this.openOf(reservationId));
    return this.tell({
      type: 'Released',
      data: {
        reservationId,
        reason,
        returned,
        ...(lapsed.length === 0 ? {} : { lapsed }),
        localDate: this.today,
      },
    });
  }

  settledLate(reservationId: string, what: string | CallUsage): this {
    const charge = chargeOf(what);
    const { taken, missing } = this.take(parseMoney(charge.chargeCredits));
    this.paid.push(...taken);
    this.charges.set(reservationId, charge);
    return this.tell({
      type: 'SettledLate',
      data: {
        ...charge,
        reservationId,
        drawn: taken,
        ...this.owed(missing, 'late-usage'),
        localDate: this.today,
      },
    });
  }

  corrected(reservationId: string, what: string | CallUsage): this {
    const previous = this.charges.get(reservationId);
    if (!previous) throw new Error(`${reservationId} was never charged`);
    const charge = chargeOf(what);
    const delta = this.net(reservationId, charge).minus(this.net(reservationId, previous));
    const { taken, missing } = this.take(delta.isNegative() ? zero : delta);
    const back = delta.isNegative() ? delta.neg() : zero;
    const debtCancelled = minMoney(back, this.debt);
    this.debt = this.debt.minus(debtCancelled);
    const refund = split(this.paid.toReversed(), back.minus(debtCancelled));
    this.paid = [...refund.rest.toReversed(), ...taken];
    const { returned, lapsed } = this.giveBack(refund.drawn);
    this.charges.set(reservationId, charge);
    return this.tell({
      type: 'UsageCorrected',
      data: {
        ...charge,
        reservationId,
        previousChargeCredits: previous.chargeCredits,
        deltaCredits: formatMoney(delta),
        drawn: taken,
        returned,
        ...(lapsed.length === 0 ? {} : { lapsed }),
        ...(debtCancelled.isZero() ? {} : { debtCancelledCredits: formatMoney(debtCancelled) }),
        ...this.owed(missing, 'correction'),
        localDate: this.today,
      },
    });
  }

  later(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** Any event, well-formed or not, with the chain kept. */
  tell(event: CreditAccountEvent): this {
    const id = uuidOf(`${this.accountId}/${String(this.events.length)}`);
    const stored = toStored(id, event, {
      schemaVersion: 1,
      occurredAt: this.now,
      correlationId: `c-${id}`,
      causationId: `m-${id}`,
      actor: 'spec',
      commandId: `cmd-${id}`,
      commandHash: 'h',
      prevHash: this.prevHash,
    });
    return this.tellStored(stored);
  }

  /** The last event of a type once more, which no credit service would do. */
  tellAgain(type: CreditAccountEvent['type']): this {
    const last = this.events.findLast((event) => event.type === type);
    if (!last) throw new Error(`no ${type} was told`);
    const data: unknown = JSON.parse(last.data);
    return this.tell({ type, data } as CreditAccountEvent);
  }

  tellStored(stored: StoredEvent): this {
    this.events.push(stored);
    this.prevHash = eventHash(stored);
    this.nowMs += 1_000;
    return this;
  }

  /** Of a charge, after its refunds. */
  private net(reservationId: string, charge: Charge): Money {
    const refunded = this.refunds.get(reservationId) ?? zero;
    return maxMoney(zero, parseMoney(charge.chargeCredits).minus(refunded));
  }

  isCharged(reservationId: string): boolean {
    return this.charges.has(reservationId);
  }

  /** What is unreserved of a grant, halved; zero where halves are too small. */
  halfOf(grantId: string): string {
    const left = this.grants.find(({ id }) => id === grantId)?.left ?? zero;
    return formatMoney(floorTo(left.div(2), 4));
  }

  /** Grants that have not ended. */
  endable(): string[] {
    return this.grants.filter(({ ended }) => !ended).map(({ id }) => id);
  }

  hasExpired(grantId: string): boolean {
    const expiresAt = this.grants.find(({ id }) => id === grantId)?.expiresAt;
    return expiresAt !== undefined && Date.parse(expiresAt) <= this.nowMs;
  }

  private end(grantId: string, amount?: string): Money {
    const grant = this.grants.find(({ id, ended }) => id === grantId && !ended);
    if (!grant) throw new Error(`no grant ${grantId}`);
    const taken = amount === undefined ? grant.left : parseMoney(amount);
    grant.left = grant.left.minus(taken);
    grant.ended = grant.left.isZero();
    return taken;
  }

  private get available(): string {
    return formatMoney(sumMoney(this.grants.map(({ left }) => left)));
  }

  private get now(): string {
    return new Date(this.nowMs).toISOString();
  }

  private get today(): string {
    return localDate(new Date(this.nowMs), 'UTC');
  }

  private openOf(reservationId: string): Allocation[] {
    const allocations = this.open.get(reservationId);
    if (!allocations) throw new Error(`${reservationId} is not open`);
    this.open.delete(reservationId);
    return allocations;
  }

  private take(amount: Money): { taken: Allocation[]; missing: Money } {
    const taken: Allocation[] = [];
    let missing = amount;
    for (const grant of this.grants) {
      const part = minMoney(grant.left, missing);
      if (part.lte(0)) continue;
      grant.left = grant.left.minus(part);
      missing = missing.minus(part);
      taken.push({ grantId: grant.id, amountCredits: formatMoney(part) });
    }
    return { taken, missing };
  }

  private giveBack(parts: readonly Allocation[]): { returned: Allocation[]; lapsed: Allocation[] } {
    const returned: Allocation[] = [];
    const lapsed: Allocation[] = [];
    for (const part of parts) {
      const grant = this.grants.find(({ id }) => id === part.grantId);
      if (!grant) throw new Error(`no grant ${part.grantId}`);
      if (grant.ended || this.hasExpired(grant.id)) {
        lapsed.push(part);
      } else {
        grant.left = grant.left.plus(parseMoney(part.amountCredits));
        returned.push(part);
      }
    }
    return { returned, lapsed };
  }

  private owed(
    missing: Money,
    cause: DebtCause,
  ): { debt?: { amountCredits: string; cause: DebtCause } } {
    if (missing.lte(0)) return {};
    this.debt = this.debt.plus(missing);
    return { debt: { amountCredits: formatMoney(missing), cause } };
  }
}

/** The first part of some allocations, and the rest of them. */
const split = (
  allocations: readonly Allocation[],
  amount: Money,
): { drawn: Allocation[]; rest: Allocation[]; left: Money } => {
  const drawn: Allocation[] = [];
  const rest: Allocation[] = [];
  let left = amount;
  for (const { grantId, amountCredits } of allocations) {
    const has = parseMoney(amountCredits);
    const part = minMoney(has, left);
    left = left.minus(part);
    if (part.gt(0)) drawn.push({ grantId, amountCredits: formatMoney(part) });
    if (has.gt(part)) rest.push({ grantId, amountCredits: formatMoney(has.minus(part)) });
  }
  return { drawn, rest, left };
};
