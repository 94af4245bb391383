import {
  balanceReply,
  creditSubjects,
  grantReply,
  identitySubjects,
  issueKeyReply,
  openAccount,
  openReply,
  type BalanceView,
} from '@tollkeeper/contracts';
import { idPattern, isDecimalString, parseMoney, uuidv7 } from '@tollkeeper/kernel';

import { CommandError } from '../command-error.js';
import type { Operator } from '../operator.js';

/** An id as a subject and a stream name can carry it. */
export const checkedId = (text: string): string => {
  if (idPattern.test(text)) return text;
  throw new CommandError('invalid-id', `"${text}" is not an id: 1 to 64 of A-Z a-z 0-9 _ -`);
};

/** A decimal string greater than zero; never a JS number. */
export const checkedAmount = (text: string): string => {
  if (isDecimalString(text) && parseMoney(text).gt(0)) return text;
  throw new CommandError(
    'invalid-amount',
    `"${text}" is not an amount greater than zero, as in 12.5`,
  );
};

export interface OpenOptions {
  readonly tier: string;
  readonly grant?: string;
  readonly id?: string;
  readonly timeZone?: string;
  readonly user?: string;
}

export interface OpenedAccount {
  readonly accountId: string;
  readonly userId: string;
  readonly apiKey: string;
  readonly available: string;
}

/** Opens an account, grants its first credits and issues a key. What is wrong is found before anything is done. */
export const openNewAccount = async (
  operator: Operator,
  options: OpenOptions,
): Promise<OpenedAccount> => {
  const accountId = checkedId(options.id ?? `acc_${uuidv7()}`);
  const userId = checkedId(options.user ?? `user_${uuidv7()}`);
  const amountCredits = options.grant === undefined ? undefined : checkedAmount(options.grant);
  const { tier, timeZone } = options;
  const body = openAccount.safeParse({ ownerUserId: userId, tier, timeZone });
  if (!body.success) throw new CommandError('invalid-option', firstIssue(body.error));
  await operator.order({
    subject: creditSubjects.open(accountId),
    body: body.data,
    reply: openReply,
  });
  if (amountCredits !== undefined) {
    await grantTo(operator, { accountId, amountCredits, kind: 'initial' });
  }
  const { apiKey } = await issueKeyTo(operator, accountId, userId);
  const { available } = await balanceOf(operator, accountId);
  return { accountId, userId, apiKey, available };
};

const firstIssue = (error: {
  issues: readonly { path: PropertyKey[]; message: string }[];
}): string => {
  const issue = error.issues[0];
  return issue ? `${issue.path.map(String).join('.')}: ${issue.message}` : 'invalid option';
};

export interface Grant {
  readonly accountId: string;
  readonly amountCredits: string;
  readonly kind: 'initial' | 'purchase';
}

export const grantTo = async (operator: Operator, { accountId, ...body }: Grant) => {
  const subject = creditSubjects.grant(accountId);
  const { grantId, available } = await operator.order({ subject, body, reply: grantReply });
  return { accountId, grantId, available };
};

export const issueKeyTo = async (
  operator: Operator,
  accountId: string,
  user?: string,
  project?: string,
) => {
  const userId = user === undefined ? await ownerOf(operator, accountId) : checkedId(user);
  const projectId = project === undefined ? undefined : checkedId(project);
  const body = { accountId, userId, projectId };
  const question = { subject: identitySubjects.issueKey, body, reply: issueKeyReply };
  const { keyId, apiKey } = await operator.order(question);
  return { accountId, userId, ...(projectId !== undefined && { projectId }), keyId, apiKey };
};

export const balanceOf = async (operator: Operator, accountId: string): Promise<BalanceView> =>
  operator.order({ subject: creditSubjects.balance(accountId), body: {}, reply: balanceReply });

const ownerOf = async (operator: Operator, accountId: string): Promise<string> =>
  (await balanceOf(operator, accountId)).ownerUserId;
