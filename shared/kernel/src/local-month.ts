import { localDate, type LocalDate } from './local-date.js';

/** A calendar month `YYYY-MM` in some time zone. */
export type LocalMonth = string;

export const localMonth = (at: Date, timeZone: string): LocalMonth =>
  localDate(at, timeZone).slice(0, 7);

const monthBy = (month: LocalMonth, months: number): LocalMonth => {
  const at = new Date(`${month}-01T00:00:00.000Z`);
  at.setUTCMonth(at.getUTCMonth() + months);
  return at.toISOString().slice(0, 7);
};

export const nextMonth = (month: LocalMonth): LocalMonth => monthBy(month, 1);
export const previousMonth = (month: LocalMonth): LocalMonth => monthBy(month, -1);

const quarterHourMs = 15 * 60_000;
/** Offsets from UTC lie between +14 and -12 hours; an hour more on both sides costs nothing. */
const earliestMs = -15 * 3_600_000;
const latestMs = 13 * 3_600_000;

/**
 * The first moment of a day in an IANA time zone: midnight, or whatever comes first where a change of the
 * clocks leaves midnight out. A day that a zone has skipped begins with the next.
 */
export const startOfLocalDate = (day: LocalDate, timeZone: string): Date => {
  const utcMidnightMs = Date.parse(`${day}T00:00:00.000Z`);
  let before = (utcMidnightMs + earliestMs) / quarterHourMs;
  let from = (utcMidnightMs + latestMs) / quarterHourMs;
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (localDate(new Date(middle * quarterHourMs), timeZone) < day) before = middle;
    else from = middle;
  }
  return new Date(from * quarterHourMs);
};
