import { parseMoney, unreachable } from '@tollkeeper/kernel';
import { balanceAfter, type Balance } from '../balances/balances.projection.js';
import {
  chargeTransactions,
  correctionTransactions,
  grantTransaction,
  releaseTransactions,
  type TransactionRow,
} from '../credit-transactions/credit-transactions.projection.js';
import {
  chargedDay,
  correctedDay,
  releasedDay,
  type DayChange,
} from '../daily-summaries/daily-summaries.projection.js';
import {
  chargedMargin,
  correctedMargin,
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
  usageRow,
  type PriorUsage,
  type UsageRow,
} from '../usage-log/usage-log.projection.js';
import {
  ContradictionError,
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

export interface UsageCorrection extends ReturnType<typeof chargedFigures> {
  readonly account_id: string;
  readonly reservation_id: string;
  readonly revisions: readonly number[];
}

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
  readonly transactions: TransactionRow[];
  readonly margins: MarginChange[];
  readonly days: DayChange[];
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
  transactions: [],
  margins: [],
  days: [],
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
    for (const row of dueWorkOf(event)) this.changes.due.set(dueWorkKey(row), row);
    this.set.balances.set(event.accountId, after);
    this.changes.balances.set(event.accountId, after);
  }

  private applyTo(before: Balance, event: LedgerEvent): void {
    switch (event.type) {
      case 'AccountOpened':
      case 'DebtRepaid':
        return;
      case 'CreditsGranted':
        this.changes.transactions.push(grantTransaction(before, event));
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
        throw new Error('not projected yet');
      default:
        unreachable(event);
    }
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
    this.changes.margins.push(...correctedMargin(prior, figures, data.localDate));
    this.changes.days.push(...correctedDay(prior, figures, data.localDate));
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
      const { account_id, reservation_id } = prior;
      this.changes.corrections.set(key, { account_id, reservation_id, ...figures });
    }
  }
}
