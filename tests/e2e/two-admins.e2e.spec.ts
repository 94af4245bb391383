import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigView, ExplainView, VendorPriceView } from '@tollkeeper/contracts';
import { waitUntil } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete, type CompletionAnswer } from '../support/completions.js';
import { startStack, type Shell, type Stack } from '../support/stack.js';

/** From an approval to the time from which it holds. */
const leadMs = 8_000;

type Json = Record<string, unknown>;

describe('pricing admins', () => {
  let stack: Stack;
  let ann: Shell;
  let bob: Shell;
  let root: Shell;
  const keys: Record<string, string> = {};

  const shellOf = async (actor: string, role: string): Promise<Shell> => {
    const issued = await stack.toll<{ adminKey: string }>(
      'admin',
      'issue-key',
      actor,
      '--role',
      role,
    );
    keys[actor] = issued.adminKey;
    return stack.shell({ TOLL_ADMIN_KEY: issued.adminKey });
  };

  beforeAll(async () => {
    stack = await startStack({ PRICE_LEAD_MS: String(leadMs) });
    ann = await shellOf('ann', 'pricer');
    bob = await shellOf('bob', 'pricer');
    root = await shellOf('root', 'admin');
  }, 120_000);
  afterAll(() => stack.stop(), 60_000);

  const prices = <T>(shell: Shell, ...args: string[]): Promise<T> => shell.toll('prices', ...args);
  const why = (reason: string): string[] => ['--reason', reason];

  const explained = async ({ headers }: CompletionAnswer): Promise<ExplainView> => {
    const reservationId = String(headers['x-request-id']);
    return stack.toll('prices', 'explain', stack.ready().accountId, reservationId);
  };

  const inFlight = async (): Promise<unknown> => {
    const health = await fetch(`${stack.ready().gatewayUrl}/healthz`);
    return ((await health.json()) as Json)['inFlight'];
  };

  const http = async (
    actor: string,
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string | null; body: Json }> => {
    const answer = await fetch(`${stack.ready().gatewayUrl}/api/admin/pricing${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys[actor] ?? ''}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const type = answer.headers.get('content-type');
    return { status: answer.status, type, body: (await answer.json()) as Json };
  };

  it('change what calls are charged from a time on: one proposes, and only the other approves', async () => {
    const { apiKey } = stack.ready();
    const scope = ['--tier', 'pro'];
    const proposed = await prices<ConfigView>(ann, 'propose', '1.4', ...scope, ...why('lower'));
    expect(proposed).toMatchObject({ status: 'proposed', proposedBy: 'ann', inForce: false });

    const own = await ann.tollRaw('prices', 'approve', proposed.ruleId, ...why('my own'));
    expect(own.code).toBe(1);
    expect(own.stderr).toContain('own-proposal');
    expect((await complete(stack, apiKey)).body.usage?.multiplier).toBe('1.5');

    // It begins before the approval, and ends after the new multiplier holds.
    await stack.simulator({ latencyMs: leadMs + 10_000 });
    const slow = complete(stack, apiKey);
    await waitUntil(async () => (await inFlight()) === 1, { timeoutMs: 60_000 });
    const approved = await prices<ConfigView>(bob, 'approve', proposed.ruleId, ...why('agreed'));
    expect(approved).toMatchObject({ status: 'approved', decidedBy: 'bob' });
    const effectiveMs = Date.parse(approved.effectiveFrom);
    const before = await slow;
    await stack.simulator({});
    await waitUntil(() => Date.now() > effectiveMs, { timeoutMs: 60_000 });
    const after = await complete(stack, apiKey);

    const [first, second] = [await explained(before), await explained(after)];
    expect(Date.parse(first.requestedAt)).toBeLessThan(effectiveMs);
    expect(first.attempts).toMatchObject([{ multiplier: '1.5', rule: { ruleId: 'tier:pro@1' } }]);
    expect(second.attempts).toMatchObject([
      {
        multiplier: '1.4',
        rule: {
          ruleId: proposed.ruleId,
          proposedBy: 'ann',
          reason: 'lower',
          decidedBy: 'bob',
          decisionReason: 'agreed',
        },
      },
    ]);
    expect(before.body.usage?.charge_credits).toBe(first.chargeCredits);
    expect(after.body.usage?.charge_credits).toBe(second.chargeCredits);
    expect(second.text.join('\n')).toContain('approved by bob');

    const again = await bob.tollRaw('prices', 'reject', proposed.ruleId, ...why('too late'));
    expect(again.stderr).toContain('not-pending');
  }, 240_000);

  it('may do what their role says, and nothing without a key', async () => {
    const anonymous = await stack.tollRaw('prices', 'configs');
    expect(anonymous).toMatchObject({ code: 1 });
    expect(anonymous.stderr).toContain('no-admin-key');
    const stranger = stack.shell({ TOLL_ADMIN_KEY: `tka_${'a'.repeat(43)}` });
    expect((await stranger.tollRaw('prices', 'configs')).stderr).toContain('not-authorized');

    const set = ['settings', 'set', 'default_output_limit', '4096', ...why('shorter')];
    expect((await ann.tollRaw(...set)).stderr).toContain('not-permitted');
    expect(await root.toll(...set)).toMatchObject({ setting: { key: 'default_output_limit' } });

    const viewer = await shellOf('vic', 'viewer');
    expect(await viewer.toll('settings')).toContainEqual(
      expect.objectContaining({ key: 'margin_guard', value: 'refuse', changed: false }),
    );
    const proposal = ['prices', 'propose', '2', '--default', ...why('more')];
    expect((await viewer.tollRaw(...proposal)).stderr).toContain('not-permitted');
  }, 240_000);

  it('publish a vendor price, correct it and withdraw it', async () => {
    const file = join(stack.home, 'price.json');
    const source = { name: 'our own list' };
    const rates = [
      { meter: 'input', rate: '1' },
      { meter: 'output', rate: '4' },
    ];
    await writeFile(file, JSON.stringify({ provider: 'acme', model: 'meta/m', rates, source }));
    const first = await prices<VendorPriceView>(ann, 'publish', file, ...why('a new model'));
    expect(first).toMatchObject({ priceVersion: 'acme:meta/m@1', publishedBy: 'ann' });

    const path = `/vendor-prices/${encodeURIComponent(first.priceVersion)}`;
    const dearer = { rates: [{ meter: 'input', rate: '1.25' }], reason: 'dearer' };
    const second = await http('bob', 'PATCH', path, dearer);
    expect(second).toMatchObject({
      status: 201,
      body: { price: { priceVersion: 'acme:meta/m@2', publishedBy: 'bob', source } },
    });
    const versions = async (): Promise<VendorPriceView[]> =>
      prices(bob, 'history', 'acme', 'meta/m');
    await waitUntil(async () => (await versions()).length === 2, { timeoutMs: 20_000 });
    expect((await versions()).map(({ priceVersion }) => priceVersion)).toEqual([
      'acme:meta/m@2',
      'acme:meta/m@1',
    ]);
    const withdrawn = ['withdraw-price', 'acme:meta/m@2', ...why('no longer sold')];
    expect(await prices(ann, ...withdrawn)).toMatchObject({
      withdrawnFrom: expect.any(String) as string,
    });
  }, 240_000);

  it('find the same over HTTP, where a change has an id', async () => {
    const scope = { provider: 'openai', model: 'gpt-4o', tier: 'pro' };
    const body = { scope, multiplier: '1.3', reason: 'for one model' };
    const id = { 'idempotency-key': crypto.randomUUID() };
    const proposed = await http('ann', 'POST', '/configs', body, id);
    expect(proposed.status).toBe(201);
    expect(await http('ann', 'POST', '/configs', body, id)).toEqual(proposed);
    const other = await http('ann', 'POST', '/configs', { ...body, multiplier: '1.2' }, id);
    expect(other).toMatchObject({ status: 409, body: { code: 'replay-mismatch' } });

    const { ruleId } = proposed.body['config'] as ConfigView;
    const path = `/configs/${encodeURIComponent(ruleId)}`;
    const reason = { reason: 'seen' };
    const own = await http('ann', 'POST', `${path}/approve`, reason);
    expect(own).toMatchObject({ status: 403, body: { code: 'own-proposal' } });
    expect(own.type).toContain('application/problem+json');
    expect(await http('bob', 'POST', `${path}/approve`, reason)).toMatchObject({
      status: 200,
      body: { config: { status: 'approved', decidedBy: 'bob' } },
    });
    const revised = await http('bob', 'PATCH', path, { multiplier: '1.35', reason: 'a bit more' });
    expect(revised).toMatchObject({ status: 201, body: { config: { scope, multiplier: '1.35' } } });
    expect(await http('ann', 'DELETE', `${path}?reason=not%20needed`)).toMatchObject({
      status: 202,
      body: { config: { ruleId, withdrawal: { status: 'proposed', proposedBy: 'ann' } } },
    });

    const { gatewayUrl, apiKey } = stack.ready();
    const quote = await fetch(`${gatewayUrl}/api/quote`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'openai', model: 'gpt-4o', usage: { input: 1_000_000 } }),
    });
    expect(await quote.json()).toMatchObject({ vendorCostUsd: '2.5', usdPerCredit: '0.01' });
  }, 240_000);

  it('are nobody once their key is revoked', async () => {
    const { keyId, adminKey } = await stack.toll<{ keyId: string; adminKey: string }>(
      'admin',
      'issue-key',
      'leaver',
      '--role',
      'admin',
    );
    const leaver = stack.shell({ TOLL_ADMIN_KEY: adminKey });
    expect((await leaver.tollRaw('prices', 'alerts')).code).toBe(0);
    await stack.toll('admin', 'revoke-key', keyId);
    await waitUntil(
      async () => (await leaver.tollRaw('prices', 'alerts')).stderr.includes('not-authorized'),
      { timeoutMs: 60_000 },
    );
  }, 240_000);
});
