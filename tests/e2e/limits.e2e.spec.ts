import { creditSubjects, limitsView, type LimitsView } from '@tollkeeper/contracts';
import { localDate } from '@tollkeeper/kernel';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';

interface Reply {
  readonly status: string;
  readonly reason?: string;
  readonly retryable?: boolean;
  readonly reservationId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Where it is about noon, so that no day ends while this runs. */
const timeZone = ((): string => {
  const hoursBehind = new Date().getUTCHours() - 12;
  return `Etc/GMT${hoursBehind < 0 ? '' : '+'}${String(hoursBehind)}`;
})();

describe('a limit on a key', () => {
  let stack: Stack;
  let nats: NatsConnection;
  let accountId: string;

  beforeAll(async () => {
    stack = await startStack();
    nats = await connectNats({ url: stack.ready().natsUrl, name: 'limits' });
    accountId = `acc_${crypto.randomUUID()}`;
    await ask(creditSubjects.open, { ownerUserId: 'usr_1', tier: 'pro', timeZone });
    await ask(creditSubjects.grant, { amountCredits: '1000' });
  }, 120_000);
  afterAll(async () => {
    await nats.close();
    await stack.stop();
  }, 60_000);

  const ask = async (subject: (id: string) => string, body: object): Promise<Reply> =>
    (await request(nats, subject(accountId), body, { timeoutMs: 10_000 })) as Reply;
  const reserve = (amountCredits: string, keyId = 'key_1'): Promise<Reply> =>
    ask(creditSubjects.reserve, { commandId: crypto.randomUUID(), amountCredits, keyId });
  const limits = async (): Promise<LimitsView['limits']> =>
    limitsView.parse(await ask(creditSubjects.limits, {})).limits;
  const limit = {
    limitId: 'lim_key_1',
    scope: { type: 'key', id: 'key_1' },
    window: 'total',
    unit: 'credits',
    mode: 'hard',
  };

  it('of 10 credits a day admits, of 50 callers at once, exactly those that fit', async () => {
    const daily = { ...limit, limitId: 'daily', window: 'day', amount: '10' };
    const commandId = crypto.randomUUID();
    const set = await ask(creditSubjects.setLimit, { ...daily, commandId });
    expect(set).toEqual({ status: 'accepted', limitId: 'daily' });
    const replies = await Promise.all(Array.from({ length: 50 }, () => reserve('0.3')));
    const accepted = replies.filter((reply) => reply.status === 'accepted');
    const refused = replies.filter((reply) => reply.status === 'refused');
    expect(accepted).toHaveLength(33);
    expect(refused).toHaveLength(17);
    for (const reply of refused) {
      expect(reply).toMatchObject({
        reason: 'limit-reached',
        retryable: false,
        details: { limitId: 'daily', amount: '10', used: '9.9', required: '0.3' },
      });
    }
    expect(await limits()).toMatchObject([
      { limitId: 'daily', used: '9.9', amount: '10', period: localDate(new Date(), timeZone) },
    ]);

    // Another key is not held back; what is released can be reserved again; no command is carried out twice.
    expect(await reserve('0.3', 'key_2')).toMatchObject({ status: 'accepted' });
    const { reservationId } = accepted[0] ?? {};
    const released = await ask(creditSubjects.release, { reservationId, reason: 'failed' });
    expect(released).toMatchObject({ status: 'accepted' });
    const again = await Promise.all([reserve('0.3'), reserve('0.3')]);
    expect(again.map((reply) => reply.status).sort()).toEqual(['accepted', 'refused']);
    expect(await ask(creditSubjects.setLimit, { ...daily, commandId })).toEqual(set);
    const changed = { ...daily, commandId, amount: '11' };
    expect(await ask(creditSubjects.setLimit, changed)).toMatchObject({
      reason: 'replay-mismatch',
    });
    expect(await ask(creditSubjects.removeLimit, { limitId: 'daily' })).toMatchObject({
      status: 'accepted',
    });
    expect(await limits()).toEqual([]);
    expect(await reserve('50')).toMatchObject({ status: 'accepted' });
  }, 60_000);

  it('by rate is refused as such, and through the gateway is a 429 that says when to come back', async () => {
    const rate = { limitId: 'rpm', scope: { type: 'account' }, window: 'minute', unit: 'requests' };
    const opened = await stack.openAccount('100');
    const subject = creditSubjects.setLimit(opened.accountId);
    const body = { ...rate, mode: 'rate', amount: '1' };
    expect(await request(nats, subject, body, { timeoutMs: 5_000 })).toMatchObject({
      status: 'accepted',
    });
    const post = (): Promise<Response> =>
      fetch(`${stack.ready().gatewayUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${opened.apiKey}`,
        },
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
      });
    expect((await post()).status).toBe(200);
    const limited = await post();
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await limited.json()).toMatchObject({
      error: { type: 'requests', code: 'rate_limit_exceeded', limit_id: 'rpm' },
    });
  }, 60_000);

  it('of another shape than the contract allows is refused in its words', async () => {
    const refusals = [
      { ...limit, amount: '-1' },
      { ...limit, amount: '1', scope: { type: 'key' } },
      { ...limit, amount: '1', window: 'week' },
      { ...limit, amount: '1', mode: 'rate' },
    ];
    for (const body of refusals) {
      expect(await ask(creditSubjects.setLimit, body)).toMatchObject({
        status: 'refused',
        reason: 'invalid-request',
      });
    }
  });
});
