import { describe, expect, it } from 'vitest';
import { accountIdOf, type Who } from './who.js';

describe('who is meant', () => {
  it('is an account by its id, or the personal account of a user', () => {
    expect(accountIdOf('acc_42')).toBe('acc_42');
    expect(accountIdOf({ userId: 'user_42' })).toBe('personal_user_42');
  });

  it.each([
    '',
    'a.b',
    'a>',
    '*',
    'x'.repeat(65),
    undefined,
    null,
    42,
    {},
    { userId: 42 },
    { userId: '' },
    { userId: 'a.b' },
  ])('is not %j, which could reach another subject', (who) => {
    expect(() => accountIdOf(who as Who)).toThrow(TypeError);
  });
});
