import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from './canonical-json.js';

describe('canonicalJson', () => {
  it('sorts keys and leaves out what is absent', () => {
    expect(canonicalJson({ b: 1, a: { d: undefined, c: [true, null, 'x'] } })).toBe(
      '{"a":{"c":[true,null,"x"]},"b":1}',
    );
  });

  it('writes every text as JSON does', () => {
    const texts = Array.from({ length: 0x10000 }, (_, code) => `a${String.fromCharCode(code)}b`);
    expect(texts.filter((text) => canonicalJson(text) !== JSON.stringify(text))).toEqual([]);
  });

  it('keeps the value, and equal values have equal text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as Json;
        const text = canonicalJson(plain);
        expect(JSON.parse(text)).toEqual(plain);
        expect(canonicalJson(reversedKeys(plain))).toBe(text);
      }),
    );
  });
});

const reversedKeys = (value: Json): Json => {
  if (Array.isArray(value)) return value.map((each) => reversedKeys(each as Json));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, field === undefined ? field : reversedKeys(field)]),
  );
};
