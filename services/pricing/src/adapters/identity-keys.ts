import { identitySubjects, verifyAdminKeyReply } from '@tollkeeper/contracts';
import { request, type NatsConnection } from '@tollkeeper/messaging';
import type { VerifyAdminKey } from '../application/admins.js';

const timeoutMs = 2_000;

/** The gateway owns the keys; it is told a hash, and says whose it is. */
export const identityKeys =
  (nats: NatsConnection): VerifyAdminKey =>
  async (keyHash) => {
    const reply = verifyAdminKeyReply.parse(
      await request(nats, identitySubjects.verifyAdminKey, { keyHash }, { timeoutMs }),
    );
    if (reply.status === 'accepted') return { actor: reply.actor, role: reply.role };
    if (reply.retryable) throw new Error(`admin keys cannot be checked: ${reply.reason}`);
    return undefined;
  };
