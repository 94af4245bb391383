import { describe, expect, it } from 'vitest';
import { context, text } from './common.js';

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
