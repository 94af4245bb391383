import { createHash } from 'node:crypto';
import { idPattern } from '@tollkeeper/kernel';

const prefix = 'personal_';

/**
 * The id of a user's personal account: always the same for the same user, so that it can be opened
 * once and found without a look-up. A user id that leaves no room for the prefix is shortened to the
 * first 48 hex digits of its SHA-256.
 *
 * @throws TypeError where the user id is not 1 to 64 of A-Z a-z 0-9 _ -
 */
export const personalAccountId = (userId: string): string => {
  if (!idPattern.test(userId)) {
    throw new TypeError(`not a user id (1 to 64 of A-Z a-z 0-9 _ -): ${JSON.stringify(userId)}`);
  }
  const plain = prefix + userId;
  if (idPattern.test(plain)) return plain;
  return prefix + createHash('sha256').update(userId).digest('hex').slice(0, 48);
};
