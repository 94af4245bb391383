import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  alertReply,
  configReply,
  headers,
  importReply,
  listAlertsReply,
  listConfigsReply,
  listSettingsReply,
  listVendorPricesReply,
  pricingAdminSubjects,
  pricingSubjects,
  quoteReply,
  settingReply,
  settingsReply,
  vendorPriceReply,
  type AlertView,
  type ConfigView,
  type ImportedPrice,
  type SettingView,
  type VendorPriceView,
} from '@tollkeeper/contracts';
import { openEventStore } from '@tollkeeper/event-store';
import { uuidv7 } from '@tollkeeper/kernel';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import {
  startEphemeralNats,
  startEphemeralPostgres,
  type RunningNats,
  type RunningPostgres,
} from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKeyOf, startFakeIdentity } from '../support/fake-identity.js';
import { startService, type ServiceProcess } from '../support/service-process.js';

interface Reply {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly retryable?: boolean;
}

/** Throws with the refusal, so that a spec says which. */
const accepted = <T extends object>(reply: T): Exclude<T, { status: 'refused' }> => {
  if ('status' in reply && reply.status === 'refused') throw new Error(JSON.stringify(reply));
  return reply as Exclude<T, { status: 'refused' }>;
};

describe('the pricing service, asked by admins', () => {
  let nats: RunningNats;
  let postgres: RunningPostgres;
  let pricing: ServiceProcess;
  let operator: NatsConnection;
  let identity: NatsConnection;
  const logFile = join(mkdtempSync(join(tmpdir(), 'tollkeeper-pricing-')), 'pricing.log');

  beforeAll(async () => {
    [nats, postgres] = await Promise.all([
      startEphemeralNats(),
      startEphemeralPostgres({ durable: true }),
    ]);
    const env = {
      DATABASE_URL: postgres.url,
      NATS_URL: nats.url('pricing'),
      LOG_LEVEL: 'trace',
      PRICE_LEAD_MS: '0',
    };
    pricing = await startService('pricing', env, { logFile });
    operator = await connectNats({ url: nats.url('operator'), name: 'spec' });
    identity = await startFakeIdentity(nats.url('gateway'), {
      alice: 'pricer',
      bob: 'pricer',
      root: 'admin',
    });
  }, 240_000);
  afterAll(async () => {
    await operator.close();
    await identity.close();
    await pricing.stop();
    await postgres.stop();
    await nats.stop();
    rmSync(dirname(logFile), { recursive: true, force: true });
  }, 60_000);

  const ask = (
    actor: string | undefined,
    subject: string,
    body: object,
    commandId?: string,
  ): Promise<unknown> =>
    request(operator, subject, body, {
      timeoutMs: 20_000,
      headers: {
        ...(actor === undefined ? {} : { [headers.adminKey]: adminKeyOf(actor) }),
        ...(commandId === undefined ? {} : { [headers.commandId]: commandId }),
      },
    });

  const price = (model: string, input: string, more: object = {}): object => ({
    provider: 'acme',
    model,
    rates: [
      { meter: 'input', rate: input },
      { meter: 'output', rate: '10' },
    ],
    source: { name: 'acme.example', url: 'https://acme.example/prices' },
    ...more,
  });

  const publish = async (body: object, actor = 'alice'): Promise<VendorPriceView> =>
    accepted(
      vendorPriceReply.parse(
        await ask(actor, pricingAdminSubjects.publishVendorPrice, { price: body, reason: 'spec' }),
      ),
    ).price;

  const listPrices = async (query: object): Promise<VendorPriceView[]> =>
    accepted(
      listVendorPricesReply.parse(await ask('alice', pricingAdminSubjects.listVendorPrices, query)),
    ).prices;

  const importAll = async (prices: object[], dryRun = false): Promise<ImportedPrice[]> => {
    const body = { prices, dryRun, reason: 'monthly' };
    const reply = await ask('alice', pricingAdminSubjects.importPrices, body);
    return accepted(importReply.parse(reply)).prices;
  };

  const propose = async (body: object, commandId = uuidv7()): Promise<ConfigView> =>
    accepted(
      configReply.parse(
        await ask(
          'alice',
          pricingAdminSubjects.proposeConfig,
          { reason: 'spec', ...body },
          commandId,
        ),
      ),
    ).config;

  const settings = async (): Promise<Map<string, SettingView>> => {
    const reply = await ask('alice', pricingAdminSubjects.listSettings, {});
    const { settings: views } = accepted(listSettingsReply.parse(reply));
    return new Map(views.map((view) => [view.key, view]));
  };

  const changeSetting = async (key: string, value: string, actor = 'root'): Promise<Reply> => {
    const body = { key, value, reason: 'spec' };
    return settingReply.parse(await ask(actor, pricingAdminSubjects.changeSetting, body));
  };

  it('lists every seeded price and multiplier, page by page', async () => {
    const names = new Set<string>();
    let after: string | undefined;
    do {
      const reply = listVendorPricesReply.parse(
        await ask('alice', pricingAdminSubjects.listVendorPrices, { limit: 50, after }),
      );
      const page = accepted(reply);
      for (const each of page.prices) {
        expect(each).toMatchObject({ inForce: true, publishedBy: 'seed' });
        names.add(`${each.provider}:${each.model}`);
      }
      after = page.next;
    } while (after !== undefined);
    const models = (await ask(undefined, pricingSubjects.models, {})) as { models: object[] };
    expect(names.size).toBe(models.models.length);

    const configs = accepted(
      listConfigsReply.parse(await ask('alice', pricingAdminSubjects.listConfigs, {})),
    ).configs;
    const margins = Object.fromEntries(configs.map(({ ruleId, margin }) => [ruleId, margin]));
    expect(margins).toEqual({
      'default@1': '0.333333',
      'tier:free@1': '0.5',
      'tier:pro@1': '0.333333',
      'tier:enterprise@1': '0.166667',
      'tier:enterprise_max@1': '0.047619',
    });
    expect(configs.every(({ inForce }) => inForce)).toBe(true);
  });

  it('publishes prices, keeps their history, and prices by them at once', async () => {
    const first = await publish(price('one', '3'));
    expect(first).toMatchObject({
      priceVersion: 'acme:one@1',
      publishedBy: 'alice',
      reason: 'spec',
      inForce: true,
    });
    await publish(price('one', '4'), 'bob');
    const ids = (views: VendorPriceView[]): string[] => views.map((view) => view.priceVersion);
    expect(ids(await listPrices({ provider: 'acme', model: 'one' }))).toEqual(['acme:one@2']);
    const history = await listPrices({ provider: 'acme', model: 'one', history: true });
    expect(ids(history)).toEqual(['acme:one@2', 'acme:one@1']);
    expect(history.map(({ publishedBy }) => publishedBy)).toEqual(['bob', 'alice']);

    const question = { provider: 'acme', model: 'one', tier: 'pro', usage: { input: 1_000_000 } };
    const quoted = accepted(
      quoteReply.parse(await ask(undefined, pricingSubjects.quote, question)),
    );
    expect(quoted).toMatchObject({ vendorCostUsd: '4', multiplier: '1.5', chargeCredits: '600' });

    const withdrawal = { priceVersion: 'acme:one@2', reason: 'not sold any more' };
    const reply = await ask('alice', pricingAdminSubjects.withdrawVendorPrice, withdrawal);
    expect(accepted(vendorPriceReply.parse(reply)).price).toMatchObject({ inForce: false });
    expect(await ask(undefined, pricingSubjects.quote, question)).toMatchObject({
      reason: 'unknown-price',
    });
  });

  it('converts a price list by the exchange rate that an admin has set', async () => {
    const inEuro = price('euro', '2', { currency: 'EUR' });
    const body = { price: inEuro, reason: 'spec' };
    const subject = pricingAdminSubjects.publishVendorPrice;
    expect(await ask('alice', subject, body)).toMatchObject({ reason: 'exchange-rate-missing' });
    expect(await changeSetting('exchange_rate_EUR', '1.1')).toMatchObject({ status: 'accepted' });
    const published = await publish(inEuro);
    expect(published).toMatchObject({ exchange: { currency: 'EUR', usdPerUnit: '1.1' } });
    expect(published.rates[0]).toMatchObject({ rateUsd: '2.2', listedRate: '2' });
    expect((await settings()).get('exchange_rate_EUR')).toMatchObject({ value: '1.1' });
  });

  it('imports: new prices are published, changed ones wait for a person, whatever is odd is left out', async () => {
    await publish(price('two', '3'));
    const prices = [price('two', '4'), price('three', '1'), price('odd', '4000')];
    const outcomes = (views: ImportedPrice[]): string[] => views.map(({ outcome }) => outcome);
    expect(outcomes(await importAll(prices, true))).toEqual(['changed', 'new', 'quarantined']);
    expect(await listPrices({ model: 'three' })).toEqual([]);

    const imported = await importAll(prices);
    expect(outcomes(imported)).toEqual(['changed', 'new', 'quarantined']);
    expect(outcomes(await importAll(prices))).toEqual(['changed', 'unchanged', 'quarantined']);
    expect((await listPrices({ model: 'two' }))[0]?.rates[0]).toMatchObject({ rateUsd: '3' });

    const open = accepted(
      listAlertsReply.parse(await ask('alice', pricingAdminSubjects.listAlerts, { state: 'open' })),
    ).alerts;
    expect(open.map(({ alertId }) => alertId)).toEqual([imported[0]?.alertId]);
    expect(open[0]).toMatchObject({
      changes: [{ meter: 'input', fromUsd: '3', toUsd: '4' }],
      priceVersion: 'acme:two@1',
    });

    const decide = async (body: object): Promise<AlertView> =>
      accepted(
        alertReply.parse(
          await ask('bob', pricingAdminSubjects.decideAlert, {
            alertId: open[0]?.alertId,
            reason: 'as listed',
            ...body,
          }),
        ),
      ).alert;
    expect(await decide({ decision: 'acknowledge' })).toMatchObject({ state: 'acknowledged' });
    expect(await decide({ decision: 'apply' })).toMatchObject({
      state: 'applied',
      decidedBy: 'bob',
      appliedVersion: 'acme:two@2',
    });
    expect((await listPrices({ model: 'two' }))[0]?.rates[0]).toMatchObject({ rateUsd: '4' });
    expect(outcomes(await importAll(prices))).toEqual(['unchanged', 'unchanged', 'quarantined']);
  });

  it('knows a command again by the id in its header, and refuses another body under it', async () => {
    const commandId = uuidv7();
    const body = { scope: { provider: 'acme' }, multiplier: '1.8' };
    const first = await propose(body, commandId);
    expect(await propose(body, commandId)).toEqual(first);
    const other = { ...body, multiplier: '1.9', reason: 'spec' };
    expect(await ask('alice', pricingAdminSubjects.proposeConfig, other, commandId)).toMatchObject({
      reason: 'replay-mismatch',
      retryable: false,
    });
  });

  it('withdraws a rule by two people, so that the one before it holds again', async () => {
    const scope = { provider: 'acme', model: 'three', tier: 'pro' };
    const decide = async (subject: string, proposalId: string): Promise<ConfigView> =>
      accepted(configReply.parse(await ask('bob', subject, { proposalId, reason: 'agreed' })))
        .config;
    const { ruleId } = await propose({ scope, multiplier: '9' });
    await decide(pricingAdminSubjects.approve, ruleId);
    const question = { ...scope, usage: { input: 1_000 } };
    expect(await ask(undefined, pricingSubjects.quote, question)).toMatchObject({
      multiplierRule: ruleId,
      multiplierLevel: 'provider+model+tier',
    });
    const proposed = accepted(
      configReply.parse(
        await ask('alice', pricingAdminSubjects.proposeWithdrawal, { ruleId, reason: 'over' }),
      ),
    ).config;
    expect(proposed).toMatchObject({ status: 'approved', withdrawal: { status: 'proposed' } });
    const awaiting = async (): Promise<string[]> => {
      const query = { status: 'proposed' };
      const reply = await ask('bob', pricingAdminSubjects.listConfigs, query);
      return accepted(listConfigsReply.parse(reply)).configs.map((config) => config.ruleId);
    };
    expect(await awaiting()).toContain(ruleId);
    const withdrawalId = proposed.withdrawal?.withdrawalId ?? '';
    expect(await decide(pricingAdminSubjects.approve, withdrawalId)).toMatchObject({
      status: 'withdrawn',
      inForce: false,
      withdrawal: { status: 'approved', proposedBy: 'alice', decidedBy: 'bob' },
    });
    expect(await awaiting()).not.toContain(ruleId);
    expect(await ask(undefined, pricingSubjects.quote, question)).toMatchObject({
      multiplierLevel: 'tier',
    });
  });

  it('lets admins, and nobody else, change settings; the default multiplier takes two', async () => {
    expect(await changeSetting('initial_grant_usd', '25', 'alice')).toMatchObject({
      reason: 'not-permitted',
    });
    const changed = await changeSetting('initial_grant_usd', '25');
    expect(changed).toMatchObject({
      setting: { value: '25', changed: true, updatedBy: 'root', reason: 'spec' },
    });
    await changeSetting('usd_per_credit', '1');
    const views = await settings();
    expect(views.get('initial_grant_usd')).toMatchObject({ value: '25', updatedBy: 'root' });
    expect(views.get('usd_per_credit')).toMatchObject({ value: '1', changed: true });
    expect(views.get('credit_decimals')).toMatchObject({ value: '4', changed: false });

    const proposed = await changeSetting('default_multiplier', '1.15');
    expect(proposed).toMatchObject({
      setting: { value: '1.5', changed: false },
      config: { ruleId: 'default@2', status: 'proposed', proposedBy: 'root' },
    });
    const approval = { proposalId: 'default@2', reason: 'agreed' };
    accepted(configReply.parse(await ask('bob', pricingAdminSubjects.approve, approval)));
    expect((await settings()).get('default_multiplier')).toMatchObject({
      value: '1.15',
      changed: true,
    });
    const inForce = settingsReply.parse(await ask(undefined, pricingSubjects.settings, {}));
    expect(inForce.settings).toMatchObject({
      default_multiplier: '1.15',
      initial_grant_usd: '25',
      usd_per_credit: '1',
    });
    expect(inForce.settings).not.toHaveProperty('credit_decimals');
  });

  it.each([
    ['no scope', pricingAdminSubjects.proposeConfig, { multiplier: '2', reason: 'r' }],
    ['no reason', pricingAdminSubjects.approve, { proposalId: 'x@1' }],
    [
      'a number for an amount',
      pricingAdminSubjects.proposeConfig,
      {
        scope: {},
        multiplier: 2,
        reason: 'r',
      },
    ],
    [
      'a command id that is none',
      pricingAdminSubjects.approve,
      {
        commandId: 'a b',
        proposalId: 'x@1',
        reason: 'r',
      },
    ],
  ])('refuses a body with %s', async (_, subject, body) => {
    expect(await ask('alice', subject, body)).toMatchObject({
      reason: 'invalid-request',
      retryable: false,
    });
  });

  it('keeps no admin key, neither in its log nor in the store', async () => {
    await ask('mallory', pricingAdminSubjects.proposeConfig, { scope: {} });
    await ask('alice', pricingAdminSubjects.proposeConfig, { scope: {} });
    expect(readFileSync(logFile, 'utf8')).not.toContain(adminKeyOf(''));
    const store = await openEventStore({
      databaseUrl: postgres.url,
      kurrentdbUrl: process.env['KURRENTDB_URL'],
      applicationName: 'spec',
    });
    const texts: string[] = [];
    for await (const event of store.read('vendorPrice-acme:two')) {
      texts.push(event.data, event.metadata);
    }
    await store.close();
    expect(texts.join()).toContain('alice');
    expect(texts.join()).not.toContain(adminKeyOf(''));
  });

  it('says so where nobody can say whose key it is, and goes on when somebody can', async () => {
    await identity.drain();
    // A key that has not been seen before: those that have are remembered for a while.
    expect(await ask('carol', pricingAdminSubjects.listConfigs, {})).toMatchObject({
      reason: 'busy',
      retryable: true,
    });
    identity = await startFakeIdentity(nats.url('gateway'), { carol: 'viewer' });
    listConfigsReply.parse(await ask('carol', pricingAdminSubjects.listConfigs, {}));
  });
});
