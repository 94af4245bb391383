import {
  addMember,
  addMemberReply,
  archiveProjectReply,
  createProjectReply,
  identitySubjects,
  listKeysReply,
  listMembersReply,
  listProjectsReply,
  removeMemberReply,
  revokeKeyReply,
  type KeyView,
  type ListOf,
  type MemberView,
  type ProjectView,
} from '@tollkeeper/contracts';

import { everyPage } from '../every-page.js';
import type { Operator } from '../operator.js';
import { orderFields } from '../order-fields.js';
import { checkedId } from './account.js';
import { checkedBody } from './correction.js';

/** Everything that an account has of something. */
const allOf = <T>(
  accountId: string,
  pageAt: (body: ListOf) => Promise<{ readonly items: T[]; readonly next?: string | undefined }>,
): Promise<T[]> => everyPage((after) => pageAt({ accountId: checkedId(accountId), after }));

export const membersOf = (operator: Operator, accountId: string): Promise<MemberView[]> =>
  allOf(accountId, async (body) => {
    const subject = identitySubjects.listMembers;
    const { members, next } = await orderFields(operator, {
      subject,
      body,
      reply: listMembersReply,
    });
    return { items: members, next };
  });

export const projectsOf = (operator: Operator, accountId: string): Promise<ProjectView[]> =>
  allOf(accountId, async (body) => {
    const subject = identitySubjects.listProjects;
    const { projects, next } = await orderFields(operator, {
      subject,
      body,
      reply: listProjectsReply,
    });
    return { items: projects, next };
  });

export const keysOf = (operator: Operator, accountId: string): Promise<KeyView[]> =>
  allOf(accountId, async (body) => {
    const { keys, next } = await orderFields(operator, {
      subject: identitySubjects.listKeys,
      body,
      reply: listKeysReply,
    });
    return { items: keys, next };
  });

export const addMemberTo = async (
  operator: Operator,
  accountId: string,
  userId: string,
  role: string | undefined,
) => {
  const ids = { accountId: checkedId(accountId), userId: checkedId(userId) };
  const body = checkedBody(addMember, { ...ids, role });
  return {
    ...ids,
    ...(await orderFields(operator, {
      subject: identitySubjects.addMember,
      body,
      reply: addMemberReply,
    })),
  };
};

export const removeMemberOf = async (operator: Operator, accountId: string, userId: string) => {
  const body = { accountId: checkedId(accountId), userId: checkedId(userId) };
  const subject = identitySubjects.removeMember;
  return { ...body, ...(await orderFields(operator, { subject, body, reply: removeMemberReply })) };
};

export const createProjectOf = async (operator: Operator, accountId: string, projectId: string) => {
  const body = { accountId: checkedId(accountId), projectId: checkedId(projectId) };
  const subject = identitySubjects.createProject;
  return {
    ...body,
    ...(await orderFields(operator, { subject, body, reply: createProjectReply })),
  };
};

export const archiveProjectOf = async (
  operator: Operator,
  accountId: string,
  projectId: string,
) => {
  const body = { accountId: checkedId(accountId), projectId: checkedId(projectId) };
  const subject = identitySubjects.archiveProject;
  return {
    ...body,
    ...(await orderFields(operator, { subject, body, reply: archiveProjectReply })),
  };
};

export const revokeKeyOf = async (operator: Operator, keyId: string) => {
  const body = { keyId: checkedId(keyId) };
  return {
    ...body,
    ...(await orderFields(operator, {
      subject: identitySubjects.revokeKey,
      body,
      reply: revokeKeyReply,
    })),
  };
};
