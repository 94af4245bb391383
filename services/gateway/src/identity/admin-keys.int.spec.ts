import { hash } from 'node:crypto';
import { identitySubjects } from '@tollkeeper/contracts';
import { connectNats, NoReplyError, request, type NatsConnection } from '@tollkeeper/messaging';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Json, type World } from '../gateway.fixture.js';

let world: World;
let pricing: NatsConnection;
beforeAll(async () => {
  world = await startWorld();
  pricing = await connectNats({ url: world.natsUrl('pricing'), name: 'pricing-of-admins' });
});
afterAll(async () => {
  await pricing.close();
  await world.stop();
});

const ask = async (subject: keyof typeof identitySubjects, body: object): Promise<Json> =>
  (await request(world.operator, identitySubjects[subject], body, { timeoutMs: 5_000 })) as Json;

const verified = async (adminKey: string): Promise<Json> => {
  const body = { keyHash: hash('sha256', adminKey, 'hex') };
  const subject = identitySubjects.verifyAdminKey;
  return (await request(pricing, subject, body, { timeoutMs: 5_000 })) as Json;
};

const issued = async (actor: string, role: string) => {
  const reply = await ask('issueAdminKey', { actor, role });
  expect(reply).toMatchObject({ status: 'accepted' });
  return reply as { keyId: string; adminKey: string };
};

const refused = (reason: string) =>
  expect.objectContaining({ status: 'refused', reason, retryable: false }) as object;

describe('an admin key', () => {
  it('names its actor and role to the service that an admin asks', async () => {
    for (const role of ['viewer', 'pricer', 'admin']) {
      const { adminKey } = await issued(`${role}-1`, role);
      expect(adminKey).toMatch(/^tka_[\w-]{43}$/);
      expect(await verified(adminKey)).toEqual({
        status: 'accepted',
        actor: `${role}-1`,
        role,
      });
    }
  });

  it('is unknown once it is revoked, and keeps the time of its first revocation', async () => {
    const { keyId, adminKey } = await issued('leaver', 'admin');
    const revoked = await ask('revokeAdminKey', { keyId });
    expect(revoked).toMatchObject({ status: 'accepted' });
    expect(await verified(adminKey)).toEqual(refused('unknown-key'));
    expect(await ask('revokeAdminKey', { keyId })).toEqual(revoked);
    expect(await ask('revokeAdminKey', { keyId: 'nobodys' })).toEqual(refused('unknown-key'));
  });

  it('is listed without the key or its hash', async () => {
    const { keyId, adminKey } = await issued('listed', 'viewer');
    const { keys } = (await ask('listAdminKeys', {})) as { keys: Json[] };
    expect(keys.find((key) => key['keyId'] === keyId)).toEqual({
      keyId,
      actor: 'listed',
      role: 'viewer',
      createdAt: expect.any(String) as string,
    });
    const text = JSON.stringify(keys);
    expect(text).not.toContain(adminKey);
    expect(text).not.toContain(hash('sha256', adminKey, 'hex'));
  });

  it('is listed a page at a time', async () => {
    const first = await issued('first', 'viewer');
    const second = await issued('second', 'viewer');
    const { keys } = (await ask('listAdminKeys', { after: first.keyId })) as { keys: Json[] };
    expect(keys.map(({ keyId }) => keyId)).toEqual([second.keyId]);
  });

  it.each([
    { actor: 'a b', role: 'viewer' },
    { actor: 'a'.repeat(65), role: 'viewer' },
    { actor: 'a', role: 'owner' },
    { actor: 'a' },
    {},
  ])('is not issued for %j', async (body) => {
    expect(await ask('issueAdminKey', body)).toEqual(refused('invalid-request'));
  });

  it.each([{}, { keyHash: '' }, { keyHash: 'g'.repeat(64) }, { keyHash: 'a'.repeat(63) }])(
    'is not looked up by %j',
    async (body) => {
      const reply = await request(pricing, identitySubjects.verifyAdminKey, body, {
        timeoutMs: 5_000,
      });
      expect(reply).toEqual(refused('invalid-request'));
    },
  );

  it('is verified for services alone: an operator may not ask whose a hash is', async () => {
    const { adminKey } = await issued('guarded', 'admin');
    const body = { keyHash: hash('sha256', adminKey, 'hex') };
    await expect(
      request(world.operator, identitySubjects.verifyAdminKey, body, { timeoutMs: 500 }),
    ).rejects.toThrow(NoReplyError);
  });

  it('is no API key, and an API key is no admin key', async () => {
    const { adminKey } = await issued('elsewhere', 'admin');
    const response = await fetch(`${world.url}/v1/models`, {
      headers: { authorization: `Bearer ${adminKey}` },
    });
    expect(response.status).toBe(401);
    expect(await verified(world.key)).toEqual(refused('unknown-key'));
  });
});
