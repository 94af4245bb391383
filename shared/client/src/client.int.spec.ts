import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  newNatsPasswords,
  startEphemeralNats,
  type EphemeralNats,
  type RunningNats,
} from '@tollkeeper/servers';
import type { NatsConnection } from '@nats-io/transport-node';
import { Decimal } from 'decimal.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeCredit } from './fake-credit.fixture.js';
import {
  ClientClosedError,
  connectTollkeeper,
  NotPermittedError,
  RefusedError,
  TollkeeperUnavailableError,
  UnexpectedAnswerError,
  type TollkeeperClient,
} from './index.js';

const balance = {
  accountId: 'personal_user_42',
  ownerUserId: 'user_42',
  tier: 'pro',
  balance: '100',
  reserved: '2',
  available: '98',
  debt: '0',
  usdPerCredit: '0.01',
  balanceUsd: '1',
  reservedUsd: '0.02',
  availableUsd: '0.98',
  asOf: '2026-01-01T00:00:00.000Z',
};

describe('the client, over a real nats-server', () => {
  let server: RunningNats;
  let credit: FakeCredit;
  let toll: TollkeeperClient;
  let admin: TollkeeperClient;

  beforeAll(async () => {
    server = await startEphemeralNats();
    credit = await FakeCredit.start(server.url('credit'));
    toll = await connectTollkeeper({ servers: server.url('platform'), name: 'spec' });
    admin = await connectTollkeeper({ servers: server.url('operator'), name: 'spec' });
  }, 240_000);
  afterAll(async () => {
    await Promise.all([toll.close(), admin.close(), credit.stop()]);
    await server.stop();
  });

  it('asks an account’s owner as the user platform', async () => {
    credit.answer(() => balance);
    expect(await toll.balance({ userId: 'user_42' })).toEqual(balance);
    expect(credit.heard).toMatchObject([{ subject: 'credit.v1.balance.personal_user_42' }]);
  });

  it('takes credentials beside the URL as in it', async () => {
    const { host, username: user, password: pass } = new URL(server.url('platform'));
    const other = await connectTollkeeper({ servers: [`nats://${host}`], user, pass });
    credit.answer(() => balance);
    expect(await other.balance('acc_1')).toEqual(balance);
    await other.close();
  });

  it('says at once that credentials are wrong, or not for this command', async () => {
    const { host } = new URL(server.url('platform'));
    await expect(
      connectTollkeeper({ servers: host, user: 'platform', pass: 'wrong' }),
    ).rejects.toThrow(NotPermittedError);
    credit.answer(() => ({ status: 'accepted', grantId: 'g', available: '1' }));
    await expect(toll.grant('acc_1', { amountCredits: '1' })).rejects.toThrow(NotPermittedError);
    expect(credit.heard).toEqual([]);
  });

  it.each<[string, object, boolean]>([
    ['is affordable', { affordable: true, required: '5', available: '98' }, true],
    ['is not', { affordable: false, reason: 'insufficient-credits', available: '2' }, false],
  ])('says whether a request %s, on a real answer', async (_, view, affordable) => {
    credit.answer(() => view);
    const request = { amountCredits: new Decimal('5.0') };
    expect(await toll.canAfford('acc_1', request)).toBe(affordable);
    expect(await toll.affordability('acc_1', request)).toEqual(view);
    expect(credit.heard[0]).toMatchObject({
      subject: 'credit.v1.afford.acc_1',
      body: { amountCredits: '5' },
    });
  });

  it('never takes silence, a refusal or nonsense for an answer', async () => {
    const ask = (options = {}): Promise<boolean> =>
      toll.canAfford('acc_1', { amountCredits: '5' }, options);
    credit.answer(() => undefined);
    await expect(ask({ timeoutMs: 300 })).rejects.toThrow(TollkeeperUnavailableError);
    credit.answer(() => 'yes');
    await expect(ask()).rejects.toThrow(UnexpectedAnswerError);
    credit.answer(() => ({ affordable: 'yes', available: '1' }));
    await expect(ask()).rejects.toThrow(UnexpectedAnswerError);
    credit.answer(() => ({
      status: 'refused',
      reason: 'account-parked',
      message: 'parked',
      retryable: false,
    }));
    await expect(ask()).rejects.toThrow(RefusedError);
  });

  it('sends a command again under its id until it is answered', async () => {
    const patient = await connectTollkeeper({
      servers: server.url('platform'),
      retry: { attemptTimeoutMs: 50, firstPauseMs: 1 },
    });
    credit.answer(() =>
      credit.heard.length < 3
        ? undefined
        : { status: 'accepted', reservationId: 'c1', chargeCredits: '5', costUsd: '0.05' },
    );
    const charged = await patient.charge('acc_1', { amountCredits: '5' }, { commandId: 'c1' });
    expect(charged).toEqual({ reservationId: 'c1', chargeCredits: '5', costUsd: '0.05' });
    expect(credit.heard.length).toBeGreaterThanOrEqual(3);
    expect(new Set(credit.heard.map((heard) => JSON.stringify(heard))).size).toBe(1);
    await patient.close();
  });

  it('gives up on a subject that nobody serves, and knows that nothing was done', async () => {
    await credit.stop();
    const once = await connectTollkeeper({ servers: server.url('platform'), retry: false });
    const failed = once.charge('acc_1', { amountCredits: '5' }, { commandId: 'c2' });
    await expect(failed).rejects.toMatchObject({
      name: 'TollkeeperUnavailableError',
      commandId: 'c2',
      outcome: 'not-carried-out',
    });
    await once.close();
    credit = await FakeCredit.start(server.url('credit'));
  });

  it('refuses at once what is larger than a message, or a time that is none', async () => {
    credit.answer(() => undefined);
    const context = { text: '界'.repeat(400_000) };
    const large = toll.charge('acc_1', { amountCredits: '5', context });
    await expect(large).rejects.toThrow(TypeError);
    const garbage = new Date('garbage');
    for (const times of [
      { expiresAt: garbage },
      { effectiveAt: '2027-01-01' as unknown as Date },
    ]) {
      const grant = admin.grant('acc_1', { amountCredits: '1', ...times });
      await expect(grant).rejects.toThrow(TypeError);
    }
    const bounds = { inputTokens: 1, outputTokens: 1 };
    const candidates = [{ provider: 'openai', model: 'gpt-4o' }];
    const reserve = toll.reserve('acc_1', { candidates, bounds, requestStartedAt: garbage });
    await expect(reserve).rejects.toThrow(TypeError);
    expect(credit.heard).toEqual([]);
  });

  it('fails in time where no NATS server answers', async () => {
    const nobody = connectTollkeeper({ servers: 'nats://127.0.0.1:1', timeoutMs: 300 });
    await expect(nobody).rejects.toThrow(TollkeeperUnavailableError);
  });

  it('takes no call after it was closed', async () => {
    const closed = await connectTollkeeper({ servers: server.url('platform') });
    await closed.close();
    await closed.close();
    await expect(closed.balance('acc_1')).rejects.toThrow(ClientClosedError);
  });

  it('hears the answers to what was sent before it was closed', async () => {
    const closing = await connectTollkeeper({ servers: server.url('platform') });
    let respond: (answer: object) => void = () => undefined;
    credit.answer(() => new Promise<object>((resolve) => (respond = resolve)));
    const asked = closing.balance('acc_1');
    await expect.poll(() => credit.heard.length).toBe(1);
    const closed = closing.close();
    respond(balance);
    expect(await asked).toEqual(balance);
    await closed;
  });

  it('opens a personal account once, and says when it was open before', async () => {
    credit.answer(() => ({ status: 'accepted', accountId: 'personal_user_42' }));
    const accountId = 'personal_user_42';
    expect(await admin.openPersonalAccount('user_42', { tier: 'pro' })).toEqual({
      accountId,
      opened: true,
    });
    expect(credit.heard[0]).toMatchObject({
      subject: `credit.admin.v1.open.${accountId}`,
      body: { ownerUserId: 'user_42', kind: 'personal', tier: 'pro' },
    });
    credit.answer(() => ({
      status: 'refused',
      reason: 'account-exists',
      message: 'open already',
      retryable: false,
    }));
    expect(await admin.openPersonalAccount('user_42')).toEqual({ accountId, opened: false });
  });

  it('grants, refunds and adjusts by the operator’s subjects', async () => {
    const answers: Readonly<Record<string, object>> = {
      grant: { status: 'accepted', grantId: 'g1', available: '500' },
      refund: { status: 'accepted', refundId: 'f1', refundedCredits: '3', available: '503' },
      adjust: { status: 'accepted', adjustmentId: 'a1', available: '500', debt: '0' },
    };
    credit.answer((verb) => answers[verb]);
    const expiresAt = new Date('2027-01-01T00:00:00Z');
    const grant = { amountCredits: '500', kind: 'promotion', expiresAt, priority: 5 } as const;
    expect(await admin.grant('acc_1', grant)).toEqual({ grantId: 'g1', available: '500' });
    const refund = { reservationId: 'r1', amountCredits: '3.0', reasonCode: 'goodwill' };
    expect(await admin.refund('acc_1', refund)).toMatchObject({ refundedCredits: '3' });
    const adjust = { amountCredits: '-3', reasonCode: 'billing-error', bookDebt: true };
    expect(await admin.adjust('acc_1', adjust)).toMatchObject({ adjustmentId: 'a1', debt: '0' });
    expect(credit.heard).toMatchObject([
      {
        subject: 'credit.admin.v1.grant.acc_1',
        body: { ...grant, expiresAt: expiresAt.toISOString() },
      },
      {
        subject: 'credit.admin.v1.refund.acc_1',
        body: { ...refund, amountCredits: '3' },
      },
      { subject: 'credit.admin.v1.adjust.acc_1', body: adjust },
    ]);
  });

  describe('does what the usual names promise:', () => {
    const accepted = { status: 'accepted', reservationId: 'r1', chargeCredits: '5', costUsd: '0' };
    const answers: Readonly<Record<string, object>> = {
      balance,
      afford: { affordable: true, available: '98' },
      charge: accepted,
      settle: accepted,
      reserve: {
        status: 'accepted',
        reservationId: 'r1',
        amountCredits: '5',
        expiresAt: balance.asOf,
      },
      release: { status: 'accepted' },
      grant: { status: 'accepted', grantId: 'g1', available: '500' },
      refund: { status: 'accepted', refundId: 'f1', refundedCredits: '5', available: '5' },
      adjust: { status: 'accepted', adjustmentId: 'a1', available: '5', debt: '0' },
    };
    const settlement = { reservationId: 'r1', chargeCredits: '5', costUsd: '0' };
    /** By the usual name: what the line sends, and what it comes to. */
    const meaning: Readonly<Record<string, readonly [sent: object, result: unknown]>> = {
      getUserBalance: [{}, '98'],
      checkSufficientFunds: [{ amountCredits: '5' }, true],
      deductCredits: [{ amountCredits: '5', context: { ticket: 'T-1' } }, settlement],
      addCredits: [{ amountCredits: '5', externalReference: 'payment_1' }, { grantId: 'g1' }],
      refundCredits: [
        { reservationId: 'r1', amountCredits: '5', reasonCode: 'goodwill' },
        { refundedCredits: '5' },
      ],
      reserveCredits: [{ amountCredits: '5' }, { reservationId: 'r1' }],
      commitCredits: [{ reservationId: 'r1', amountCredits: '5' }, settlement],
      cancelReservation: [{ reservationId: 'r1', reason: 'failed' }, undefined],
      setBalance: [{ amountCredits: '5', reasonCode: 'correction' }, { adjustmentId: 'a1' }],
    };
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const row = /^\| `(\w+)\((.*?)\)` +\|.*?`(.+)` +\|$/gm;
    const rows = [...readme.matchAll(row)].map(([, name, parameters, line]) => ({
      name: name ?? '',
      parameters: parameters ?? '',
      line: line ?? '',
    }));

    it('each has its line', () => {
      expect(rows.map(({ name }) => name)).toEqual(Object.keys(meaning));
    });

    it.each(rows)('$name($parameters)', async ({ name, parameters, line }) => {
      credit.answer((verb) => answers[verb]);
      const values: Readonly<Record<string, unknown>> = {
        userId: 'user_42',
        amount: '5',
        context: { ticket: 'T-1' },
        paymentId: 'payment_1',
        reservationId: 'r1',
      };
      const names = parameters.split(', ');
      const source = `return (async () => ${line})();`;
      // The line of the README, as its reader would paste it.
      // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
      const result: unknown = await new Function('toll', ...names, source)(
        admin,
        ...names.map((each) => values[each]),
      );
      const [sent, expected] = meaning[name] ?? [];
      expect(credit.heard).toHaveLength(1);
      expect(credit.heard[0]?.subject).toContain('.personal_user_42');
      expect(credit.heard[0]?.body).toMatchObject(sent ?? {});
      if (expected instanceof Object) expect(result).toMatchObject(expected);
      else expect(result).toBe(expected);
    });
  });
});

