import type {
  AddMemberReply,
  ArchiveProjectReply,
  CreateProjectReply,
  IssueKeyReply,
  ListKeysReply,
  ListMembersReply,
  ListProjectsReply,
  MemberRole,
  Refused,
  RemoveMemberReply,
  RevokeKeyReply,
} from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import type { Pool } from '@tollkeeper/postgres';
import { hashOf, newApiKey } from './api-key.js';
import { ApiKeyStore } from './api-key.store.js';
import { inAccount, type Queries } from './identity.transaction.js';
import { MemberStore } from './member.store.js';
import { notAMember, refusalToRemove, refuse, roleToBe, type Candidate } from './membership.js';
import { ProjectStore } from './project.store.js';

const archived = refuse('project-archived', 'the project is archived, and stays so');
const unknownProject = refuse('unknown-project', 'the account has no such project');

export interface KeyOwner {
  readonly accountId: string;
  readonly userId: string;
  readonly projectId?: string | undefined;
}

/**
 * Members, projects and keys of accounts. Each change is one transaction; what takes away access is told to
 * `changed` once it is committed.
 */
export class AccountIdentity {
  constructor(
    private readonly pool: Pool,
    private readonly changed: (accountId: string) => void,
  ) {}

  addMember(candidate: Candidate): Promise<AddMemberReply> {
    return inAccount(this.pool, candidate.accountId, async (db) => {
      const role = await join(db, candidate);
      return 'status' in role ? role : { status: 'accepted', ...role };
    });
  }

  async removeMember(accountId: string, userId: string): Promise<RemoveMemberReply> {
    const reply = await inAccount<RemoveMemberReply>(this.pool, accountId, async (db) => {
      const members = new MemberStore(db);
      const refusal = refusalToRemove(await members.standingOf(accountId, userId));
      if (refusal === notAMember && (await members.wasRemoved(accountId, userId))) {
        return { status: 'accepted', revokedKeys: 0 };
      }
      if (refusal) return refusal;
      await members.remove(accountId, userId);
      const revokedKeys = await new ApiKeyStore(db).revokeAllOf(accountId, userId);
      return { status: 'accepted', revokedKeys };
    });
    if (reply.status === 'accepted') this.changed(accountId);
    return reply;
  }

  async listMembers(accountId: string, after?: string): Promise<ListMembersReply> {
    const { items, next } = await new MemberStore(this.pool).list(accountId, after);
    return { status: 'accepted', members: items, next };
  }

  async createProject(accountId: string, projectId: string): Promise<CreateProjectReply> {
    const { archivedAt, createdAt } = await new ProjectStore(this.pool).create(
      accountId,
      projectId,
    );
    return archivedAt === undefined ? { status: 'accepted', createdAt } : archived;
  }

  async archiveProject(accountId: string, projectId: string): Promise<ArchiveProjectReply> {
    const archivedAt = await inAccount(this.pool, accountId, (db) =>
      new ProjectStore(db).archive(accountId, projectId),
    );
    if (archivedAt === undefined) return unknownProject;
    this.changed(accountId);
    return { status: 'accepted', archivedAt };
  }

  async listProjects(accountId: string, after?: string): Promise<ListProjectsReply> {
    const { items, next } = await new ProjectStore(this.pool).list(accountId, after);
    return { status: 'accepted', projects: items, next };
  }

  issueKey({ accountId, userId, projectId }: KeyOwner): Promise<IssueKeyReply> {
    return inAccount(this.pool, accountId, async (db) => {
      const refusal =
        (projectId === undefined ? undefined : await refusalOf(db, accountId, projectId)) ??
        (await refusalToSpeak(db, { accountId, userId }));
      if (refusal) return refusal;
      const apiKey = newApiKey();
      const keyId = uuidv7();
      const keyHash = hashOf(apiKey);
      await new ApiKeyStore(db).add({ accountId, userId, projectId, keyId, keyHash });
      return { status: 'accepted', keyId, apiKey };
    });
  }

  async listKeys(accountId: string, after?: string): Promise<ListKeysReply> {
    const { items, next } = await new ApiKeyStore(this.pool).list(accountId, after);
    return { status: 'accepted', keys: items, next };
  }

  async revokeKey(keyId: string): Promise<RevokeKeyReply> {
    const revoked = await new ApiKeyStore(this.pool).revoke(keyId);
    if (!revoked) return refuse('unknown-key', 'there is no such key');
    this.changed(revoked.accountId);
    return { status: 'accepted', ...revoked };
  }
}

const join = async (
  db: Queries,
  candidate: Candidate,
): Promise<{ readonly role: MemberRole } | Refused> => {
  const { accountId, userId } = candidate;
  const members = new MemberStore(db);
  const standing = await members.standingOf(accountId, userId);
  const next = roleToBe(candidate, standing);
  if ('role' in next && next.role !== standing.role) {
    await members.put(accountId, userId, next.role);
  }
  return next;
};

/** The user of an account's first key becomes its owner; everybody else is a member before they have a key. */
const refusalToSpeak = async (db: Queries, user: Candidate): Promise<Refused | undefined> => {
  const members = new MemberStore(db);
  const { role, otherMembers } = await members.standingOf(user.accountId, user.userId);
  if (role !== undefined) return undefined;
  if (otherMembers > 0) return notAMember;
  const joined = await join(db, user);
  return 'status' in joined ? joined : undefined;
};

const refusalOf = async (
  db: Queries,
  accountId: string,
  projectId: string,
): Promise<Refused | undefined> => {
  const project = await new ProjectStore(db).find(accountId, projectId);
  if (!project) return unknownProject;
  return project.archivedAt === undefined ? undefined : archived;
};
