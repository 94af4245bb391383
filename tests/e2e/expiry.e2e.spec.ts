import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { waitUntil } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';

describe('a reservation that nobody ends', () => {
  let stack: Stack;
  let nats: NatsConnection;

  beforeAll(async () => {
    stack = await startStack({ CALL_TIMEOUT_MS: '1000', SETTLE_GRACE_MS: '1000' });
    nats = await connectNats({ url: stack.ready().natsUrl, name: 'expiry' });
  }, 120_000);
  afterAll(async () => {
    await nats.close();
    await stack.stop();
  }, 60_000);

  it('expires on an account that nobody touches, and what comes later is charged and flagged', async () => {
    const { accountId } = await stack.openAccount('10');
    const options = { timeoutMs: 5_000 };
    const commandId = crypto.randomUUID();
    const call = {
      commandId,
      candidates: [{ provider: 'openai', model: 'gpt-4o' }],
      bounds: { inputTokens: 1000, outputTokens: 100 },
    };
    expect(await request(nats, `credit.v1.reserve.${accountId}`, call, options)).toMatchObject({
      status: 'accepted',
      amountCredits: '0.525',
    });
    const released = async () =>
      (await stack.eventsOf(accountId)).find((event) => event.type === 'Released');
    await waitUntil(async () => (await released()) !== undefined, { timeoutMs: 25_000 });
    expect((await released())?.data).toMatchObject({ reason: 'expired', reservationId: commandId });

    const settle = {
      reservationId: commandId,
      attempts: [{ provider: 'openai', model: 'gpt-4o', usage: { input: 900, output: 50 } }],
    };
    const late = await request(nats, `credit.v1.settle.${accountId}`, settle, options);
    expect(late).toMatchObject({ status: 'accepted', chargeCredits: '0.4125', late: true });
    expect(await request(nats, `credit.v1.balance.${accountId}`, {}, options)).toMatchObject({
      balance: '9.5875',
      reserved: '0',
    });
    const corrected = await request(
      nats,
      `credit.v1.correct.${accountId}`,
      {
        reservationId: commandId,
        attempts: [{ provider: 'openai', model: 'gpt-4o', usage: { input: 900, output: 40 } }],
      },
      options,
    );
    expect(corrected).toMatchObject({ status: 'accepted', chargeCredits: '0.3975' });
    const proven = () => stack.tollRaw('audit', 'verify');
    await waitUntil(async () => (await proven()).code === 0, {
      timeoutMs: 15_000,
      intervalMs: 500,
    });
    expect(await proven()).toMatchObject({ code: 0 });
  }, 90_000);
});
