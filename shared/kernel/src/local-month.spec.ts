import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDate } from './local-date.js';
import { localMonth, nextMonth, previousMonth, startOfLocalDate } from './local-month.js';

describe('a month', () => {
  it.each([
    ['2026-12-31T23:30:00.000Z', 'Europe/Berlin', '2027-01'],
    ['2027-01-01T04:30:00.000Z', 'America/New_York', '2026-12'],
    ['2026-06-15T12:00:00.000Z', 'UTC', '2026-06'],
  ])('of %s in %s is %s', (at, timeZone, month) => {
    expect(localMonth(new Date(at), timeZone)).toBe(month);
  });

  it('is followed by the next one, over the year’s end too', () => {
    expect(nextMonth('2026-12')).toBe('2027-01');
    expect(previousMonth('2027-01')).toBe('2026-12');
    expect(nextMonth('2026-01')).toBe('2026-02');
  });
});

describe('the start of a day', () => {
  it.each([
    ['2026-03-01', 'UTC', '2026-03-01T00:00:00.000Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2026-03-01', 'Asia/Kathmandu', '2026-02-28T18:15:00.000Z'],
    ['2026-03-01', 'Pacific/Kiritimati', '2026-02-28T10:00:00.000Z'],
    ['2026-03-01', 'Etc/GMT+12', '2026-03-01T12:00:00.000Z'],
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
  ])('%s in %s is %s', (day, timeZone, at) => {
    expect(startOfLocalDate(day, timeZone).toISOString()).toBe(at);
  });

  it('is on that day, and a quarter of an hour earlier is not', () => {
    const zones = [
      'UTC',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Cairo',
      'Asia/Kolkata',
    ];
    const days = fc.date({
      noInvalidDate: true,
      min: new Date('2000-01-01'),
      max: new Date('2040-01-01'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...zones), days, (timeZone, date) => {
        const day = date.toISOString().slice(0, 10);
        const start = startOfLocalDate(day, timeZone);
        expect(localDate(start, timeZone)).toBe(day);
        expect(localDate(new Date(start.getTime() - 900_000), timeZone) < day).toBe(true);
      }),
    );
  });
});
