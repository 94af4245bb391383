import { idPattern } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { personalAccountId } from './personal-account.js';

describe('the id of a personal account', () => {
  it('is the user id with a prefix, for as long as that is an id', () => {
    expect(personalAccountId('user_42')).toBe('personal_user_42');
    expect(personalAccountId('u'.repeat(55))).toBe(`personal_${'u'.repeat(55)}`);
  });

  it('of a longer user id is shortened, and still an id of that user alone', () => {
    const [one, other] = [personalAccountId('u'.repeat(56)), personalAccountId('u'.repeat(57))];
    expect(one).toBe('personal_8715318f741444913b0c10e87db38ad144fc37b5b9b07162');
    expect(one).toMatch(idPattern);
    expect(other).not.toBe(one);
  });

  it.each(['', 'a b', 'a@b.example', 'a.b', 'u'.repeat(65)])(
    'refuses the user id "%s"',
    (userId) => {
      expect(() => personalAccountId(userId)).toThrow(TypeError);
    },
  );
});
