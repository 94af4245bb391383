import { describe, expect, it } from 'vitest';
import { bookable, bookableOrZero, context, positiveBookable, text, time } from './common.js';

describe('text that is stored', () => {
  it.each(['', 'why', 'naïve', '💩', 'two\nlines', '\u0001', '\ufffd'])('may be %j', (value) => {
    expect(text.safeParse(value).success).toBe(true);
  });

  it.each(['\0', 'a\0b', '\ud83d', '\udca9', '\udca9\ud83d', '💩'.slice(0, 1)])(
    'is never %j, which would stop the read models',
    (value) => {
      expect(text.safeParse(value).success).toBe(false);
      expect(context.safeParse({ ticket: value }).success).toBe(false);
      expect(context.safeParse({ [`t${value}`]: '1' }).success).toBe(false);
    },
  );
});

describe('a time', () => {
  it.each(['0001-01-01T00:00:00Z', '2026-03-01T12:00:00.000+05:30', '9999-12-31T23:59:59.999Z'])(
    'may be %s',
    (value) => {
      expect(time.safeParse(value).success).toBe(true);
    },
  );

  it.each([
    ['9999-12-31T23:59:59-01:00', 'which is of the year 10000 in UTC'],
    ['0001-01-01T00:00:00+00:01', 'which is of the year 0 in UTC'],
    ['0000-01-01T00:00:00+01:00', 'which is before the year 0 in UTC'],
    ['0000-06-01T00:00:00Z', 'of a year that PostgreSQL does not have'],
  ])('is never %s, %s', (value) => {
    expect(time.safeParse(value).success).toBe(false);
  });
});

describe('an amount that a command books', () => {
  it.each(['0', '-12.5', '999999999999999999.999999999999', '0.000000000001'])(
    'may be %s',
    (value) => {
      expect(bookable.safeParse(value).success).toBe(true);
    },
  );

  it.each(['1000000000000000000', '0.0000000000001', '9'.repeat(30), '1e3', '01', ''])(
    'is never %j, so that sums of it can be stored',
    (value) => {
      expect(bookable.safeParse(value).success).toBe(false);
    },
  );

  it('may be asked to be positive, or not negative', () => {
    const passed = (schema: typeof bookable, values: string[]): string[] =>
      values.filter((value) => schema.safeParse(value).success);
    const values = ['-1', '0', '0.1'];
    expect(passed(positiveBookable, values)).toEqual(['0.1']);
    expect(passed(bookableOrZero, values)).toEqual(['0', '0.1']);
  });
});
