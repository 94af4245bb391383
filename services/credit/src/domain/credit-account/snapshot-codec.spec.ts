import { parseMoney, type Json } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import {
  count,
  eventData,
  flag,
  listOf,
  mapOf,
  maybe,
  money,
  recordOf,
  setOf,
  text,
  type Codec,
} from './snapshot-codec.js';

interface Purse {
  readonly name: string;
  readonly credits?: ReturnType<typeof parseMoney> | undefined;
}
const purse = recordOf<Purse>({ name: text, credits: maybe(money) });

const any = <T>(codec: { shape: string; to: (value: T) => Json; from: (json: Json) => T }) =>
  codec as unknown as Codec<unknown>;

describe('a field of a snapshot', () => {
  it.each<[string, Codec<unknown>, unknown, Json]>([
    ['text', any(text), 'Europe/Berlin', 'Europe/Berlin'],
    ['flag', any(flag), false, false],
    ['count', any(count), 7, 7],
    ['count', any(count), -1, -1],
    ['count', any(count), Infinity, 'endless'],
    ['money', any(money), parseMoney('0.10'), '0.1'],
    ['quote@1', any(eventData<object>('quote@1')), { policyId: 'p' }, { policyId: 'p' }],
    ['text?', any(maybe(text)), undefined, null],
    ['text?', any(maybe(text)), 'x', 'x'],
    ['[count]', any(listOf(count)), [2, 1], [2, 1]],
    ['set [text]', any(setOf(text)), new Set(['b', 'a']), ['b', 'a']],
    [
      'map money',
      any(mapOf<string, ReturnType<typeof parseMoney>>(money)),
      new Map([
        ['b', parseMoney('2')],
        ['a', parseMoney('1')],
      ]),
      [
        ['b', '2'],
        ['a', '1'],
      ],
    ],
    [
      '{name: text, credits: money?}',
      any(purse),
      { name: 'n', credits: parseMoney('1.5') },
      { name: 'n', credits: '1.5' },
    ],
    [
      '{name: text, credits: money?}',
      any(purse),
      { name: 'n', credits: undefined },
      { name: 'n', credits: null },
    ],
  ])('of shape %s is written and read back', (shape, codec, value, json) => {
    expect(codec.shape).toBe(shape);
    expect(codec.to(value)).toEqual(json);
    const again = codec.from(JSON.parse(JSON.stringify(json)) as Json);
    expect(again).toEqual(value);
    if (value instanceof Map || value instanceof Set) {
      expect([...(again as Iterable<unknown>)]).toEqual([...value]);
    }
  });

  const map = any(mapOf<string, number>(count));

  it.each<[Codec<unknown>, Json, string]>([
    [any(text), 5, 'not a text: 5'],
    [any(text), null, 'not a text: null'],
    [any(flag), 'true', 'not a flag: "true"'],
    [any(count), '7', 'not a count: "7"'],
    [any(count), null, 'not a count: null'],
    [any(money), 5, 'not a text: 5'],
    [any(money), '1e5', 'not a decimal amount: "1e5"'],
    [any(eventData('quote@1')), null, 'not quote@1: null'],
    [any(eventData('quote@1')), ['a'], 'not quote@1: ["a"]'],
    [any(eventData('quote@1')), 'text', 'not quote@1: "text"'],
    [any(maybe(text)), 5, 'not a text: 5'],
    [any(listOf(text)), { a: 'b' }, 'not a list: {"a":"b"}'],
    [any(listOf(text)), ['a', 1], 'not a text: 1'],
    [any(setOf(text)), null, 'not a list: null'],
    [map, { a: 1 }, 'not a map: {"a":1}'],
    [map, ['a'], 'not an entry: "a"'],
    [map, [['a']], 'not an entry: ["a"]'],
    [map, [[]], 'not an entry: []'],
    [map, [[1, 1]], 'not a text: 1'],
    [map, [['a', 'b']], 'not a count: "b"'],
    [any(purse), null, 'not a record: null'],
    [any(purse), [], 'not a record: []'],
    [any(purse), 'text', 'not a record: "text"'],
    [any(purse), {}, 'not a text: null'],
    [any(purse), { name: 'n', credits: 1 }, 'not a text: 1'],
  ])('that is no such thing is refused: %#', (codec, json, message) => {
    expect(() => codec.from(json)).toThrow(message);
  });

  it('that is refused is shown in part only', () => {
    const message = `not a flag: "${'x'.repeat(99)}`;
    expect(() => flag.from('x'.repeat(1_000))).toThrow(new Error(message));
  });
});
