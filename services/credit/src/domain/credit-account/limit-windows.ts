import type { LimitWindow } from '@tollkeeper/events';
import { localDate, type LocalDate } from '@tollkeeper/kernel';

/**
 * The name of the window that a reservation counts in: `2026-11-20T10:15`, `2026-11-20T10`, `2026-11-20`, `2026-11`, `total`.
 * Minutes and hours are UTC's; the day is the account's own, as it was stored with the reservation.
 */
export const periodOf = (window: LimitWindow, occurredAt: string, localDate: LocalDate): string => {
  switch (window) {
    case 'minute':
      return occurredAt.slice(0, 16);
    case 'hour':
      return occurredAt.slice(0, 13);
    case 'day':
      return localDate;
    case 'month':
      return localDate.slice(0, 7);
    case 'total':
      return 'total';
  }
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** When the window that a moment lies in is over; undefined: never. */
export const resetsAt = (window: LimitWindow, at: Date, timeZone: string): Date | undefined => {
  switch (window) {
    case 'minute':
      return new Date((Math.floor(at.getTime() / minuteMs) + 1) * minuteMs);
    case 'hour':
      return new Date((Math.floor(at.getTime() / hourMs) + 1) * hourMs);
    case 'day':
      return startOfLocalDay(dayAfter(localDate(at, timeZone)), timeZone);
    case 'month':
      return startOfLocalDay(firstOfNextMonth(localDate(at, timeZone)), timeZone);
    case 'total':
      return undefined;
  }
};

const dayAfter = (date: LocalDate): LocalDate =>
  new Date(Date.parse(date) + dayMs).toISOString().slice(0, 10);

const firstOfNextMonth = (date: LocalDate): LocalDate =>
  new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 1))
    .toISOString()
    .slice(0, 10);

const quarterMs = 15 * minuteMs;
/** No zone is further from UTC than this. */
const offsetMaxMs = 15 * hourMs;

/**
 * The first moment of a day in a time zone, whatever its clocks do on that day: searched among the quarters of an hour
 * around UTC's midnight, since a zone's offset is a multiple of one.
 */
export const startOfLocalDay = (date: LocalDate, timeZone: string): Date => {
  const midnightMs = Date.parse(date);
  let before = (midnightMs - offsetMaxMs) / quarterMs;
  let from = (midnightMs + offsetMaxMs) / quarterMs;
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (localDate(new Date(middle * quarterMs), timeZone) < date) before = middle;
    else from = middle;
  }
  return new Date(from * quarterMs);
};
