import {
  adjust,
  adjustReply,
  changeTier,
  creditSubjects,
  freeze,
  refund,
  refundReply,
  releaseReply,
  voidGrant,
  type Refused,
} from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import type { Operator } from '../operator.js';
import { checkedId } from './account.js';

/** Why an operator moves credits, as the command line takes it. */
export interface Reasoned {
  readonly reason: string;
  readonly reference?: string;
}

interface Schema<T> {
  readonly safeParse: (value: unknown) => {
    readonly success: boolean;
    readonly data?: T;
    readonly error?: {
      readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[];
    };
  };
}

/** The body as the contract takes it; what is wrong with it is told before anything is sent. */
export const checkedBody = <T extends object>(schema: Schema<T>, body: unknown): T => {
  const { data, error } = schema.safeParse(body);
  if (data !== undefined) return data;
  const issue = error?.issues[0];
  const message = issue?.message ?? 'invalid';
  const where = issue?.path.map(String).join('.') ?? '';
  throw new CommandError('invalid-option', where === '' ? message : `${where}: ${message}`);
};

interface Order<T extends object> {
  readonly subject: (accountId: string) => string;
  readonly accountId: string;
  readonly body: object;
  readonly reply: { readonly parse: (value: unknown) => T };
}

/** The answer beside the account's id. */
export const order = async <T extends object>(
  operator: Operator,
  { accountId, ...rest }: Order<T>,
) => {
  const { subject, body, reply } = rest;
  const answer = await operator.order({ subject: subject(checkedId(accountId)), body, reply });
  const fields: Partial<Exclude<T, Refused>> & { status?: unknown } = { ...answer };
  delete fields.status;
  return { accountId, ...fields };
};

const because = ({ reason, reference }: Reasoned) => ({ reasonCode: reason, reference });

export const voidGrantOf = (
  operator: Operator,
  accountId: string,
  grantId: string,
  why: Reasoned,
) => {
  const body = checkedBody(voidGrant, { grantId, ...because(why) });
  return order(operator, { subject: creditSubjects.void, accountId, body, reply: releaseReply });
};

export const refundTo = (
  operator: Operator,
  accountId: string,
  what: { readonly reservationId: string; readonly amountCredits: string | undefined },
  why: Reasoned,
) => {
  const body = checkedBody(refund, { ...what, ...because(why) });
  return order(operator, { subject: creditSubjects.refund, accountId, body, reply: refundReply });
};

export const adjustBy = (
  operator: Operator,
  accountId: string,
  what: { readonly amountCredits: string; readonly bookDebt: boolean },
  why: Reasoned,
) => {
  const body = checkedBody(adjust, { ...what, ...because(why) });
  return order(operator, { subject: creditSubjects.adjust, accountId, body, reply: adjustReply });
};

export const freezeOrNot = (
  operator: Operator,
  accountId: string,
  verb: 'freeze' | 'unfreeze',
  reason: string,
) => {
  const body = checkedBody(freeze, { reason });
  return order(operator, { subject: creditSubjects[verb], accountId, body, reply: releaseReply });
};

export const changeTierOf = (
  operator: Operator,
  accountId: string,
  tier: string,
  reason: string,
) => {
  const body = checkedBody(changeTier, { tier, reason });
  return order(operator, { subject: creditSubjects.tier, accountId, body, reply: releaseReply });
};
