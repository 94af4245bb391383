import { formatMoney, parseMoney, type Money } from '@tollkeeper/kernel';
import type { GrantKind } from '@tollkeeper/events';
import type { Balance } from '../balances/balances.projection.js';
import { sumOf } from '../projector/amounts.js';
import type { LedgerEvent, LedgerEventOf } from '../projector/ledger-event.js';
import type { OpenReservationRow } from '../open-reservations/open-reservations.projection.js';
import type { ChargedFigures, PriorUsage, UsageRow } from '../usage-log/usage-log.projection.js';

export type TransactionType = 'topup' | 'deduction' | 'refund' | 'adjustment' | 'initial_grant';

/** A row of `credit_transactions`, by the table's own names. */
export interface TransactionRow {
  readonly account_id: string;
  readonly revision: number;
  readonly part: 0 | 1;
  readonly id: string;
  readonly user_id: string;
  readonly project_id: string | null;
  readonly usage_id: string | null;
  readonly type: TransactionType;
  readonly amount: string;
  readonly balance_before: string;
  readonly balance_after: string;
  readonly vendor_cost_usd: string | null;
  readonly external_id: string | null;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at: string;
}

const typeOfGrant: Readonly<Record<GrantKind, TransactionType>> = {
  purchase: 'topup',
  subscription: 'topup',
  promotion: 'topup',
  initial: 'initial_grant',
  refund: 'refund',
  adjustment: 'adjustment',
};

interface Entry {
  readonly part: 0 | 1;
  readonly type: TransactionType;
  readonly amount: Money;
  readonly balanceBefore: Money;
  readonly description: string;
  readonly userId: string;
  readonly projectId?: string | null;
  readonly usageId?: string;
  readonly vendorCostUsd?: string;
  readonly externalId?: string | null;
  readonly metadata?: Readonly<Record<string, string>>;
}

const row = (event: LedgerEvent, entry: Entry): TransactionRow => ({
  account_id: event.accountId,
  revision: event.revision,
  part: entry.part,
  id: entry.part === 0 ? event.id : `${event.id}.${String(entry.part)}`,
  user_id: entry.userId,
  project_id: entry.projectId ?? null,
  usage_id: entry.usageId ?? null,
  type: entry.type,
  amount: formatMoney(entry.amount),
  balance_before: formatMoney(entry.balanceBefore),
  balance_after: formatMoney(entry.balanceBefore.plus(entry.amount)),
  vendor_cost_usd: entry.vendorCostUsd ?? null,
  external_id: entry.externalId ?? null,
  description: entry.description,
  metadata: entry.metadata ?? {},
  created_at: event.metadata.occurredAt,
});

export const grantTransaction = (
  before: Balance,
  event: LedgerEventOf<'CreditsGranted'>,
): TransactionRow => {
  const { data } = event;
  return row(event, {
    part: 0,
    type: typeOfGrant[data.kind],
    amount: parseMoney(data.amountCredits),
    balanceBefore: before.balance,
    description: `grant: ${data.kind}`,
    userId: before.ownerUserId,
    externalId: data.externalReference ?? null,
    metadata: {
      grantId: data.grantId,
      kind: data.kind,
      ...(data.expiresAt === undefined ? {} : { expiresAt: data.expiresAt }),
      ...(data.costBasisUsd === undefined ? {} : { costBasisUsd: data.costBasisUsd }),
      ...(data.reasonCode === undefined ? {} : { reasonCode: data.reasonCode }),
      ...(data.refundId === undefined ? {} : { refundId: data.refundId }),
      ...(data.topUpId === undefined ? {} : { topUpId: data.topUpId }),
      ...(data.recurring
        ? { recurringId: data.recurring.recurringId, period: data.recurring.period }
        : {}),
    },
  });
};

/** What an ended grant still had leaves the balance; a grant that had nothing leaves no entry. */
export const endedGrantTransactions = (
  before: Balance,
  event: LedgerEventOf<'GrantExpired'> | LedgerEventOf<'GrantVoided'>,
): TransactionRow[] => {
  const { data } = event;
  const amount = parseMoney(data.amountCredits);
  if (amount.isZero()) return [];
  const why: Pick<Entry, 'description' | 'externalId' | 'metadata'> =
    event.type === 'GrantExpired'
      ? {
          description: 'expired: what was left of a grant',
          metadata: { reason: 'grant-expired', grantId: data.grantId },
        }
      : {
          description: 'voided: what was left of a grant',
          externalId: event.data.reference ?? null,
          metadata: {
            reason: 'grant-voided',
            grantId: data.grantId,
            reasonCode: event.data.reasonCode,
          },
        };
  return [
    row(event, {
      part: 0,
      type: 'adjustment',
      amount: amount.neg(),
      balanceBefore: before.balance,
      userId: before.ownerUserId,
      ...why,
    }),
  ];
};

