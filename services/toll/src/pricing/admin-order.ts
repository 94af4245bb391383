import { unreadFields, type Refused } from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import { checkedBody } from '../commands/correction.js';
import type { Operator } from '../operator.js';

interface Schema<T> {
  readonly parse: (value: unknown) => T;
}

/** The answer without its status. */
export const adminOrder = async <T extends object>(
  operator: Operator,
  question: {
    readonly subject: string;
    readonly body: object;
    readonly reply: Schema<T>;
    readonly timeoutMs?: number;
  },
): Promise<Omit<Exclude<T, Refused>, 'status'>> => {
  const answer = await operator.order(question);
  const fields: Partial<Exclude<T, Refused>> & { status?: unknown } = { ...answer };
  delete fields.status;
  return fields as Omit<Exclude<T, Refused>, 'status'>;
};

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
