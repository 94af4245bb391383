import { parseMoney } from '@tollkeeper/kernel';
import { randomFrom, seedFor } from '@tollkeeper/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveStream } from '../support/account-stream.js';
import { startLedgerPlatform, type LedgerPlatform } from '../support/ledger-platform.js';
import {
  openLedgerPort,
  sendUntilAnswered,
  type LedgerPort,
  type LedgerReply,
} from '../support/ledger-port.js';
import { checkHistories } from './check-histories.js';

/** `npm run test:faults` asks for more. */
const creditInstances = Number(process.env['CREDIT_INSTANCES'] ?? 1);
const histories = Number(process.env['HISTORIES'] ?? 200);
const accounts = Number(process.env['ACCOUNTS'] ?? 300);

const kurrentdbUrl = process.env['KURRENTDB_URL'];
const stores = [
  { store: 'PostgreSQL', url: undefined },
  ...(kurrentdbUrl === undefined ? [] : [{ store: 'KurrentDB', url: kurrentdbUrl }]),
];
const persistence = { tryMs: 10_000, giveUpAfterMs: 60_000 };

describe.each(stores)('the ledger on $store', ({ url }) => {
  let platform: LedgerPlatform;
  let ledger: LedgerPort;
  const random = randomFrom(seedFor('concurrency'));
  const run = random.int(0, 1e9).toString(36);
  const send = async (
    accountId: string,
    command: Parameters<LedgerPort['send']>[1],
  ): Promise<LedgerReply> => {
    const reply = await sendUntilAnswered(ledger, accountId, command, persistence);
    if (!reply) throw new Error(`no answer to ${command.verb}`);
    return reply;
  };
  const open = async (accountId: string, amountCredits: string): Promise<void> => {
    const owner = { ownerUserId: 'usr_1', tier: 'pro' } as const;
    await send(accountId, { verb: 'open', id: `open_${accountId}`, body: owner });
    await send(accountId, { verb: 'grant', id: `grant_${accountId}`, body: { amountCredits } });
  };

  beforeAll(async () => {
    platform = await startLedgerPlatform({ creditInstances, kurrentdbUrl: url });
    ledger = await openLedgerPort(platform.natsUrl);
  }, 120_000);
  afterAll(async () => {
    await ledger.close();
    // Instances that end and come back would still answer rightly, and be one instance most of the time.
    const lives = [...platform.processes.values()].map((each) => [each.name, each.lives()]);
    await platform.stop();
    for (const [name, count] of lives) expect(count, `lives of ${String(name)}`).toBe(1);
  }, 60_000);

  it('serves of five hundred callers on one account exactly those whom the credits cover', async () => {
    const accountId = `hot_${run}`;
    await open(accountId, '100');
    const ids = Array.from({ length: 500 }, (_, n) => `r${String(n)}`);
    const replies = await Promise.all(
      ids.map((id) => send(accountId, { verb: 'reserve', id, body: { amountCredits: '1' } })),
    );
    const served = ids.filter((_, n) => replies[n]?.['status'] === 'accepted');
    expect(served).toHaveLength(100);
    const refusals = replies.filter((reply) => reply['reason'] === 'insufficient-credits');
    expect(refusals).toHaveLength(400);

    const settles = await Promise.all(
      served.map((reservationId, n) =>
        send(accountId, {
          verb: 'settle',
          id: `settle_${reservationId}`,
          body: { reservationId, amountCredits: n % 2 === 0 ? '1' : '0.5' },
        }),
      ),
    );
    expect(settles.filter((reply) => reply['status'] !== 'accepted')).toEqual([]);
    const proven = await proveStream(await platform.store(), accountId);
    expect([...proven.reservations.keys()].sort()).toEqual([...served].sort());
    expect(proven.openReservations).toEqual([]);
    expect(proven.chargedCredits.toFixed()).toBe('75');
    expect(await send(accountId, { verb: 'balance' })).toMatchObject({
      balance: '25',
      reserved: '0',
    });
  }, 120_000);

  it('loses no reservation and overspends nothing for sixty-four callers on many accounts', async () => {
    const ids = Array.from({ length: accounts }, (_, n) => `many_${run}_${String(n)}`);
    const charged = new Map(ids.map((id) => [id, parseMoney('0')]));
    const ends = new Map<string, string[]>(ids.map((id) => [id, []]));
    let opening = 0;
    const opener = async (): Promise<void> => {
      for (let id = ids[opening++]; id !== undefined; id = ids[opening++]) await open(id, '5');
    };
    await Promise.all(Array.from({ length: 64 }, opener));
    let left = accounts * 8;
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const accountId = random.pick(ids);
        const id = `r${String(left)}`;
        const asked = { amountCredits: String(random.int(1, 3)) };
        const reserved = await send(accountId, { verb: 'reserve', id, body: asked });
        if (reserved['status'] !== 'accepted') {
          expect(reserved['reason']).toBe('insufficient-credits');
          continue;
        }
        ends.get(accountId)?.push(id);
        const settles = random.int(0, 2) > 0;
        const body = { reservationId: id, ...(settles ? asked : { reason: 'failed' as const }) };
        const end = await send(
          accountId,
          settles
            ? { verb: 'settle', id: `e${id}`, body }
            : { verb: 'release', id: `e${id}`, body: { reservationId: id, reason: 'failed' } },
        );
        expect(end).toMatchObject({ status: 'accepted' });
        if (settles) {
          charged.set(
            accountId,
            (charged.get(accountId) ?? parseMoney('0')).plus(asked.amountCredits),
          );
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, caller));
    const store = await platform.store();
    for (const accountId of ids) {
      const proven = await proveStream(store, accountId);
      expect([...proven.reservations.keys()].sort()).toEqual(ends.get(accountId)?.sort());
      expect(proven.openReservations).toEqual([]);
      expect(proven.chargedCredits.toFixed()).toBe(charged.get(accountId)?.toFixed());
      expect(proven.debtCredits.isZero()).toBe(true);
    }
  }, 600_000);

  it(
    'answers so that one order of each account’s commands explains it',
    async () => {
      const checked = await checkHistories(ledger, random, {
        goOn: (begun) => begun < histories,
      });
      console.log(
        `${String(checked.histories)} histories, ${String(checked.operations)} operations, ${String(checked.unanswered)} without an answer`,
      );
      expect(checked.wrong).toEqual([]);
    },
    600_000 + histories * 1_000,
  );
});
