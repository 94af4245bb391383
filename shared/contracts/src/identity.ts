import { seedActor } from '@tollkeeper/events';
import { z } from 'zod';
import { id, refused } from './common.js';

/** Subjects that the gateway serves to operators, as owner of members, projects and API keys. */
export const identitySubjects = {
  addMember: 'identity.admin.v1.add-member',
  removeMember: 'identity.admin.v1.remove-member',
  listMembers: 'identity.admin.v1.list-members',
  createProject: 'identity.admin.v1.create-project',
  archiveProject: 'identity.admin.v1.archive-project',
  listProjects: 'identity.admin.v1.list-projects',
  issueKey: 'identity.admin.v1.issue-key',
  listKeys: 'identity.admin.v1.list-keys',
  revokeKey: 'identity.admin.v1.revoke-key',
  issueAdminKey: 'identity.admin.v1.issue-admin-key',
  listAdminKeys: 'identity.admin.v1.list-admin-keys',
  revokeAdminKey: 'identity.admin.v1.revoke-admin-key',
  /** For the service that an admin asks: whose key it is. */
  verifyAdminKey: 'identity.v1.verify-admin-key',
} as const;

/** From one gateway to all: what they remember of the keys of an account is old. */
export const accessChangedSubject = 'identity.v1.access-changed';
export const accessChanged = z.object({ accountId: id });
export type AccessChanged = z.infer<typeof accessChanged>;

export const memberRole = z.enum(['owner', 'admin', 'member']);
export type MemberRole = z.infer<typeof memberRole>;

const accepted = z.literal('accepted');
const instant = z.iso.datetime();

/**
 * The first member of an account is its owner, and so is the only one of a personal account. Without a role,
 * somebody who is a member already keeps theirs.
 *
 * Refused: `personal-account`, `owner-required`.
 */
export const addMember = z.object({ accountId: id, userId: id, role: memberRole.optional() });
export type AddMember = z.input<typeof addMember>;
export const addMemberReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, role: memberRole }),
  refused,
]);
export type AddMemberReply = z.infer<typeof addMemberReply>;

/** Their keys of the account are revoked with it. Refused: `not-a-member`, `owner-required`. */
export const removeMember = z.object({ accountId: id, userId: id });
export type RemoveMember = z.input<typeof removeMember>;
export const removeMemberReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, revokedKeys: z.number().int() }),
  refused,
]);
export type RemoveMemberReply = z.infer<typeof removeMemberReply>;

/** `after` is the `next` of the page before; a page without a `next` is the last. */
export const listOf = z.object({ accountId: id, after: id.optional() });
export type ListOf = z.input<typeof listOf>;

export const memberView = z.object({ userId: z.string(), role: memberRole, addedAt: instant });
export type MemberView = z.infer<typeof memberView>;
export const listMembersReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, members: z.array(memberView), next: z.string().optional() }),
  refused,
]);
export type ListMembersReply = z.infer<typeof listMembersReply>;

/** Created again, it stays as it is. Refused: `project-archived`. */
export const createProject = z.object({ accountId: id, projectId: id });
export type CreateProject = z.input<typeof createProject>;
export const createProjectReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, createdAt: instant }),
  refused,
]);
export type CreateProjectReply = z.infer<typeof createProjectReply>;

/** For good: its keys are refused from then on. Refused: `unknown-project`. */
export const archiveProject = z.object({ accountId: id, projectId: id });
export type ArchiveProject = z.input<typeof archiveProject>;
export const archiveProjectReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, archivedAt: instant }),
  refused,
]);
export type ArchiveProjectReply = z.infer<typeof archiveProjectReply>;

export const projectView = z.object({
  projectId: z.string(),
  createdAt: instant,
  archivedAt: instant.optional(),
});
export type ProjectView = z.infer<typeof projectView>;
export const listProjectsReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, projects: z.array(projectView), next: z.string().optional() }),
  refused,
]);
export type ListProjectsReply = z.infer<typeof listProjectsReply>;

