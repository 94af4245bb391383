import type { EventStore } from '@tollkeeper/event-store';
import { creditStream } from '@tollkeeper/events';
import { formatMoney } from '@tollkeeper/kernel';
import { balanceAfter, type Balance } from '../balances/balances.projection.js';
import { postingsOf } from '../journal/postings.js';
import { decodeEvent } from '../projector/decode-event.js';
import type { LedgerEvent } from '../projector/ledger-event.js';

/** One event of an account with what the account had after it. Decimal strings in credits. */
export interface ReplayStep {
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly available: string;
  readonly reserved: string;
  readonly debt: string;
  readonly balance: string;
  /** By how much this event moved the balance. */
  readonly change: string;
  readonly data: LedgerEvent['data'];
  /** Its journal entry; a debit is positive. The sum is zero. */
  readonly postings: readonly { readonly account: string; readonly amount: string }[];
}

export class UnreadableAccountError extends Error {
  override readonly name = 'UnreadableAccountError';
}

/** The account's events in order. @throws UnreadableAccountError at an event that cannot follow */
export async function* replay(store: EventStore, accountId: string): AsyncGenerator<ReplayStep> {
  let balance: Balance | undefined;
  for await (const recorded of store.read(creditStream(accountId))) {
    const { event, broken } = decodeEvent(recorded);
    if (!event) throw unreadable(recorded.revision, broken.reason);
    const before = balance;
    try {
      balance = balanceAfter(before, event);
    } catch (error) {
      throw unreadable(event.revision, error instanceof Error ? error.message : String(error));
    }
    yield stepOf(event, before, balance);
  }
}

const unreadable = (revision: number, reason: string): UnreadableAccountError =>
  new UnreadableAccountError(`revision ${String(revision)} cannot be replayed: ${reason}`);

const stepOf = (event: LedgerEvent, before: Balance | undefined, after: Balance): ReplayStep => {
  const balance = after.balance;
  return {
    revision: event.revision,
    id: event.id,
    type: event.type,
    occurredAt: event.metadata.occurredAt,
    available: formatMoney(after.available),
    reserved: formatMoney(after.reserved),
    debt: formatMoney(after.debt),
    balance: formatMoney(balance),
    change: formatMoney(before ? balance.minus(before.balance) : balance),
    data: event.data,
    postings: postingsOf(event).map(({ account, amount }) => ({
      account,
      amount: formatMoney(amount),
    })),
  };
};

const columns: readonly (readonly [title: string, width: number])[] = [
  ['revision', -8],
  ['time', 24],
  ['event', 17],
  ['about', 36],
  ['change', -14],
  ['available', -14],
  ['reserved', -14],
  ['debt', -10],
  ['balance', -14],
];

const line = (cells: readonly string[]): string =>
  columns
    .map(([, width], place) => {
      const cell = cells[place] ?? '';
      return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
    })
    .join('  ')
    .trimEnd();

export const replayHeader = (): string => line(columns.map(([title]) => title));

/** What an event is about: the id that it names, or what it says in short. */
const subjectOf = (data: ReplayStep['data']): string => {
  if ('reservationId' in data) return data.reservationId;
  if ('grantId' in data) return data.grantId;
  if ('adjustmentId' in data) return data.adjustmentId;
  if ('limitId' in data) return data.limitId;
  if ('recurringId' in data) return data.recurringId;
  if ('topUpId' in data) return data.topUpId;
  if ('from' in data) return `${data.from} to ${data.to}`;
  if ('thresholdsCredits' in data) return `below ${data.thresholdsCredits.join(', ')}`;
  if ('thresholdCredits' in data) return `below ${data.thresholdCredits}`;
  return 'reason' in data ? data.reason : '';
};

export const replayLine = (step: ReplayStep): string =>
  line([
    String(step.revision),
    step.occurredAt,
    step.type,
    subjectOf(step.data),
    step.change === '0' ? '' : step.change,
    step.available,
    step.reserved,
    step.debt,
    step.balance,
  ]);