describe('the client’s connection', () => {
  let server: EphemeralNats;
  beforeAll(async () => {
    server = await startEphemeralNats();
  }, 240_000);
  afterAll(() => server.stop());

  it('outlives a server that refuses its login for a while', async () => {
    const log = join(server.storeDir, '..', 'nats-server.log');
    const refusals = (): number => readFileSync(log, 'utf8').split('authentication error').length;
    const servers = server.url('platform');
    const outliving = await connectTollkeeper({ servers, timeoutMs: 20_000 });
    const before = refusals();
    await server.startAgain(newNatsPasswords());
    await expect.poll(refusals, { timeout: 20_000 }).toBeGreaterThan(before + 2);
    const again = await server.startAgain();
    expect(again.url('platform')).toBe(servers);
    const credit = await FakeCredit.start(again.url('credit'));
    credit.answer(() => balance);
    expect(await outliving.balance('acc_1')).toEqual(balance);
    await Promise.all([outliving.close(), credit.stop()]);
  }, 60_000);

  it('says that nothing was done where it was closed for good, and closes like any other', async () => {
    const options = { servers: server.url('platform'), timeoutMs: 200 };
    const lost = await connectTollkeeper(options);
    const { nats } = Reflect.get(lost, 'link') as { nats: NatsConnection };
    await nats.close();
    await expect(lost.charge('acc_1', { amountCredits: '5' })).rejects.toMatchObject({
      name: 'TollkeeperUnavailableError',
      outcome: 'not-carried-out',
    });
    await lost.close();
  });
});