/**
 * For a member; the user of an account's first key becomes its owner.
 *
 * Refused: `not-a-member`, `personal-account`, `unknown-project`, `project-archived`.
 */
export const issueKey = z.object({ accountId: id, userId: id, projectId: id.optional() });
export type IssueKey = z.input<typeof issueKey>;

/** The only time that the key itself is shown; a hash of it is stored. */
export const keyIssued = z.object({
  status: accepted,
  keyId: z.string(),
  apiKey: z.string(),
});
export const issueKeyReply = z.discriminatedUnion('status', [keyIssued, refused]);
export type IssueKeyReply = z.infer<typeof issueKeyReply>;

export const keyView = z.object({
  keyId: z.string(),
  userId: z.string(),
  projectId: z.string().optional(),
  createdAt: instant,
  revokedAt: instant.optional(),
});
export type KeyView = z.infer<typeof keyView>;
export const listKeysReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, keys: z.array(keyView), next: z.string().optional() }),
  refused,
]);
export type ListKeysReply = z.infer<typeof listKeysReply>;

/** Revoked again, it keeps its first time. Refused: `unknown-key`. */
export const revokeKey = z.object({ keyId: id });
export type RevokeKey = z.input<typeof revokeKey>;
export const revokeKeyReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, accountId: z.string(), revokedAt: instant }),
  refused,
]);
export type RevokeKeyReply = z.infer<typeof revokeKeyReply>;

/** `viewer` reads; `pricer` also proposes, decides on what others proposed, and publishes prices; `admin` also changes settings and re-rates. */
export const adminRoles = ['viewer', 'pricer', 'admin'] as const;
export const adminRole = z.enum(adminRoles);
export type AdminRole = z.infer<typeof adminRole>;

/** `actor` is an id, never a name: it is stored with every change that the key makes. */
export const issueAdminKey = z.object({
  actor: id.refine((actor) => actor !== seedActor, 'is who recorded what was shipped'),
  role: adminRole,
});
export type IssueAdminKey = z.input<typeof issueAdminKey>;
/** The only time that the key itself is shown; a hash of it is stored. */
export const issueAdminKeyReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, keyId: z.string(), adminKey: z.string() }),
  refused,
]);
export type IssueAdminKeyReply = z.infer<typeof issueAdminKeyReply>;

export const listAdminKeys = z.object({ after: id.optional() });
export const adminKeyView = z.object({
  keyId: z.string(),
  actor: z.string(),
  role: adminRole,
  createdAt: instant,
  revokedAt: instant.optional(),
});
export type AdminKeyView = z.infer<typeof adminKeyView>;
export const listAdminKeysReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, keys: z.array(adminKeyView), next: z.string().optional() }),
  refused,
]);
export type ListAdminKeysReply = z.infer<typeof listAdminKeysReply>;

/** Revoked again, it keeps its first time. Refused: `unknown-key`. */
export const revokeAdminKey = z.object({ keyId: id });
export const revokeAdminKeyReply = z.discriminatedUnion('status', [
  z.object({ status: accepted, revokedAt: instant }),
  refused,
]);
export type RevokeAdminKeyReply = z.infer<typeof revokeAdminKeyReply>;

/** SHA-256 of the key, hexadecimal: the key itself does not travel on. Refused: `unknown-key`, of a revoked one too. */
export const verifyAdminKey = z.object({ keyHash: z.string().regex(/^[0-9a-f]{64}$/) });
export const adminIdentity = z.object({ status: accepted, actor: id, role: adminRole });
export type AdminIdentity = z.infer<typeof adminIdentity>;
export const verifyAdminKeyReply = z.discriminatedUnion('status', [adminIdentity, refused]);
export type VerifyAdminKeyReply = z.infer<typeof verifyAdminKeyReply>;
