import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attempt } from '@tollkeeper/contracts';
import { NoReplyError, NoResponderError } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InFlightJournal, type InFlightCall } from '../in-flight/in-flight-journal.js';
import { Recovery } from '../in-flight/recovery.js';
import { SpoolDrain } from '../spool/spool-drain.js';
import { Spool } from '../spool/spool.js';
import { releaseIdOf, settleIdOf } from './command-ids.js';
import { Endings } from './endings.js';
import { Ledger, type CommandSender } from './ledger.js';

type Command = Parameters<CommandSender['send']>[0];
type Answer = (command: Command, nth: number) => unknown;

const id = '01a1f9cf-c8f3-722d-b06d-395194daa340';
const of = { reservationId: id, accountId: 'acc1', correlationId: 'req-1' };
const attempts: Attempt[] = [
  { provider: 'openai', model: 'gpt-4o', usage: { input: 4, output: 16 } },
];
const settled = { status: 'accepted', reservationId: id, chargeCredits: '0.3', costUsd: '0.002' };
const refused = (reason: string, retryable = false) => ({
  status: 'refused',
  reason,
  message: reason,
  retryable,
});
const silent: Answer = () => {
  throw new NoReplyError('no answer');
};

const call: InFlightCall = {
  reservationId: id,
  accountId: 'acc1',
  candidates: [{ provider: 'openai', model: 'gpt-4o' }],
  inputTokens: 41,
  outputTokens: 100,
  choices: 2,
  deadlineMs: Date.now() - 60_000,
};

let dir: string;
let stops: (() => unknown)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'toll-endings-'));
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
  rmSync(dir, { recursive: true });
});

const world = async (answer: Answer) => {
  const sent: Command[] = [];
  const lines: string[] = [];
  const answers = { with: answer };
  const sender: CommandSender = {
    send: async (command) => {
      sent.push(command);
      await Promise.resolve();
      return answers.with(command, sent.length);
    },
  };
  const log = (level: number) => (fields: object, msg: string) =>
    void lines.push(JSON.stringify({ level, msg, ...fields }));
  const logger = { info: log(30), warn: log(40), error: log(50) } as unknown as Logger;
  const journal = new InFlightJournal(join(dir, 'in-flight'), () => undefined);
  const spool = await Spool.open(join(dir, 'spool'));
  const ledger = new Ledger(sender, 300);
  const endings = new Endings(ledger, journal, spool, logger, 300);
  const drain = new SpoolDrain(spool, ledger, journal, logger);
  const recovery = new Recovery(journal, spool, ledger, logger);
  stops.push(
    () => journal.close(),
    () => spool.close(),
    () => drain.stop(),
    () => recovery.stop(),
  );
  return { sent, lines, answers, journal, spool, ledger, endings, drain, recovery };
};

describe('a settle', () => {
  it('is over when the ledger has it', async () => {
    const { endings, journal, spool } = await world(() => settled);
    journal.reserving([call]);
    await expect(endings.settle(of, attempts)).resolves.toMatchObject({ chargeCredits: '0.3' });
    expect(journal.size).toBe(0);
    expect(spool.size).toBe(0);
  });

  it('is tried again, by the same id, while nobody serves the lane', async () => {
    const { endings, sent } = await world((_command, nth) => {
      if (nth === 1) throw new NoResponderError('restarting');
      return settled;
    });
    await expect(endings.settle(of, attempts)).resolves.toBeDefined();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[0]?.body).toMatchObject({ commandId: settleIdOf(id), correlationId: 'req-1' });
  });

  it('that gets no answer in time is on disk before the client is told, with all it takes to post it', async () => {
    const { endings, journal, spool, lines } = await world(silent);
    journal.reserving([call]);
    const started = performance.now();
    await expect(endings.settle(of, attempts)).resolves.toBeUndefined();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(spool.has(id)).toBe(true);
    expect(journal.size).toBe(0);
    const line = lines.find((each) => each.includes('CRITICAL_BILLING_ERROR')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      level: 50,
      ending: { verb: 'settle', accountId: 'acc1', body: { reservationId: id, attempts } },
    });
  });

  it('that was spooled is drained by its id, once the ledger is back', async () => {
    const { endings, spool, drain, sent, answers } = await world(silent);
    await endings.settle(of, attempts);
    const first = sent[0];
    answers.with = () => settled;
    sent.length = 0;
    drain.start();
    await expect.poll(() => spool.size, { timeout: 5_000 }).toBe(0);
    expect(sent).toEqual([first]);
  });

  it('whose drain is refused is kept beside and reported, never dropped', async () => {
    const { endings, spool, drain, answers, lines } = await world(silent);
    await endings.settle(of, attempts);
    answers.with = () => refused('replay-mismatch');
    drain.start();
    await expect.poll(() => spool.refused, { timeout: 5_000 }).toBe(1);
    expect(readFileSync(join(dir, 'spool', 'refused.jsonl'), 'utf8')).toContain(id);
    expect(lines.filter((line) => line.includes('CRITICAL_BILLING_ERROR'))).toHaveLength(2);
  });

  it('that the ledger cannot take at the moment stays in the spool', async () => {
    const { endings, spool, drain, answers } = await world(() =>
      refused('store-unavailable', true),
    );
    await expect(endings.settle(of, attempts)).resolves.toBeUndefined();
    expect(spool.has(id)).toBe(true);
    answers.with = () => settled;
    drain.start();
    await expect.poll(() => spool.size, { timeout: 5_000 }).toBe(0);
    expect(spool.refused).toBe(0);
  });

  it('that cannot even be spooled stays in the journal for the next start', async () => {
    const { endings, journal, spool, lines } = await world(silent);
    journal.reserving([call]);
    const broken = { write: () => Promise.reject(new Error('ENOSPC')), close: () => real.close() };
    const real = Reflect.get(spool, 'file') as { close: () => Promise<void> };
    Reflect.set(spool, 'file', broken);
    await expect(endings.settle(of, attempts)).resolves.toBeUndefined();
    expect(journal.size).toBe(1);
    expect(spool.broken).toContain('ENOSPC');
    expect(lines.filter((line) => line.includes('CRITICAL_BILLING_ERROR'))).toHaveLength(2);
    await spool.probe();
  });
});

