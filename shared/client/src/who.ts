import { personalAccountId } from '@tollkeeper/contracts';
import { idPattern } from '@tollkeeper/kernel';

/** An account, by its id, or a user, which means the user's personal account. */
export type Who = string | { readonly userId: string };

/** @throws TypeError where it is neither an account id nor a user with an id */
export const accountIdOf = (who: Who): string => {
  if (typeof who === 'string') {
    if (idPattern.test(who)) return who;
    throw new TypeError(`not an account id (1 to 64 of A-Z a-z 0-9 _ -): ${JSON.stringify(who)}`);
  }
  const given: unknown = who;
  if (typeof given === 'object' && given !== null && 'userId' in given) {
    if (typeof given.userId === 'string') return personalAccountId(given.userId);
  }
  throw new TypeError('expected an account id or { userId }');
};
