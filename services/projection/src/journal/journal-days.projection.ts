import { formatMoney, localDate, zero, type Money } from '@tollkeeper/kernel';
import type { LedgerEvent } from '../projector/ledger-event.js';
import { postingsOf, type JournalAccount } from './postings.js';

interface Turnover {
  debits: Money;
  credits: Money;
}

/** What a batch posts, by day and account of the chart. */
export type JournalChanges = Map<string, Map<JournalAccount, Turnover>>;

/** A row of `journal_days` to add to. */
export interface JournalDayRow {
  readonly local_date: string;
  readonly account: JournalAccount;
  readonly debits: string;
  readonly credits: string;
}

/** The event's own day; a repaid debt, which has none, counts on the day of its time in the account's zone. */
const dayOf = (event: LedgerEvent, timeZone: string): string =>
  'localDate' in event.data
    ? event.data.localDate
    : localDate(new Date(event.metadata.occurredAt), timeZone);

export const post = (changes: JournalChanges, event: LedgerEvent, timeZone: string): void => {
  const postings = postingsOf(event);
  if (postings.length === 0) return;
  const day = dayOf(event, timeZone);
  let turnovers = changes.get(day);
  if (!turnovers) changes.set(day, (turnovers = new Map<JournalAccount, Turnover>()));
  for (const { account, amount } of postings) {
    let turnover = turnovers.get(account);
    if (!turnover) turnovers.set(account, (turnover = { debits: zero, credits: zero }));
    if (amount.isNegative()) turnover.credits = turnover.credits.minus(amount);
    else turnover.debits = turnover.debits.plus(amount);
  }
};

export const journalDayRows = (changes: JournalChanges): JournalDayRow[] =>
  [...changes].flatMap(([local_date, turnovers]) =>
    [...turnovers].map(([account, { debits, credits }]) => ({
      local_date,
      account,
      debits: formatMoney(debits),
      credits: formatMoney(credits),
    })),
  );
