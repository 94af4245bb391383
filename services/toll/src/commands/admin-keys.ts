import {
  identitySubjects,
  issueAdminKey,
  issueAdminKeyReply,
  listAdminKeysReply,
  revokeAdminKeyReply,
  type AdminKeyView,
} from '@tollkeeper/contracts';

import { everyPage } from '../every-page.js';
import type { Operator } from '../operator.js';
import { checkedId } from './account.js';
import { checkedBody } from './correction.js';

export const issueAdminKeyTo = async (operator: Operator, actor: string, role: string) => {
  const body = checkedBody(issueAdminKey, { actor: checkedId(actor), role });
  const question = { subject: identitySubjects.issueAdminKey, body, reply: issueAdminKeyReply };
  const { keyId, adminKey } = await operator.order(question);
  return { ...body, keyId, adminKey };
};

/** All of them, page by page; oldest first. */
export const adminKeysOf = (operator: Operator): Promise<AdminKeyView[]> =>
  everyPage(async (after) => {
    const question = {
      subject: identitySubjects.listAdminKeys,
      body: { after },
      reply: listAdminKeysReply,
    };
    const { keys, next } = await operator.order(question);
    return { items: keys, next };
  });

export const revokeAdminKeyOf = async (operator: Operator, keyId: string) => {
  const body = { keyId: checkedId(keyId) };
  const question = { subject: identitySubjects.revokeAdminKey, body, reply: revokeAdminKeyReply };
  const { revokedAt } = await operator.order(question);
  return { ...body, revokedAt };
};
