import { idPattern } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPersonalAccountId, personalAccountId } from './personal-account.js';

const userIds = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('the id of a personal account', () => {
  it('names its user', () => {
    expect(personalAccountId('usr_1')).toBe('personal_usr_1');
  });

  it('stays the same for ever where the user’s id must be hashed', () => {
    expect(personalAccountId('u'.repeat(64))).toBe(
      'personal-1a2292f74f3d18b5a195069c146052a6be9466cd22b496eb',
    );
  });

  it.each(['', 'a b', 'a@b.example', 'a.b', 'u'.repeat(65)])(
    'refuses the user id "%s"',
    (userId) => {
      expect(() => personalAccountId(userId)).toThrow(TypeError);
    },
  );

  it('is an id, and another for every user', () => {
    fc.assert(
      fc.property(fc.uniqueArray(userIds, { minLength: 2, maxLength: 2 }), (users) => {
        const ids = users.map(personalAccountId);
        for (const id of ids) {
          expect(id).toMatch(idPattern);
          expect(isPersonalAccountId(id)).toBe(true);
        }
        expect(new Set(ids).size).toBe(2);
      }),
    );
  });
});
