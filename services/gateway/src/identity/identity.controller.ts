import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { identitySubjects, issueKey, type IssueKeyReply } from '@tollkeeper/contracts';
import { z } from 'zod';
import { ApiKeys } from './api-keys.js';

/** API keys for whoever may publish on `identity.admin.v1.*`. */
@Controller()
export class IdentityController {
  constructor(@Inject(ApiKeys) private readonly keys: ApiKeys) {}

  @MessagePattern(identitySubjects.issueKey)
  async issue(@Payload() body: unknown): Promise<IssueKeyReply> {
    const parsed = issueKey.safeParse(body);
    if (!parsed.success) {
      const message = z.prettifyError(parsed.error);
      return { status: 'refused', reason: 'invalid-request', message, retryable: false };
    }
    const { accountId, userId, projectId } = parsed.data;
    return { status: 'accepted', ...(await this.keys.issue({ accountId, userId, projectId })) };
  }
}
