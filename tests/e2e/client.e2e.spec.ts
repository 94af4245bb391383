import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TollkeeperClient } from '@tollkeeper/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packClient, type PackedClient } from '../support/packed-client.js';
import { root } from '../support/root.js';
import { startStack, type Stack } from '../support/stack.js';

const readme = readFileSync(join(root, 'shared/client/README.md'), 'utf8');
const [quickStart = '', administration = '', sendLater = ''] = [
  ...readme.matchAll(/```js\n(.*?)```/gs),
].map(([, source]) => source);

const gpt = { provider: 'openai', model: 'gpt-4o' };
const attempts = [{ ...gpt, usage: { input: 900, output: 50 } }];
const completion = { candidates: [gpt], bounds: { inputTokens: 1000, outputTokens: 100 } };

describe(
  'the TypeScript client, as other platform services install it',
  { timeout: 120_000 },
  () => {
    let packed: PackedClient;
    let stack: Stack;
    let urls: { readonly platform: string; readonly operator: string };
    let toll: TollkeeperClient;
    let admin: TollkeeperClient;

    beforeAll(async () => {
      packed = await packClient();
      // So that each account holds what its case grants, and no more.
      stack = await startStack({ INITIAL_GRANT_USD: '0' });
      const urlOf = async (user: string): Promise<string> =>
        (await stack.toll<{ natsUrl: string }>('nats-url', user)).natsUrl;
      urls = { platform: await urlOf('platform'), operator: await urlOf('operator') };
      const { connectTollkeeper } = await packed.load();
      // A restarted service gets as long as a slow machine needs.
      toll = await connectTollkeeper({ servers: urls.platform, name: 'e2e', timeoutMs: 60_000 });
      admin = await connectTollkeeper({ servers: urls.operator, name: 'e2e', timeoutMs: 60_000 });
    }, 180_000);
    afterAll(async () => {
      await Promise.all([toll.close(), admin.close()]);
      await stack.stop();
      await packed.remove();
    }, 60_000);

    let users = 0;
    /** A user with a personal account that holds so many credits. */
    const newUser = async (
      amountCredits: string,
    ): Promise<{ userId: string; accountId: string }> => {
      const userId = `user_${String(users++)}`;
      const { accountId } = await admin.openPersonalAccount(userId, { tier: 'pro' });
      await admin.grant({ userId }, { amountCredits, kind: 'purchase' });
      return { userId, accountId };
    };
    const typesOf = async (accountId: string): Promise<string[]> =>
      (await stack.eventsOf(accountId)).map((event) => event.type);
    const killCredit = (): void => {
      process.kill(stack.ready().pids['credit'] ?? 0, 'SIGKILL');
    };

    it('needs public packages only', () => {
      expect(Object.keys(packed.manifest.dependencies).sort()).toEqual([
        '@nats-io/transport-node',
        'decimal.js',
        'zod',
      ]);
    });

    it('works from plain scripts outside the repository: those of its README', async () => {
      const env = { TOLLKEEPER_URL: urls.platform, TOLLKEEPER_ADMIN_URL: urls.operator };
      await packed.script(administration, env);
      const vendor = `const callTheVendor = async ({ maxTokens }) =>
      ({ text: 'up to ' + maxTokens + ' tokens', usage: { input: 900, output: 50 } });\n`;
      const printed = await packed.script(vendor + quickStart, env);
      // 900 × 2.5 and 50 × 10 USD for a million tokens; pro: × 1.5; a credit is 0.01 USD.
      expect(printed).toBe('up to 100 tokens cost 0.4125 credits\n');
      expect(await toll.balance({ userId: 'user_42' })).toMatchObject({
        accountId: 'personal_user_42',
        ownerUserId: 'user_42',
        reserved: '0',
      });

      const error = { settlement: await unsettled() };
      const later = `import { connectTollkeeper } from '@tollkeeper/client';
      const toll = await connectTollkeeper({ servers: process.env.TOLLKEEPER_URL });
      const error = JSON.parse(process.env.ERROR);
      ${sendLater}
      console.log((await toll.balance(error.settlement.accountId)).reserved);
      await toll.close();`;
      expect(await packed.script(later, { ...env, ERROR: JSON.stringify(error) })).toBe('0\n');
    });

    /** What a SettlementPendingError holds, for a reservation that is open. */
    const unsettled = async (): Promise<object> => {
      const { accountId } = await newUser('10');
      const { reservationId } = await toll.reserve(accountId, completion);
      return { accountId, commandId: crypto.randomUUID(), request: { reservationId, attempts } };
    };

    it('is typed by itself, and takes no number for money', async () => {
      const consumer = `import { connectTollkeeper, RefusedError, type Settlement } from '@tollkeeper/client';
      const toll = await connectTollkeeper({ servers: 'nats://127.0.0.1:4222' });
      const settled: Settlement = await toll.charge({ userId: 'u' }, { amountCredits: '1.5' });
      // @ts-expect-error -- a number is no amount
      await toll.charge('acc', { amountCredits: 1.5 });
      // @ts-expect-error -- one or the other
      await toll.settle('acc', { reservationId: 'r', attempts: [], amountCredits: '1' });
      const done = await toll.withReservation('acc', { amountCredits: '1' }, async (reservation) => {
        reservation.vendorCalled();
        return { value: 42 as const, amountCredits: reservation.amountCredits };
      });
      export const value: 42 = done.value;
      export const charge: string | undefined = done.settlement?.chargeCredits;
      export const reason = (error: unknown) => (error instanceof RefusedError ? error.reason : settled.costUsd);`;
      await writeFile(join(packed.folder, 'consumer.mts'), consumer);
      const flags =
        '--noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2023'.split(
          ' ',
        );
      const own = ['--lib', 'es2023,dom', '--skipDefaultLibCheck', 'consumer.mts'];
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const checked = await promisify(execFile)(process.execPath, [tsc, ...flags, ...own], {
        cwd: packed.folder,
      }).then(
        () => '',
        (failure: unknown) => (failure as { stdout: string }).stdout,
      );
      expect(checked).toBe('');
    });

    it('reserves, settles and releases, and the balance is exact at every step', async () => {
      const { userId, accountId } = await newUser('10');
      const first = await toll.reserve({ userId }, { ...completion, projectId: 'prj_7' });
      expect(first).toMatchObject({ accountId, amountCredits: '0.525', outputTokens: 100 });
      expect(await toll.balance(accountId)).toMatchObject({
        available: '9.475',
        reserved: '0.525',
      });
      const { reservationId } = first;
      const settlement = await toll.settle({ userId }, { reservationId, attempts });
      expect(settlement).toMatchObject({
        reservationId,
        chargeCredits: '0.4125',
        multiplier: '1.5',
      });

      const second = await toll.reserve(accountId, { amountCredits: '3' });
      await toll.release(accountId, { reservationId: second.reservationId, reason: 'cancelled' });
      const third = await toll.reserve(accountId, { amountCredits: '3' });
      const request = { reservationId: third.reservationId, amountCredits: '2.5' };
      expect(await toll.settle(accountId, request)).toMatchObject({ chargeCredits: '2.5' });
      expect(await toll.balance(accountId)).toMatchObject({
        balance: '7.0875',
        available: '7.0875',
        reserved: '0',
      });
      expect(
        (await typesOf(accountId)).filter((type) => /^(Reserved|Settled|Released)$/.test(type)),
      ).toEqual(['Reserved', 'Settled', 'Reserved', 'Released', 'Reserved', 'Settled']);
    });

    it('tells refusals apart, with what their reader needs', async () => {
      const { userId } = await newUser('10');
      await expect(toll.charge({ userId }, { amountCredits: '10.5' })).rejects.toMatchObject({
        name: 'InsufficientCreditsError',
        reason: 'insufficient-credits',
        balance: '10',
        available: '10',
        required: '10.5',
        suggestions: [{ action: 'top-up', credits: '0.5' }, {}],
      });
      await expect(toll.balance('acc_of_nobody')).rejects.toMatchObject({
        name: 'UnknownAccountError',
        outcome: 'not-carried-out',
      });
      const unpriced = { ...completion, candidates: [{ provider: 'openai', model: 'no-such' }] };
      await expect(toll.reserve({ userId }, unpriced)).rejects.toMatchObject({
        name: 'UnknownPriceError',
      });
      const options = { commandId: crypto.randomUUID() };
      const once = await toll.charge({ userId }, { amountCredits: '2' }, options);
      expect(await toll.charge({ userId }, { amountCredits: '2.0' }, options)).toEqual(once);
      await expect(toll.charge({ userId }, { amountCredits: '3' }, options)).rejects.toMatchObject({
        name: 'ReplayMismatchError',
      });
      await expect(toll.grant({ userId }, { amountCredits: '1' })).rejects.toMatchObject({
        name: 'NotPermittedError',
      });
      expect(await toll.balance({ userId })).toMatchObject({ balance: '8' });
    });

    it('opens a personal account once', async () => {
      const { userId, accountId } = await newUser('1');
      expect(await admin.openPersonalAccount(userId)).toEqual({ accountId, opened: false });
    });

    it('settles once though the service is killed while the work is done', async () => {
      const { userId, accountId } = await newUser('10');
      const { value, settlement } = await toll.withReservation(
        { userId },
        completion,
        (reservation) => {
          reservation.vendorCalled(gpt);
          killCredit();
          return Promise.resolve({ value: 'hello', attempts });
        },
      );
      expect(value).toBe('hello');
      expect(settlement).toMatchObject({ chargeCredits: '0.4125' });
      expect(await toll.balance(accountId)).toMatchObject({ balance: '9.5875', reserved: '0' });
      expect((await typesOf(accountId)).filter((type) => type === 'Settled')).toHaveLength(1);
    });

    it('charges each command once though the service is killed under them, twice', async () => {
      const { accountId } = await newUser('100');
      const charged: string[] = [];
      const worker = async (): Promise<void> => {
        for (let n = 0; n < 25; n++) {
          const { reservationId } = await toll.charge(accountId, { amountCredits: '0.25' });
          charged.push(reservationId);
          // The other seven workers' commands are on their way: unheard, or carried out and unanswered.
          if (charged.length === 40 || charged.length === 120) killCredit();
        }
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      expect(new Set(charged).size).toBe(200);
      expect(await toll.balance(accountId)).toMatchObject({ balance: '50', reserved: '0' });
      const settled = (await stack.eventsOf(accountId)).filter((event) => event.type === 'Settled');
      expect(settled).toHaveLength(200);
    });
  },
);