export const adjustmentTransaction = (
  before: Balance,
  event: LedgerEventOf<'CreditsAdjusted'>,
): TransactionRow => {
  const { data } = event;
  return row(event, {
    part: 0,
    type: 'adjustment',
    amount: parseMoney(data.amountCredits).neg(),
    balanceBefore: before.balance,
    description: `adjustment: ${data.reasonCode}`,
    userId: before.ownerUserId,
    externalId: data.reference ?? null,
    metadata: {
      reason: 'adjusted',
      reasonCode: data.reasonCode,
      adjustmentId: data.adjustmentId,
      ...(data.debt ? { debtCredits: data.debt.amountCredits, debtCause: data.debt.cause } : {}),
    },
  });
};

/** Whom an entry about a call belongs to. */
type Call = Pick<OpenReservationRow, 'reservation_id' | 'user_id' | 'project_id'>;

const ofCall = (call: Call): Pick<Entry, 'userId' | 'projectId' | 'usageId'> => ({
  userId: call.user_id,
  projectId: call.project_id,
  usageId: call.reservation_id,
});

/** Credits that come back to a grant that has ended leave the balance by an entry of their own. */
const lapseTransactions = (
  call: Call,
  balanceBefore: Money,
  event:
    | LedgerEventOf<'Settled'>
    | LedgerEventOf<'Released'>
    | LedgerEventOf<'UsageCorrected'>
    | LedgerEventOf<'Refunded'>,
): TransactionRow[] => {
  const lapsed = sumOf(event.data.lapsed);
  if (lapsed.isZero()) return [];
  return [
    row(event, {
      ...ofCall(call),
      part: 1,
      type: 'adjustment',
      amount: lapsed.neg(),
      balanceBefore,
      description: 'lapsed: the grant had ended when its credits came back',
      metadata: { reason: 'lapsed' },
    }),
  ];
};

const nameOf = (figures: ChargedFigures): string =>
  figures.model === null ? 'plain amount' : `${figures.provider ?? ''}/${figures.model}`;

/** One for each charged call, also where the charge is zero, so that each `usage_log` row has its own. */
export const chargeTransactions = (
  before: Balance,
  usage: UsageRow,
  event: LedgerEventOf<'Settled'> | LedgerEventOf<'SettledLate'>,
): TransactionRow[] => {
  const charge = row(event, {
    ...ofCall(usage),
    part: 0,
    type: 'deduction',
    amount: parseMoney(usage.charge_credits).neg(),
    balanceBefore: before.balance,
    description: usage.late ? `late: ${nameOf(usage)}` : nameOf(usage),
    vendorCostUsd: usage.vendor_cost_usd,
    externalId: usage.vendor_request_id,
    metadata: event.data.debt
      ? { debtCredits: event.data.debt.amountCredits, debtCause: event.data.debt.cause }
      : {},
  });
  if (event.type === 'SettledLate') return [charge];
  return [charge, ...lapseTransactions(usage, parseMoney(charge.balance_after), event)];
};

export const releaseTransactions = (
  before: Balance,
  call: Call,
  event: LedgerEventOf<'Released'>,
): TransactionRow[] => lapseTransactions(call, before.balance, event);

/** The difference to what was charged; its vendor cost is a difference too. None where neither moved. */
export const correctionTransactions = (
  before: Balance,
  prior: PriorUsage,
  event: LedgerEventOf<'UsageCorrected'>,
): TransactionRow[] => {
  const { data } = event;
  const amount = parseMoney(data.deltaCredits).neg();
  const vendorCost = parseMoney(data.vendorCostUsd).minus(parseMoney(prior.vendor_cost_usd));
  if (amount.isZero() && vendorCost.isZero()) return [];
  const correction = row(event, {
    ...ofCall(prior),
    part: 0,
    type: amount.isPositive() && !amount.isZero() ? 'refund' : 'deduction',
    amount,
    balanceBefore: before.balance,
    description: 'correction',
    vendorCostUsd: formatMoney(vendorCost),
    metadata: {
      previousChargeCredits: data.previousChargeCredits,
      chargeCredits: data.chargeCredits,
      ...(data.debt ? { debtCredits: data.debt.amountCredits, debtCause: data.debt.cause } : {}),
      ...(data.debtCancelledCredits === undefined
        ? {}
        : { debtCancelledCredits: data.debtCancelledCredits }),
    },
  });
  return [correction, ...lapseTransactions(prior, parseMoney(correction.balance_after), event)];
};

/** Of whoever made the call; what lapses again leaves by an entry of its own, as its new grant comes by one. */
export const refundTransactions = (
  before: Balance,
  call: Call,
  event: LedgerEventOf<'Refunded'>,
): TransactionRow[] => {
  const { data } = event;
  const refund = row(event, {
    ...ofCall(call),
    part: 0,
    type: 'refund',
    amount: parseMoney(data.amountCredits),
    balanceBefore: before.balance,
    description: `refund: ${data.reasonCode}`,
    externalId: data.reference ?? null,
    metadata: {
      refundId: data.refundId,
      reasonCode: data.reasonCode,
      ...(data.debtCancelledCredits === undefined
        ? {}
        : { debtCancelledCredits: data.debtCancelledCredits }),
    },
  });
  return [refund, ...lapseTransactions(call, parseMoney(refund.balance_after), event)];
};