describe('a release', () => {
  it('that gets no answer is spooled too, since a restart would settle the call otherwise', async () => {
    const { endings, spool } = await world(silent);
    await endings.release(of, 'failed');
    expect(spool.records()).toMatchObject([
      { ending: { verb: 'release', body: { commandId: releaseIdOf(id), reason: 'failed' } } },
    ]);
  });
});

describe('the recovery after a restart', () => {
  const leave = async (dispatched: boolean): Promise<void> => {
    const journal = new InFlightJournal(join(dir, 'in-flight'), () => undefined);
    journal.reserving([call]);
    if (dispatched) await journal.dispatched(id, 0, 80);
    journal.close();
  };

  it('releases what was never dispatched', async () => {
    await leave(false);
    const { recovery, journal, sent } = await world(() => ({ status: 'accepted' }));
    recovery.start();
    await expect.poll(() => journal.size).toBe(0);
    expect(sent).toMatchObject([
      { verb: 'release', accountId: 'acc1', body: { reservationId: id, reason: 'cancelled' } },
    ]);
  });

  it('settles what was dispatched at its bound, marked as estimated', async () => {
    await leave(true);
    const { recovery, journal, sent } = await world(() => settled);
    recovery.start();
    await expect.poll(() => journal.size).toBe(0);
    expect(sent).toMatchObject([
      {
        verb: 'settle',
        body: {
          commandId: settleIdOf(id),
          attempts: [
            { model: 'gpt-4o', provenance: 'estimated', usage: { input: 41, output: 160 } },
          ],
        },
      },
    ]);
  });

  it.each(['reservation-closed', 'replay-mismatch'])(
    'takes %s for an end that was not noted',
    async (reason) => {
      await leave(true);
      const { recovery, journal, lines } = await world(() => refused(reason));
      recovery.start();
      await expect.poll(() => journal.size).toBe(0);
      expect(lines.join('')).not.toContain('CRITICAL');
    },
  );

  it('leaves to the spool what is in the spool', async () => {
    await leave(true);
    const before = await Spool.open(join(dir, 'spool'));
    await before.add({
      ending: { verb: 'settle', accountId: 'acc1', body: { reservationId: id, attempts } },
      spooledAt: '',
    });
    await before.close();
    const { recovery, journal, sent } = await world(() => settled);
    recovery.start();
    expect(journal.size).toBe(0);
    expect(sent).toEqual([]);
  });

  it('goes on trying while nobody answers, and survives being stopped in the middle', async () => {
    await leave(true);
    const first = await world(silent);
    first.recovery.start();
    await expect.poll(() => first.sent.length).toBeGreaterThan(0);
    await first.recovery.stop();
    expect(first.journal.size).toBe(1);
    const second = await world(() => settled);
    second.recovery.start();
    await expect.poll(() => second.journal.size).toBe(0);
  });

  it('releases a reserve that got no answer until its deadline has passed, so that none can follow', async () => {
    const { recovery, journal, sent } = await world(() => refused('unknown-reservation'));
    const deadlineMs = Date.now() - 1_500;
    journal.reserving([{ ...call, deadlineMs }]);
    recovery.abandon({ ...call, deadlineMs });
    await expect.poll(() => journal.size, { timeout: 5_000 }).toBe(0);
    expect(sent.length).toBeGreaterThan(1);
    expect(new Set(sent.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });
});
