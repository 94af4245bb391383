import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExact, readAmount } from './exact-json.js';
import { formatMoney } from './money.js';

test.each([
  ['{"a":1.10}', { a: '1.10' }],
  ['[0.1234567890123456789, -1e-7, 12E+3]', ['0.1234567890123456789', '-1e-7', '12E+3']],
  [
    String.raw`{"a 1":"1.5 \" 2","b":[true,null,{"c":0}]}`,
    { 'a 1': '1.5 " 2', b: [true, null, { c: '0' }] },
  ],
  ['7', '7'],
])('%s keeps each number as its text', (json, expected) => {
  expect(parseExact(json)).toEqual(expected);
});

test('text that is no JSON is refused as JSON.parse refuses it', () => {
  for (const text of ['', '{', '01', '1.', '[1,]', '{"a":1e}']) {
    expect(() => parseExact(text)).toThrow(SyntaxError);
  }
});

test('everything but numbers is read as JSON.parse reads it', () => {
  const texts = (value: unknown): unknown => {
    if (typeof value === 'number') return JSON.stringify(value);
    if (Array.isArray(value)) return value.map(texts);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, texts(item)]));
  };
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = JSON.parse(json);
      expect(parseExact(JSON.stringify(value))).toEqual(texts(value));
    }),
  );
});

test.each([
  ['1e-7', '0.0000001'],
  ['4.1400000000000003e-05', '0.000041400000000000003'],
  ['0.10', '0.1'],
  ['12E+3', '12000'],
])('%s is the amount %s', (text, amount) => {
  expect(formatMoney(readAmount(text) ?? expect.fail(text))).toBe(amount);
});

test.each(['', 'many', '1e-31', '1e30', '1e-999', '0x1', ' 1', 'Infinity', '1'.repeat(90)])(
  '%s is no amount',
  (text) => {
    expect(readAmount(text)).toBeUndefined();
  },
);
