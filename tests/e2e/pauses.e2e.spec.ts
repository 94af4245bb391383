import { waitUntil } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareWithInvoice, endingsOf, invoiceOf } from '../support/books.js';
import { balanceOf, chat, complete } from '../support/completions.js';
import { signalTree } from '../support/kept-running.js';
import { startStack, type Stack } from '../support/stack.js';

const callers = 20;
/** `npm run test:faults` asks for more. */
const victims = (process.env['PAUSED'] ?? 'credit').split(',');

describe('a process that stands still while completions are asked for', () => {
  let stack: Stack;
  beforeAll(async () => (stack = await startStack()), 120_000);
  afterAll(() => stack.stop(), 60_000);

  it.each(victims)(
    '%s: nobody is served for free, callers are told when to try again, and it goes on by itself',
    async (victim) => {
      const { accountId, apiKey } = await stack.openAccount('100000');
      await stack.simulator({ latencyMs: 20, outputTokens: 25 });
      expect((await complete(stack, apiKey, chat)).status).toBe(200);
      const billed = (await invoiceOf(stack)).length;

      const pid = stack.ready().pids[victim] ?? NaN;
      signalTree(pid, 'SIGSTOP');
      const answers = await Promise.all(
        Array.from({ length: callers }, () => complete(stack, apiKey, chat)),
      ).finally(() => signalTree(pid, 'SIGCONT'));
      for (const { status, headers } of answers) {
        expect(status).toBe(503);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
      expect(await invoiceOf(stack)).toHaveLength(billed);

      const isServed = async (): Promise<boolean> =>
        (await complete(stack, apiKey, chat)).status === 200;
      expect(await waitUntil(isServed, { timeoutMs: 60_000, intervalMs: 250 })).toBe(true);
      const isClosed = async (): Promise<boolean> =>
        (await balanceOf(stack, apiKey)).reserved === '0';
      expect(await waitUntil(isClosed, { timeoutMs: 60_000, intervalMs: 250 })).toBe(true);
      const endings = endingsOf(await stack.eventsOf(accountId));
      for (const { ends } of endings.values()) {
        expect([['Settled'], ['Released']]).toContainEqual(ends);
      }
      expect((await compareWithInvoice(stack, endings)).disagreements).toEqual([]);
    },
    180_000,
  );
});
