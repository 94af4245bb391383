import { createHash } from 'node:crypto';
import { identitySubjects, type AdminRole, type VerifyAdminKeyReply } from '@tollkeeper/contracts';
import { connectNats, type NatsConnection } from '@tollkeeper/messaging';

/** Admin keys by their actor: `alice` holds `key-of-alice`. */
export const adminKeyOf = (actor: string): string => `key-of-${actor}`;

/** Says whose admin key it is, in place of a gateway. Connects as one, since nobody else may answer that. */
export const startFakeIdentity = async (
  gatewayUrl: string,
  roles: Readonly<Record<string, AdminRole>>,
): Promise<NatsConnection> => {
  const nats = await connectNats({ url: gatewayUrl, name: 'fake identity' });
  const replies = new Map<string, VerifyAdminKeyReply>(
    Object.entries(roles).map(([actor, role]) => [
      createHash('sha256').update(adminKeyOf(actor)).digest('hex'),
      { status: 'accepted', actor, role },
    ]),
  );
  const unknown: VerifyAdminKeyReply = {
    status: 'refused',
    reason: 'unknown-key',
    message: 'there is no such key',
    retryable: false,
  };
  nats.subscribe(identitySubjects.verifyAdminKey, {
    callback: (_, message) => {
      const { keyHash } = message.json<{ keyHash: string }>();
      message.respond(JSON.stringify(replies.get(keyHash) ?? unknown));
    },
  });
  await nats.flush();
  return nats;
};
