import { unreadFields } from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import { checkedBody } from '../commands/correction.js';

/** As the contract takes it, and no field more: a misspelt one must not pass for one that was left out. */
export const exactBody = <T extends object>(
  schema: Parameters<typeof checkedBody<T>>[0],
  body: unknown,
): T => {
  const read = checkedBody<T>(schema, body);
  const [unread] = unreadFields(body, read);
  if (unread === undefined) return read;
  throw new CommandError('invalid-option', `${unread.join('/')}: is no field`);
};
