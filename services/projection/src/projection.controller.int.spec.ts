import 'reflect-metadata';
import { projectionSubjects } from '@tollkeeper/contracts';
import { openPostgresEventStore } from '@tollkeeper/event-store';
import { formatMoney, parseMoney, sumMoney } from '@tollkeeper/kernel';
import type { RunningService } from '@tollkeeper/lifecycle';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import {
  startEphemeralNats,
  startEphemeralPostgres,
  waitUntil,
  type RunningNats,
  type RunningPostgres,
} from '@tollkeeper/servers';
import { createLogger } from '@tollkeeper/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServiceConfig } from './config.js';
import { startProjectionService } from './projection.module.js';
import { AccountStory } from './story/account-story.fixture.js';
import { everything } from './story/everything.fixture.js';
import { append } from './story/read-database.fixture.js';

type Reply = Record<string, unknown> & {
  readonly next?: string | null;
  readonly reason?: string;
  readonly stale?: boolean;
};

let postgres: RunningPostgres;
let natsServer: RunningNats;
let service: RunningService;
let operator: NatsConnection;
const logger = createLogger('spec');
logger.level = 'silent';

const ask = async (subject: string, body: unknown = {}): Promise<Reply> =>
  (await request(operator, subject, body, { timeoutMs: 5_000 })) as Reply;

beforeAll(async () => {
  [postgres, natsServer] = await Promise.all([
    startEphemeralPostgres({ durable: true }),
    startEphemeralNats(),
  ]);
  const store = await openPostgresEventStore({ url: postgres.url, applicationName: 'spec' });
  const broken = new AccountStory('acc_parked').opened().granted('5').reserved('r', '1');
  const reserved = broken.events.pop();
  if (!reserved) throw new Error('no event');
  broken.tellStored(reserved).tellStored({ ...reserved, id: crypto.randomUUID(), data: '{}' });
  await append(store, ...everything(), broken);
  await store.close();
  const config = readServiceConfig({
    NATS_URL: natsServer.url('projection'),
    DATABASE_URL: postgres.url,
    KURRENTDB_URL: '',
  });
  service = await startProjectionService(config, logger);
  operator = await connectNats({ url: natsServer.url('operator'), name: 'spec' });
  const arrived = await waitUntil(
    async () => (await ask(projectionSubjects.balance('acc_parked')))['stale'] === true,
    { timeoutMs: 20_000 },
  );
  expect(arrived).toBe(true);
});

afterAll(async () => {
  await operator.close();
  await service.stop();
  await Promise.all([natsServer.stop(), postgres.stop()]);
});

