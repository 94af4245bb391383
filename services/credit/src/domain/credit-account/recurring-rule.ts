import type { GrantKind } from '@tollkeeper/events';
import {
  localMonth,
  nextMonth,
  previousMonth,
  startOfLocalDate,
  type LocalMonth,
  type Money,
} from '@tollkeeper/kernel';

/** Credits that are granted anew each month of the account. */
export interface RecurringGrant {
  readonly recurringId: string;
  readonly kind: GrantKind;
  readonly amountCredits: Money;
  readonly priority: number;
  /** 1 to 28, so that every month has it. */
  readonly dayOfMonth: number;
  readonly rolloverCapCredits: Money | undefined;
  /** Undefined once it has ended. */
  nextAtMs: number | undefined;
}

/** When a month's credits come: the first moment of that day where the account is. */
export const dueAt = (period: LocalMonth, dayOfMonth: number, timeZone: string): Date =>
  startOfLocalDate(`${period}-${String(dayOfMonth).padStart(2, '0')}`, timeZone);

/** The latest month whose credits have come due. */
export const duePeriod = (at: Date, dayOfMonth: number, timeZone: string): LocalMonth => {
  const month = localMonth(at, timeZone);
  return dueAt(month, dayOfMonth, timeZone) <= at ? month : previousMonth(month);
};

/** The grant of one month: its id makes it come once. */
export const recurringGrantId = (recurringId: string, period: LocalMonth): string =>
  `${recurringId}_${period}`;

/** An underscore and `YYYY-MM`. */
export const periodSuffixLength = 8;

/** The first month from `from` on whose grant is not there yet. */
export const firstUnposted = (
  recurringId: string,
  from: LocalMonth,
  isGranted: (grantId: string) => boolean,
): LocalMonth => {
  let period = from;
  while (isGranted(recurringGrantId(recurringId, period))) period = nextMonth(period);
  return period;
};

/** Whether an id would stand in the way of a month that a rule has to post. */
export const isKeptForRule = (
  grantId: string,
  rules: ReadonlyMap<string, RecurringGrant>,
): boolean => /_\d{4}-\d{2}$/.test(grantId) && rules.has(grantId.slice(0, -periodSuffixLength));
