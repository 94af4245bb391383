import { hash } from 'node:crypto';
import { idPattern } from '@tollkeeper/kernel';

const prefix = 'personal_';
/** Told apart from the others by its hyphen, so that no user's id can be chosen to meet a hash. */
const hashedPrefix = 'personal-';

/**
 * The id of a user's own account: the same for ever, so that the stream's first revision opens it exactly once.
 * A user id too long for it is hashed.
 *
 * @throws TypeError where the user id is no id
 */
export const personalAccountId = (userId: string): string => {
  if (!idPattern.test(userId)) {
    throw new TypeError(`not a user id (1 to 64 of A-Z a-z 0-9 _ -): ${JSON.stringify(userId)}`);
  }
  const id = prefix + userId;
  return idPattern.test(id) ? id : hashedPrefix + hash('sha256', userId, 'hex').slice(0, 48);
};

/** Ids that are kept for personal accounts. */
export const isPersonalAccountId = (accountId: string): boolean =>
  accountId.startsWith(prefix) || accountId.startsWith(hashedPrefix);
