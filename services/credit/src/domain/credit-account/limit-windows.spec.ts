import { localDate } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodOf, resetsAt, startOfLocalDay } from './limit-windows.js';
import { runsOf } from './property-runs.fixture.js';

describe('a window', () => {
  it.each([
    ['minute', '2026-03-29T23:59'],
    ['hour', '2026-03-29T23'],
    ['day', '2026-03-30'],
    ['month', '2026-03'],
    ['total', 'total'],
  ] as const)('%s is named %s', (window, name) => {
    expect(periodOf(window, '2026-03-29T23:59:59.999Z', '2026-03-30')).toBe(name);
  });

  it.each([
    ['minute', '2026-03-01T12:00:59.999Z', '2026-03-01T12:01:00.000Z'],
    ['minute', '2026-03-01T12:01:00.000Z', '2026-03-01T12:02:00.000Z'],
    ['hour', '2026-03-01T12:59:59.999Z', '2026-03-01T13:00:00.000Z'],
    ['hour', '2026-03-01T23:00:00.000Z', '2026-03-02T00:00:00.000Z'],
    ['day', '2026-03-01T22:59:59.999Z', '2026-03-01T23:00:00.000Z'],
    ['day', '2026-03-01T23:00:00.000Z', '2026-03-02T23:00:00.000Z'],
    // The day of 23 hours, and the day of 25.
    ['day', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['day', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['month', '2026-03-15T12:00:00.000Z', '2026-03-31T22:00:00.000Z'],
    ['month', '2026-12-31T23:00:00.000Z', '2027-01-31T23:00:00.000Z'],
  ] as const)('%s of Berlin at %s is over at %s', (window, at, over) => {
    expect(resetsAt(window, new Date(at), 'Europe/Berlin')?.toISOString()).toBe(over);
  });

  it('of no end is never over', () => {
    expect(resetsAt('total', new Date(), 'UTC')).toBeUndefined();
  });
});

describe('the start of a local day', () => {
  it.each([
    ['2026-03-01', 'UTC', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01', 'Asia/Kathmandu', '2026-02-28T18:15:00.000Z'],
    ['2026-03-01', 'Pacific/Kiritimati', '2026-02-28T10:00:00.000Z'],
    ['2026-03-01', 'Pacific/Niue', '2026-03-01T11:00:00.000Z'],
    // Its clocks go from 24:00 to 1:00, so that day has no midnight.
    ['2026-04-24', 'Africa/Cairo', '2026-04-23T22:00:00.000Z'],
  ])('%s in %s is %s', (date, timeZone, start) => {
    expect(startOfLocalDay(date, timeZone).toISOString()).toBe(start);
  });

  it('is the first moment of that day in every zone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2035, 0, 1) }),
        fc.constantFrom(
          'UTC',
          'Europe/Berlin',
          'America/New_York',
          'Asia/Kolkata',
          'Pacific/Apia',
          'Australia/Lord_Howe',
          'America/Havana',
        ),
        (atMs, timeZone) => {
          const date = localDate(new Date(atMs), timeZone);
          const startMs = startOfLocalDay(date, timeZone).getTime();
          expect(localDate(new Date(startMs), timeZone)).toBe(date);
          expect(localDate(new Date(startMs - 1), timeZone) < date).toBe(true);
        },
      ),
      { numRuns: runsOf(500) },
    );
  });
});
