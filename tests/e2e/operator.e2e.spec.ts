import { creditSubjects, headers, personalAccountId } from '@tollkeeper/contracts';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { waitUntil } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../support/stack.js';

/** Plain JSON on NATS, as a caller in any language sends it. */
describe('an operator on NATS', () => {
  let stack: Stack;
  let nats: NatsConnection;
  const ask = (subject: string, body: object): Promise<unknown> =>
    request(nats, subject, body, { timeoutMs: 5_000, headers: { [headers.actor]: 'operator' } });

  beforeAll(async () => {
    stack = await startStack();
    nats = await connectNats({ url: stack.ready().natsUrl, name: 'operator' });
  }, 120_000);
  afterAll(async () => {
    await nats.close();
    await stack.stop();
  }, 60_000);

  it('refunds, adjusts and freezes an account, each once by its id', async () => {
    const { accountId } = await stack.openAccount('10');
    const charge = { commandId: crypto.randomUUID(), amountCredits: '4' };
    expect(await ask(creditSubjects.charge(accountId), charge)).toMatchObject({
      status: 'accepted',
      chargeCredits: '4',
    });

    const refund = {
      commandId: crypto.randomUUID(),
      reservationId: charge.commandId,
      amountCredits: '1.5',
      reasonCode: 'goodwill',
    };
    const refunded = {
      status: 'accepted',
      refundId: refund.commandId,
      refundedCredits: '1.5',
      available: '7.5',
    };
    expect(await ask(creditSubjects.refund(accountId), refund)).toEqual(refunded);
    expect(await ask(creditSubjects.refund(accountId), refund)).toEqual(refunded);
    expect(
      await ask(creditSubjects.refund(accountId), { ...refund, amountCredits: '2' }),
    ).toMatchObject({ status: 'refused', reason: 'replay-mismatch' });
    expect(
      await ask(creditSubjects.refund(accountId), {
        ...refund,
        commandId: 'f2',
        amountCredits: '2.6',
      }),
    ).toMatchObject({ status: 'refused', reason: 'exceeds-charge', details: { left: '2.5' } });

    const adjust = { amountCredits: '-9', reasonCode: 'billing-error' };
    expect(await ask(creditSubjects.adjust(accountId), adjust)).toMatchObject({
      status: 'refused',
      reason: 'insufficient-credits',
      details: { available: '7.5', required: '9' },
    });
    expect(
      await ask(creditSubjects.adjust(accountId), { ...adjust, bookDebt: true }),
    ).toMatchObject({ status: 'accepted', available: '0', debt: '1.5' });
    expect(await ask(creditSubjects.grant(accountId), { amountCredits: '5' })).toMatchObject({
      status: 'accepted',
      available: '3.5',
    });

    const call = { amountCredits: '3' };
    expect(await ask(creditSubjects.afford(accountId), call)).toEqual({
      affordable: true,
      required: '3',
      available: '3.5',
    });
    expect(await ask(creditSubjects.freeze(accountId), { reason: 'chargeback' })).toEqual({
      status: 'accepted',
    });
    expect(await ask(creditSubjects.reserve(accountId), call)).toMatchObject({
      status: 'refused',
      reason: 'account-frozen',
    });
    expect(await ask(creditSubjects.afford(accountId), call)).toMatchObject({
      affordable: false,
      reason: 'account-frozen',
    });
    await ask(creditSubjects.unfreeze(accountId), { reason: 'settled' });
    expect(await ask(creditSubjects.reserve(accountId), call)).toMatchObject({
      status: 'accepted',
    });

    const types = (await stack.eventsOf(accountId)).map((event) => event.type);
    expect(types).toEqual([
      'AccountOpened',
      'CreditsGranted',
      'Reserved',
      'Settled',
      'Refunded',
      'CreditsAdjusted',
      'CreditsGranted',
      'DebtRepaid',
      'AccountFrozen',
      'AccountUnfrozen',
      'Reserved',
    ]);
  }, 60_000);

  it('does the same on the command line', async () => {
    const { accountId } = await stack.openAccount('10');
    const charge = { commandId: crypto.randomUUID(), amountCredits: '4' };
    await ask(creditSubjects.charge(accountId), charge);
    const why = ['--reason', 'goodwill'];
    expect(await stack.toll('refund', accountId, charge.commandId, '1', ...why)).toMatchObject({
      accountId,
      refundedCredits: '1',
      available: '7',
    });
    expect(await stack.toll('adjust', accountId, '-2', ...why)).toMatchObject({ available: '5' });
    const { grantId } = await stack.toll<{ grantId: string }>('grant', accountId, '50');
    expect(await stack.toll('void', accountId, grantId, ...why)).toEqual({ accountId });
    await stack.toll('tier', accountId, 'enterprise', 'upgrade');
    await stack.toll('freeze', accountId, 'chargeback');
    expect(await ask(creditSubjects.reserve(accountId), { amountCredits: '1' })).toMatchObject({
      reason: 'account-frozen',
    });
    await stack.toll('unfreeze', accountId, 'settled');
    expect(await ask(creditSubjects.balance(accountId), {})).toMatchObject({
      tier: 'enterprise',
      available: '5',
    });
    const refused = await stack.tollRaw('refund', accountId, charge.commandId, '3.1', ...why);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('exceeds-charge');
  }, 60_000);

  it('limits, recurs, alerts and tops up on the command line', async () => {
    const { accountId } = await stack.openAccount('10');
    const typesOf = async () => (await stack.eventsOf(accountId)).map((event) => event.type);
    const budget = ['--scope', 'account', '--window', 'day', '--unit', 'credits'];
    expect(await stack.toll('limit', 'set', accountId, 'budget', '3', ...budget)).toEqual({
      accountId,
      limitId: 'budget',
    });
    await ask(creditSubjects.charge(accountId), { amountCredits: '2' });
    expect(await stack.toll('limit', 'list', accountId)).toMatchObject({
      limits: [{ limitId: 'budget', mode: 'hard', amount: '3', used: '2' }],
    });
    const two = { amountCredits: '2' };
    expect(await ask(creditSubjects.charge(accountId), two)).toMatchObject({
      reason: 'limit-reached',
    });
    await stack.toll('limit', 'remove', accountId, 'budget');
    expect(await stack.toll('limit', 'list', accountId)).toMatchObject({ limits: [] });

    await stack.toll('recur', accountId, 'monthly', '100', '--day', '28', '--rollover-cap', '50');
    await stack.toll('recur', accountId, 'monthly', '0');
    await stack.toll('alerts', accountId, '7', '1');
    const topUp = ['--below', '7', '--amount', '20', '--monthly-cap', '100'];
    await stack.toll('top-up-rule', accountId, ...topUp);
    await ask(creditSubjects.charge(accountId), two);
    expect(await typesOf()).toEqual(
      expect.arrayContaining([
        'LimitSet',
        'LimitRemoved',
        'RecurringGrantSet',
        'LowBalanceReached',
        'TopUpRequested',
      ]),
    );
    const wrong = await stack.tollRaw('limit', 'set', accountId, 'l1', '3', ...budget.with(1, 'x'));
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stderr).toContain('is not a scope');
  }, 60_000);

  it('finds a grant expired when its time is over, and everything still adds up', async () => {
    const { accountId } = await stack.openAccount('10');
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const grant = { commandId: crypto.randomUUID(), amountCredits: '5', expiresAt };
    expect(await ask(creditSubjects.grant(accountId), grant)).toMatchObject({ status: 'accepted' });
    const expired = async () =>
      (await stack.eventsOf(accountId)).find((event) => event.type === 'GrantExpired');
    await waitUntil(async () => (await expired()) !== undefined, { timeoutMs: 40_000 });
    expect((await expired())?.data).toMatchObject({ grantId: grant.commandId, amountCredits: '5' });
    expect(await stack.toll('account', 'show', accountId)).toMatchObject({
      balance: '10',
      available: '10',
    });
    const late = await stack.tollRaw(
      'void',
      accountId,
      grant.commandId,
      '--reason',
      'billing-error',
    );
    expect(late).toMatchObject({ code: 1 });
    expect(late.stderr).toContain('grant-ended');
    expect((await stack.tollRaw('audit', 'verify')).code).toBe(0);
  }, 120_000);

  it('opens a user’s personal account once, with its initial grant', async () => {
    const userId = `usr_${crypto.randomUUID()}`;
    const accountId = personalAccountId(userId);
    const open = () => ask(creditSubjects.open(accountId), { ownerUserId: userId });
    const answers = await Promise.all([open(), open(), open()]);
    expect(answers).toEqual(Array(3).fill({ status: 'accepted', accountId }));
    expect(await ask(creditSubjects.balance(accountId), {})).toMatchObject({
      available: '1000',
      availableUsd: '10',
    });
    const types = (await stack.eventsOf(accountId)).map((event) => event.type);
    expect(types).toEqual(['AccountOpened', 'CreditsGranted']);
  }, 60_000);
});
