import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  addMember,
  archiveProject,
  createProject,
  identitySubjects,
  issueKey,
  listOf,
  removeMember,
  revokeKey,
  type AddMemberReply,
  type ArchiveProjectReply,
  type CreateProjectReply,
  type IssueKeyReply,
  type ListKeysReply,
  type ListMembersReply,
  type ListProjectsReply,
  type RemoveMemberReply,
  type RevokeKeyReply,
} from '@tollkeeper/contracts';
import { AccountIdentity } from './account-identity.js';
import { served } from './served.js';

/** Members, projects and API keys for whoever may publish on `identity.admin.v1.*`. */
@Controller()
export class IdentityController {
  constructor(@Inject(AccountIdentity) private readonly identity: AccountIdentity) {}

  @MessagePattern(identitySubjects.addMember)
  addMember(@Payload() body: unknown): Promise<AddMemberReply> {
    return served(addMember, body, (order) => this.identity.addMember(order));
  }

  @MessagePattern(identitySubjects.removeMember)
  removeMember(@Payload() body: unknown): Promise<RemoveMemberReply> {
    return served(removeMember, body, ({ accountId, userId }) =>
      this.identity.removeMember(accountId, userId),
    );
  }

  @MessagePattern(identitySubjects.listMembers)
  listMembers(@Payload() body: unknown): Promise<ListMembersReply> {
    return served(listOf, body, ({ accountId, after }) =>
      this.identity.listMembers(accountId, after),
    );
  }

  @MessagePattern(identitySubjects.createProject)
  createProject(@Payload() body: unknown): Promise<CreateProjectReply> {
    return served(createProject, body, ({ accountId, projectId }) =>
      this.identity.createProject(accountId, projectId),
    );
  }

  @MessagePattern(identitySubjects.archiveProject)
  archiveProject(@Payload() body: unknown): Promise<ArchiveProjectReply> {
    return served(archiveProject, body, ({ accountId, projectId }) =>
      this.identity.archiveProject(accountId, projectId),
    );
  }

  @MessagePattern(identitySubjects.listProjects)
  listProjects(@Payload() body: unknown): Promise<ListProjectsReply> {
    return served(listOf, body, ({ accountId, after }) =>
      this.identity.listProjects(accountId, after),
    );
  }

  @MessagePattern(identitySubjects.issueKey)
  issueKey(@Payload() body: unknown): Promise<IssueKeyReply> {
    return served(issueKey, body, (order) => this.identity.issueKey(order));
  }

  @MessagePattern(identitySubjects.listKeys)
  listKeys(@Payload() body: unknown): Promise<ListKeysReply> {
    return served(listOf, body, ({ accountId, after }) => this.identity.listKeys(accountId, after));
  }

  @MessagePattern(identitySubjects.revokeKey)
  revokeKey(@Payload() body: unknown): Promise<RevokeKeyReply> {
    return served(revokeKey, body, ({ keyId }) => this.identity.revokeKey(keyId));
  }
}
