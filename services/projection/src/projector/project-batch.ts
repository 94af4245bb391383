import { formatMoney, parseMoney, unreachable } from '@tollkeeper/kernel';
import { balanceAfter, type Balance } from '../balances/balances.projection.js';
import {
  adjustmentTransaction,
  chargeTransactions,
  correctionTransactions,
  endedGrantTransactions,
  grantTransaction,
  refundTransactions,
  releaseTransactions,
  type TransactionRow,
} from '../credit-transactions/credit-transactions.projection.js';
import {
  adjustedDay,
  chargedDay,
  correctedDay,
  refundedDay,
  releasedDay,
  type DayChange,
} from '../daily-summaries/daily-summaries.projection.js';
import { changeGrants, type GrantChanges } from '../grants/grants.projection.js';
import { post, type JournalChanges } from '../journal/journal-days.projection.js';
import { limitAfter, type LimitEvent, type Limits } from '../limits/limits.projection.js';
import {
  chargedMargin,
  correctedMargin,
  refundedMargin,
  type MarginChange,
} from '../margin-by-tier/margin-by-tier.projection.js';
import { dueWorkKey, dueWorkOf, type DueWorkRow } from '../due-work/due-work.projection.js';
import {
  openReservation,
  releasedReservation,
  type OpenReservationRow,
  type ReleasedReservationRow,
} from '../open-reservations/open-reservations.projection.js';
import {
  chargedFigures,
  netOfRefunds,
  usageRow,
  type PriorUsage,
  type UsageRow,
} from '../usage-log/usage-log.projection.js';
import {
  ContradictionError,
  grantKey,
  limitKey,
  reservationKey,
  type LedgerEvent,
  type LedgerEventOf,
} from './ledger-event.js';
import type { WorkingSet } from './working-set.js';

/** An account whose stream cannot be read on, and why. */
export interface ParkedRow {
  readonly account_id: string;
  readonly revision: number;
  readonly event_id: string;
  readonly event_type: string;
  readonly reason: string;
}

export interface UsageRefund {
  readonly account_id: string;
  readonly reservation_id: string;
  /** All that has been given back. */
  readonly refunded_credits: string;
  readonly revisions: readonly number[];
}

export interface UsageCorrection extends ReturnType<typeof chargedFigures>, UsageRefund {}

/** What a batch of events does to every read model. */
export interface BatchChanges {
  readonly balances: Map<string, Balance>;
  /** Still open after the batch; a reservation that also ended in it never becomes a row. */
  readonly opened: Map<string, OpenReservationRow>;
  /** Ended, and open before the batch. */
  readonly closed: Map<string, OpenReservationRow>;
  readonly released: Map<string, ReleasedReservationRow>;
  readonly usage: Map<string, UsageRow>;
  /** Of rows from before the batch. */
  readonly corrections: Map<string, UsageCorrection>;
  /** Of rows from before the batch that it does not correct as well. */
  readonly refunds: Map<string, UsageRefund>;
  readonly transactions: TransactionRow[];
  readonly margins: MarginChange[];
  readonly days: DayChange[];
  readonly grants: GrantChanges;
  /** As the batch leaves them; undefined: removed. */
  readonly limits: Limits;
  readonly journal: JournalChanges;
  readonly due: Map<string, DueWorkRow>;
  readonly parked: ParkedRow[];
}

const noChanges = (): BatchChanges => ({
  balances: new Map(),
  opened: new Map(),
  closed: new Map(),
  released: new Map(),
  usage: new Map(),
  corrections: new Map(),
  refunds: new Map(),
  transactions: [],
  margins: [],
  days: [],
  grants: new Map(),
  limits: new Map(),
  journal: new Map(),
  due: new Map(),
  parked: [],
});

/**
 * Applies events, in order, to read models: a pure function of the working set, which it moves on, and of the events.
 *
 * An event that contradicts its account's state parks that account at the event before; others go on.
 */
export class BatchProjection {
  readonly changes = noChanges();

  constructor(private readonly set: WorkingSet) {}

  park(row: ParkedRow): void {
    this.set.parked.add(row.account_id);
    this.changes.parked.push(row);
  }

  isParked(accountId: string): boolean {
    return this.set.parked.has(accountId);
  }

  apply(event: LedgerEvent): void {
    if (this.isParked(event.accountId)) return;
    try {
      this.applySound(event);
    } catch (error) {
      if (!(error instanceof ContradictionError)) throw error;
      this.park({
        account_id: event.accountId,
        revision: event.revision,
        event_id: event.id,
        event_type: event.type,
        reason: error.message,
      });
    }
  }

