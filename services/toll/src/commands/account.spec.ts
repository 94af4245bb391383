import { describe, expect, it } from 'vitest';

import { checkedAmount, checkedId } from './account.js';

describe('what a person types', () => {
  it.each(['1', '100', '0.0001', '123456789012345678901234567890'])(
    'takes the amount %s',
    (text) => {
      expect(checkedAmount(text)).toBe(text);
    },
  );

  it.each(['', '0', '-5', '1e3', '1,5', ' 1', 'NaN', '0x10', '01', '.5', 'Infinity'])(
    'refuses the amount "%s"',
    (text) => {
      expect(() => checkedAmount(text)).toThrow('is not an amount greater than zero');
    },
  );

  it.each(['a.b', 'a>b', '*', '', 'a b', 'x'.repeat(65)])(
    'refuses the id "%s", which a subject could not carry',
    (text) => {
      expect(() => checkedId(text)).toThrow('is not an id');
    },
  );
});
