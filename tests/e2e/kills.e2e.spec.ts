import { isDeepStrictEqual } from 'node:util';
import { waitUntil } from '@tollkeeper/servers';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareWithInvoice, endingsOf } from '../support/books.js';
import { balanceOf, chat, complete, type CompletionAnswer } from '../support/completions.js';
import { moneyFaults, VendorInvoice } from '../support/money-invariants.js';
import { startStack, type Stack } from '../support/stack.js';

const callers = 200;
/** `npm run test:faults` asks for more. */
const kills = Number(process.env['KILLS'] ?? 1);
const victims = (process.env['VICTIMS'] ?? 'credit,projection,gateway,nats,postgres').split(',');
const everyKill = victims.flatMap((victim) => Array.from({ length: kills }, () => victim));

describe('a service that is killed while two hundred completions are in flight', () => {
  let stack: Stack;
  beforeAll(async () => (stack = await startStack()), 120_000);
  afterAll(() => stack.stop(), 60_000);

  it.each(everyKill)(
    '%s comes back by itself, and every call is charged exactly once or given back',
    async (victim) => {
      const { accountId, apiKey } = await stack.openAccount('100000');
      await stack.simulator({ latencyMs: 600, outputTokens: 25 });
      const calls = Promise.allSettled(
        Array.from({ length: callers }, () => complete(stack, apiKey, chat)),
      );
      const pid = stack.ready().pids[victim] ?? NaN;
      await waitUntil(
        async () =>
          (await stack.eventsOf(accountId)).filter((e) => e.type === 'Reserved').length >= 20,
        { timeoutMs: 20_000 },
      );
      process.kill(pid, 'SIGKILL');
      const killedAt = performance.now();
      const answers = (await calls)
        .filter(
          (call): call is PromiseFulfilledResult<CompletionAnswer> => call.status === 'fulfilled',
        )
        .map((call) => call.value)
        .filter((answer) => answer.status === 200);

      await waitUntil(() => stack.ready().pids[victim] !== pid, { timeoutMs: 30_000 });
      const backMs = performance.now() - killedAt;
      const open = async (): Promise<string[]> =>
        [...endingsOf(await stack.eventsOf(accountId)).values()]
          .filter((ending) => ending.ends.length === 0)
          .map((ending) => ending.reservationId);
      await waitUntil(async () => (await open()).length === 0, {
        timeoutMs: 60_000,
        intervalMs: 250,
      });
      expect(await open()).toEqual([]);
      await waitUntil(async () => (await balanceOf(stack, apiKey)).reserved === '0', {
        timeoutMs: 20_000,
      });

      const endings = endingsOf(await stack.eventsOf(accountId));
      for (const ending of endings.values()) {
        expect([['Settled'], ['Released'], ['Released', 'SettledLate']]).toContainEqual(
          ending.ends,
        );
      }
      for (const answer of answers) {
        const charged = [...endings.values()].filter((ending) =>
          ending.attempts.some((attempt) => attempt.vendorRequestId === answer.body.id),
        );
        expect(charged).toHaveLength(1);
        if (answer.body.usage?.charge_status === 'settled') {
          expect(charged[0]?.chargeCredits).toBe(answer.body.usage.charge_credits);
        }
      }
      const invoice = await compareWithInvoice(stack, endings);
      expect(invoice.disagreements).toEqual([]);
      console.log(
        `${victim}: back after ${backMs.toFixed(0)} ms; ${String(endings.size)} reserved, ${String(answers.length)} delivered, invoice agrees on ${String(invoice.agreed)}, ${String(invoice.flagged)} flagged`,
      );

      let proof = await stack.tollRaw('audit', 'verify');
      await waitUntil(
        async () => {
          proof = await stack.tollRaw('audit', 'verify');
          return proof.code === 0;
        },
        { timeoutMs: 15_000, intervalMs: 500 },
      );
      expect(proof).toMatchObject({ code: 0 });
      const database = new pg.Pool({ connectionString: stack.ready().databaseUrl, max: 1 });
      expect(await moneyFaults(database, new VendorInvoice(), [])).toEqual([]);
      await database.end();
      expect(isDeepStrictEqual((await balanceOf(stack, apiKey)).reserved, '0')).toBe(true);
    },
    180_000,
  );
});
