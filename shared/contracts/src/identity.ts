import { z } from 'zod';
import { id, refused } from './common.js';

/** Subjects that the gateway serves, as owner of API keys. */
export const identitySubjects = {
  issueKey: 'identity.admin.v1.issue-key',
} as const;

export const issueKey = z.object({ accountId: id, userId: id, projectId: id.optional() });
export type IssueKey = z.input<typeof issueKey>;

/** The only time that the key itself is shown; a hash of it is stored. */
export const keyIssued = z.object({
  status: z.literal('accepted'),
  keyId: z.string(),
  apiKey: z.string(),
});
export const issueKeyReply = z.discriminatedUnion('status', [keyIssued, refused]);
export type IssueKeyReply = z.infer<typeof issueKeyReply>;