  /** Everything that may throw comes before the first change, so that a refused event leaves no trace. */
  private applySound(event: LedgerEvent): void {
    const before = this.set.balances.get(event.accountId);
    const after = balanceAfter(before, event);
    if (before) this.applyTo(before, event);
    changeGrants(this.changes.grants, event, this.set.grants);
    post(this.changes.journal, event, after.timeZone);
    for (const row of dueWorkOf(event)) this.changes.due.set(dueWorkKey(row), row);
    this.set.balances.set(event.accountId, after);
    this.changes.balances.set(event.accountId, after);
  }

  private applyTo(before: Balance, event: LedgerEvent): void {
    switch (event.type) {
      case 'AccountOpened':
      case 'DebtRepaid':
      case 'TierChanged':
      case 'AccountFrozen':
      case 'AccountUnfrozen':
      case 'BalanceAlertsSet':
      case 'LowBalanceReached':
      case 'RecurringGrantSet':
      case 'TopUpRuleSet':
      case 'TopUpRequested':
        return;
      case 'CreditsGranted':
        this.grant(before, event);
        return;
      case 'GrantExpired':
      case 'GrantVoided':
        this.changes.transactions.push(...endedGrantTransactions(before, event));
        return;
      case 'CreditsAdjusted':
        this.adjust(before, event);
        return;
      case 'Refunded':
        this.refund(before, event);
        return;
      case 'LimitSet':
      case 'LimitRemoved':
      case 'LimitWarned':
        this.limit(event);
        return;
      case 'Reserved':
        this.reserve(event);
        return;
      case 'Settled':
        this.charge(before, this.close(event), event);
        return;
      case 'SettledLate':
        this.charge(before, this.releasedCall(event), event);
        return;
      case 'Released':
        this.release(before, event);
        return;
      case 'UsageCorrected':
        this.correct(before, event);
        return;
      default:
        unreachable(event);
    }
  }

  private grant(before: Balance, event: LedgerEventOf<'CreditsGranted'>): void {
    const key = grantKey(event.accountId, event.data.grantId);
    if (this.set.grants.has(key) || this.changes.grants.has(key)) {
      throw new ContradictionError(`grant ${event.data.grantId} was granted already`);
    }
    this.changes.transactions.push(grantTransaction(before, event));
    if (event.data.kind !== 'adjustment') return;
    const { amountCredits, localDate } = event.data;
    this.changes.days.push(adjustedDay(before, parseMoney(amountCredits), localDate));
  }

  private adjust(before: Balance, event: LedgerEventOf<'CreditsAdjusted'>): void {
    const { amountCredits, localDate } = event.data;
    this.changes.transactions.push(adjustmentTransaction(before, event));
    this.changes.days.push(adjustedDay(before, parseMoney(amountCredits).neg(), localDate));
  }

  private limit(event: LimitEvent): void {
    const key = limitKey(event.accountId, event.data.limitId);
    const after = limitAfter(this.set.limits, event);
    this.set.limits.set(key, after);
    this.changes.limits.set(key, after);
  }

  private reserve(event: LedgerEventOf<'Reserved'>): void {
    const key = reservationKey(event.accountId, event.data.reservationId);
    if (this.set.open.has(key)) {
      throw new ContradictionError(`reservation ${event.data.reservationId} is open already`);
    }
    const row = openReservation(event);
    this.set.open.set(key, row);
    this.changes.opened.set(key, row);
  }

  private close(event: LedgerEventOf<'Settled'> | LedgerEventOf<'Released'>): OpenReservationRow {
    const key = reservationKey(event.accountId, event.data.reservationId);
    const row = this.set.open.get(key);
    if (!row) throw new ContradictionError(`reservation ${event.data.reservationId} is not open`);
    this.set.open.delete(key);
    if (!this.changes.opened.delete(key)) this.changes.closed.set(key, row);
    return row;
  }

  private releasedCall(event: LedgerEventOf<'SettledLate'>): ReleasedReservationRow {
    const key = reservationKey(event.accountId, event.data.reservationId);
    const row = this.set.released.get(key);
    if (!row)
      throw new ContradictionError(`reservation ${event.data.reservationId} was not released`);
    if (this.set.usage.has(key)) {
      throw new ContradictionError(`reservation ${event.data.reservationId} was settled already`);
    }
    return row;
  }