describe('the projection service answers on NATS', () => {
  it('a balance, as of the checkpoint', async () => {
    expect(await ask(projectionSubjects.balance('acc_debt'))).toMatchObject({
      accountId: 'acc_debt',
      userId: 'owner_acc_debt',
      tier: 'free',
      balance: '3.5',
      reserved: '0',
      available: '3.5',
      debt: '0',
      granted: '13',
      charged: '9.5',
      stale: false,
      asOfPosition: '78',
      asOf: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
  });

  it('an account that it does not know with a refusal', async () => {
    expect(await ask(projectionSubjects.balance('acc_nobody'))).toMatchObject({
      status: 'refused',
      reason: 'unknown-account',
    });
  });

  it('usage, newest first, page after page', async () => {
    const first = await ask(projectionSubjects.usage('acc_calls'), { limit: 2 });
    expect(first).toMatchObject({
      usage: [
        { reservationId: 'r4', chargeCredits: '0.1125', outputTokens: 50, corrected: true },
        { reservationId: 'r3', late: true, inputTokens: 12_000 },
      ],
    });
    const second = await ask(projectionSubjects.usage('acc_calls'), {
      limit: 2,
      before: first.next,
    });
    expect(second).toMatchObject({
      usage: [{ reservationId: 'r1', projectId: 'p1', localDate: '2026-11-20' }],
      next: null,
    });
  });

  it('transactions, newest first, page after page', async () => {
    const amounts: unknown[] = [];
    let before: string | null | undefined;
    do {
      const page = await ask(projectionSubjects.transactions('acc_lapse'), {
        limit: 2,
        ...(before ? { before } : {}),
      });
      for (const row of page['transactions'] as Reply[]) amounts.push([row['type'], row['amount']]);
      before = page.next;
    } while (before);
    expect(amounts).toEqual([
      ['topup', '1'],
      ['adjustment', '-3'],
      ['adjustment', '-10'],
      ['deduction', '-2'],
      ['topup', '20'],
    ]);
  });

  it('open reservations', async () => {
    expect(await ask(projectionSubjects.openReservations('acc_lapse'))).toMatchObject({
      openReservations: [{ reservationId: 'r3', amountCredits: '1', userId: 'someone_else' }],
    });
  });

  it('grants, newest first, with where their credits are', async () => {
    const first = await ask(projectionSubjects.grants('acc_life'), { limit: 3 });
    expect(first).toMatchObject({
      accountId: 'acc_life',
      grants: [
        { grantId: 'g8', kind: 'adjustment', reasonCode: 'goodwill', state: 'active' },
        { grantId: 'g7', drawnCredits: '5' },
        {
          grantId: 'g6',
          topUpId: 't1',
          amountCredits: '20',
          drawnCredits: '0.5',
          lapsedCredits: '5',
          voidedCredits: '14.5',
          availableCredits: '0',
          state: 'voided',
        },
      ],
      stale: false,
    });
    const rest = await ask(projectionSubjects.grants('acc_life'), { before: first.next });
    expect((rest['grants'] as Reply[]).map((grant) => [grant['grantId'], grant['state']])).toEqual([
      ['g5', 'active'],
      ['g4', 'active'],
      ['g3', 'active'],
      ['g2', 'expired'],
      ['g1', 'active'],
    ]);
    expect(rest.next).toBeNull();
  });

  it('limits in force, with the last window in which they were passed', async () => {
    expect(await ask(projectionSubjects.limits('acc_life'))).toMatchObject({
      limits: [
        { limitId: 'whole', scope: { type: 'account' }, amount: '40', warnedPeriod: null },
        {
          limitId: 'per-key',
          scope: { type: 'key', id: 'k1' },
          window: 'month',
          unit: 'credits',
          mode: 'soft',
          amount: '2',
          warnedPeriod: '2026-11',
          warnedUsed: '12',
        },
      ],
      next: null,
    });
  });

  it('the tier in force, voids, adjustments and freezes with a balance', async () => {
    expect(await ask(projectionSubjects.balance('acc_life'))).toMatchObject({
      tier: 'enterprise',
      frozen: false,
      voided: '14.5',
      adjusted: '111',
      debt: '85',
    });
  });

  it('due work of sound accounts, the longest overdue first, page after page', async () => {
    const due = (at: string, more: object = {}): Promise<Reply> =>
      ask(projectionSubjects.due, { at, ...more });
    expect(await due('2026-11-20T10:00:00Z')).toMatchObject({ due: [] });
    const at = '2026-12-01T00:00:00Z';
    const expected = [
      { accountId: 'acc_lapse', kind: 'grant', id: 'g1' },
      { accountId: 'acc_calls', kind: 'reservation', id: 'r5' },
      { accountId: 'acc_lapse', kind: 'reservation', id: 'r3' },
      { accountId: 'acc_life', kind: 'recurring', id: 'monthly' },
    ];
    expect(await due(at)).toMatchObject({ due: expected, next: null });
    const first = await due(at, { limit: 2 });
    expect(first).toMatchObject({ due: expected.slice(0, 2) });
    expect(await due(at, { limit: 3, after: first.next })).toMatchObject({
      due: expected.slice(2),
      next: null,
    });
  });

  it.each([
    ['acc_calls', 'r1', [3, 5], 14],
    ['acc_calls', 'r2', [4, 6], 14],
    ['acc_calls', 'r3', [7, 8, 9, 10], 14],
    ['acc_calls', 'r4', [11, 12, 13], 14],
    ['acc_calls', 'r5', [14], 14],
    ['acc_calls', 'r6', [], 14],
    ['acc_nobody', 'r1', [], -1],
  ])('where the events of %s’s %s stand', async (accountId, id, revisions, indexedRevision) => {
    expect(await ask(projectionSubjects.recall(accountId), { id })).toEqual({
      revisions,
      indexedRevision,
    });
  });

  it('a trial balance that comes to zero', async () => {
    const reply = await ask(projectionSubjects.trialBalance);
    const accounts = reply['accounts'] as { account: string; balance: string }[];
    expect(accounts).toHaveLength(11);
    expect(formatMoney(sumMoney(accounts.map(({ balance }) => parseMoney(balance))))).toBe('0');
    const later = await ask(projectionSubjects.trialBalance, { from: '2027-01-01' });
    expect(later).toMatchObject({ accounts: [] });
  });

  it('margins and daily summaries of a range of days', async () => {
    expect(
      await ask(projectionSubjects.marginByTier, { from: '2026-11-20', to: '2026-11-20' }),
    ).toMatchObject({
      margins: [{ tier: 'pro', calls: 8, marginPercent: expect.any(String) as string }],
      stale: true,
    });
    const days = await ask(projectionSubjects.dailySummaries, { limit: 1 });
    expect(days).toMatchObject({
      days: [
        { localDate: '2026-11-20', accountId: 'acc_life', tier: 'pro', refundedCredits: '4.5' },
      ],
    });
    const more = await ask(projectionSubjects.dailySummaries, { limit: 500, before: days.next });
    expect((more['days'] as Reply[]).map((day) => day['accountId'])).toEqual([
      'acc_life',
      'acc_lapse',
      'acc_debt',
      'acc_debt',
      'acc_calls',
    ]);
    const one = await ask(projectionSubjects.dailySummaries, { accountId: 'acc_debt' });
    expect(one).toMatchObject({
      days: [
        { accountId: 'acc_debt', tier: 'pro', chargeCredits: '9.5' },
        { accountId: 'acc_debt', tier: 'free', chargeCredits: '0', adjustedCredits: '1' },
      ],
      next: null,
    });
  });

  it('reads of a parked account as stale', async () => {
    expect(await ask(projectionSubjects.transactions('acc_parked'))).toMatchObject({ stale: true });
    expect(await ask(projectionSubjects.transactions('acc_calls'))).toMatchObject({ stale: false });
  });

  it.each<[string, unknown]>([
    [projectionSubjects.usage('acc_calls'), { limit: 0 }],
    [projectionSubjects.usage('acc_calls'), { before: `1' OR 1=1` }],
    [projectionSubjects.usage('acc%'), {}],
    [projectionSubjects.transactions('acc_calls'), { before: '1' }],
    [projectionSubjects.dailySummaries, { from: 'yesterday' }],
    [projectionSubjects.dailySummaries, { before: '2026-11-20' }],
    [projectionSubjects.due, {}],
    [projectionSubjects.due, []],
    [projectionSubjects.due, { at: '2026-12-01T00:00:00Z', after: 'r5' }],
    [projectionSubjects.recall('acc_calls'), { id: `' OR 1=1` }],
  ])('%s %j with a typed refusal', async (subject, body) => {
    expect(await ask(subject, body)).toMatchObject({
      status: 'refused',
      reason: 'invalid-request',
    });
  });
});
