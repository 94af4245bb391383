import { creditSubjects } from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import {
  startEphemeralNats,
  startEphemeralPostgres,
  waitUntil,
  type RunningNats,
  type RunningPostgres,
} from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type ServiceProcess } from '../support/service-process.js';

describe('a credit service that was restarted', () => {
  let nats: RunningNats;
  let postgres: RunningPostgres;
  let connection: NatsConnection;
  const running = new Map<string, ServiceProcess>();

  const start = async (name: 'pricing' | 'credit' | 'projection'): Promise<void> => {
    const env = { DATABASE_URL: postgres.url, NATS_URL: nats.url(name), LOG_LEVEL: 'warn' };
    running.set(name, await startService(name, env));
  };
  const ask = (subject: string, body: object): Promise<unknown> =>
    request(connection, subject, body, { timeoutMs: 20_000 });

  beforeAll(async () => {
    [nats, postgres] = await Promise.all([
      startEphemeralNats(),
      startEphemeralPostgres({ durable: true }),
    ]);
    connection = await connectNats({ url: nats.url('operator'), name: 'recall' });
    for (const name of ['pricing', 'credit', 'projection'] as const) await start(name);
  }, 240_000);
  afterAll(async () => {
    await connection.close();
    for (const service of running.values()) await service.stop();
    await postgres.stop();
    await nats.stop();
  }, 60_000);

  it('begins at its snapshot, and answers what has closed before as it did the first time', async () => {
    const open = { commandId: 'open', ownerUserId: 'usr_1', tier: 'pro' };
    await ask(creditSubjects.open('acc'), open);
    await ask(creditSubjects.grant('acc'), { commandId: 'grant', amountCredits: '100' });
    const charges = Array.from({ length: 40 }, () => ({ commandId: uuidv7(), amountCredits: '1' }));
    const first: unknown[] = [];
    for (const charge of charges) first.push(await ask(creditSubjects.charge('acc'), charge));
    expect(first[0]).toMatchObject({ status: 'accepted', chargeCredits: '1' });

    await running.get('projection')?.stop();
    await running.get('credit')?.stop();
    await start('credit');
    const again = (): Promise<unknown> => ask(creditSubjects.charge('acc'), charges[3] ?? {});
    expect(await again()).toMatchObject({ reason: 'index-behind', retryable: true });
    const fresh = { commandId: uuidv7(), amountCredits: '1' };
    expect(await ask(creditSubjects.charge('acc'), fresh)).toMatchObject({ status: 'accepted' });

    await start('projection');
    let reply: unknown;
    const known = async (): Promise<boolean> => {
      reply = await again();
      return !JSON.stringify(reply).includes('index-behind');
    };
    await waitUntil(known, { timeoutMs: 60_000, intervalMs: 200 });
    expect(reply).toEqual(first[3]);
    const other = { ...charges[3], amountCredits: '2' };
    expect(await ask(creditSubjects.charge('acc'), other)).toMatchObject({
      reason: 'replay-mismatch',
    });
    expect(await ask(creditSubjects.balance('acc'), {})).toMatchObject({ balance: '59' });
  }, 240_000);
});