  private charge(
    before: Balance,
    call: OpenReservationRow | ReleasedReservationRow,
    event: LedgerEventOf<'Settled'> | LedgerEventOf<'SettledLate'>,
  ): void {
    const key = reservationKey(event.accountId, event.data.reservationId);
    const row = usageRow(call, event);
    this.set.usage.set(key, row);
    this.changes.usage.set(key, row);
    this.changes.transactions.push(...chargeTransactions(before, row, event));
    this.changes.margins.push(chargedMargin(row, row.local_date));
    this.changes.days.push(chargedDay(row));
  }

  private release(before: Balance, event: LedgerEventOf<'Released'>): void {
    const row = releasedReservation(this.close(event), event);
    const key = reservationKey(event.accountId, event.data.reservationId);
    this.set.released.set(key, row);
    this.changes.released.set(key, row);
    this.changes.transactions.push(...releaseTransactions(before, row, event));
    this.changes.days.push(releasedDay(row));
  }

  private refund(before: Balance, event: LedgerEventOf<'Refunded'>): void {
    const { data } = event;
    const key = reservationKey(event.accountId, data.reservationId);
    const prior = this.set.usage.get(key);
    if (!prior) throw new ContradictionError(`reservation ${data.reservationId} was not charged`);
    const credits = parseMoney(data.amountCredits);
    const refunded = parseMoney(prior.refunded_credits).plus(credits);
    if (refunded.gt(parseMoney(prior.charge_credits))) {
      throw new ContradictionError(
        `reservation ${data.reservationId} was charged ${prior.charge_credits}, ` +
          `and ${formatMoney(refunded)} are refunded`,
      );
    }
    const usd = credits.times(parseMoney(prior.usd_per_credit));
    this.recordRefund(key, prior, {
      refunded_credits: formatMoney(refunded),
      revisions: [...prior.revisions, event.revision],
    });
    this.changes.transactions.push(...refundTransactions(before, prior, event));
    this.changes.margins.push(refundedMargin(prior.tier, usd, data.localDate));
    this.changes.days.push(refundedDay(prior, credits, usd, data.localDate));
  }

  private recordRefund(
    key: string,
    prior: PriorUsage,
    refund: Pick<UsageRefund, 'refunded_credits' | 'revisions'>,
  ): void {
    this.set.usage.set(key, { ...prior, ...refund });
    const { usage, corrections, refunds } = this.changes;
    const fresh = usage.get(key);
    const corrected = corrections.get(key);
    if (fresh) usage.set(key, { ...fresh, ...refund });
    else if (corrected) corrections.set(key, { ...corrected, ...refund });
    else {
      const { account_id, reservation_id } = prior;
      refunds.set(key, { account_id, reservation_id, ...refund });
    }
  }

  private correct(before: Balance, event: LedgerEventOf<'UsageCorrected'>): void {
    const { data } = event;
    const key = reservationKey(event.accountId, data.reservationId);
    const prior = this.set.usage.get(key);
    if (!prior) throw new ContradictionError(`reservation ${data.reservationId} was not charged`);
    if (!parseMoney(prior.charge_credits).eq(parseMoney(data.previousChargeCredits))) {
      throw new ContradictionError(
        `reservation ${data.reservationId} was charged ${prior.charge_credits}, ` +
          `not ${data.previousChargeCredits}`,
      );
    }
    const figures = chargedFigures(data);
    this.recordCorrection(key, prior, {
      ...figures,
      revisions: [...prior.revisions, event.revision],
    });
    this.changes.transactions.push(...correctionTransactions(before, prior, event));
    const [out, into] = netOfRefunds(prior, figures);
    this.changes.margins.push(...correctedMargin(out, into, data.localDate));
    this.changes.days.push(...correctedDay(out, into, data.localDate));
  }

  private recordCorrection(
    key: string,
    prior: PriorUsage,
    figures: ReturnType<typeof chargedFigures> & Pick<UsageCorrection, 'revisions'>,
  ): void {
    this.set.usage.set(key, { ...prior, ...figures });
    const fresh = this.changes.usage.get(key);
    if (fresh) {
      this.changes.usage.set(key, { ...fresh, ...figures, corrected: true });
    } else {
      const { account_id, reservation_id, refunded_credits } = prior;
      this.changes.refunds.delete(key);
      this.changes.corrections.set(key, {
        account_id,
        reservation_id,
        refunded_credits,
        ...figures,
      });
    }
  }
}
