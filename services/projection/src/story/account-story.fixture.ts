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
  formatMoney,
  localDate,
  minMoney,
  parseMoney,
  sumMoney,
  zero,
  type Money,
} from '@tollkeeper/kernel';
import { chargeOf, type CallUsage } from './charge.fixture.js';

interface Grant {
  readonly id: string;
  readonly expiresAt: string | undefined;
  left: Money;
}

export interface GrantOptions {
  readonly kind?: GrantKind;
  readonly expiresAt?: string;
  readonly externalReference?: string;
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
    this.grants.push({ id: grantId, expiresAt: rest.expiresAt, left: parseMoney(amountCredits) });
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
    if (this.debt.isZero()) return this;
    const repaid = minMoney(this.debt, parseMoney(amountCredits));
    this.debt = this.debt.minus(repaid);
    this.paid.push(...this.take(repaid, grantId).taken);
    return this.tell({
      type: 'DebtRepaid',
      data: { grantId, amountCredits: formatMoney(repaid) },
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
    const charge = chargeOf(what);
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
    const delta = parseMoney(charge.chargeCredits).minus(parseMoney(previous.chargeCredits));
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

  private take(amount: Money, only?: string): { taken: Allocation[]; missing: Money } {
    const taken: Allocation[] = [];
    let missing = amount;
    for (const grant of this.grants) {
      if (only !== undefined && grant.id !== only) continue;
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
      if (grant.expiresAt !== undefined && Date.parse(grant.expiresAt) <= this.nowMs) {
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
