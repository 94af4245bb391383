import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  identitySubjects,
  issueAdminKey,
  listAdminKeys,
  revokeAdminKey,
  verifyAdminKey,
  type IssueAdminKeyReply,
  type ListAdminKeysReply,
  type RevokeAdminKeyReply,
  type VerifyAdminKeyReply,
} from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import { newAdminKey } from './admin-key.js';
import { AdminKeyStore } from './admin-key.store.js';
import { hashOf } from './api-key.js';
import { refuse } from './membership.js';
import { served } from './served.js';

const unknownKey = refuse('unknown-key', 'there is no such admin key');

/** Keys of admins: operators issue and revoke them, the service that an admin asks verifies them. */
@Controller()
export class AdminKeysController {
  constructor(@Inject(AdminKeyStore) private readonly keys: AdminKeyStore) {}

  @MessagePattern(identitySubjects.issueAdminKey)
  issue(@Payload() body: unknown): Promise<IssueAdminKeyReply> {
    return served(issueAdminKey, body, async ({ actor, role }) => {
      const adminKey = newAdminKey();
      const keyId = uuidv7();
      await this.keys.add({ keyId, keyHash: hashOf(adminKey), actor, role });
      return { status: 'accepted', keyId, adminKey };
    });
  }

  @MessagePattern(identitySubjects.listAdminKeys)
  list(@Payload() body: unknown): Promise<ListAdminKeysReply> {
    return served(listAdminKeys, body, async ({ after }) => {
      const { items, next } = await this.keys.list(after);
      return { status: 'accepted', keys: items, next };
    });
  }

  @MessagePattern(identitySubjects.revokeAdminKey)
  revoke(@Payload() body: unknown): Promise<RevokeAdminKeyReply> {
    return served(revokeAdminKey, body, async ({ keyId }) => {
      const revokedAt = await this.keys.revoke(keyId);
      return revokedAt === undefined ? unknownKey : { status: 'accepted', revokedAt };
    });
  }

  @MessagePattern(identitySubjects.verifyAdminKey)
  verify(@Payload() body: unknown): Promise<VerifyAdminKeyReply> {
    return served(verifyAdminKey, body, async ({ keyHash }) => {
      const admin = await this.keys.find(keyHash);
      return admin ? { status: 'accepted', actor: admin.actor, role: admin.role } : unknownKey;
    });
  }
}
