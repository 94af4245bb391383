import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { startEphemeralNats, type RunningNats } from '@tollkeeper/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePricing, type HeardImport } from '../prices/fake-pricing.fixture.js';
import type { Printer } from '../print.js';
import { importPrices, type ImportOptions } from './price-import.js';

const refused = (reason: string) => ({
  status: 'refused',
  reason,
  message: `said no: ${reason}`,
  retryable: false,
});

/** Every price becomes what the test says of it; new by default. */
const outcomes =
  (byModel: Readonly<Record<string, object>> = {}) =>
  ({ prices }: HeardImport) => ({
    status: 'accepted',
    prices: prices.map(({ provider, model }) => ({
      provider,
      model,
      outcome: 'new',
      ...byModel[model],
    })),
  });

/** `count` models at a price of their own. */
const csvOf = (count: number, note = ''): string =>
  [
    'provider,model,meter,rate,notes',
    ...Array.from(
      { length: count },
      (_, place) => `acme,m${String(place)},input,${String(place + 1)},${note}`,
    ),
  ].join('\n');

describe('toll prices import, over a real nats-server', () => {
  let server: RunningNats;
  let pricing: FakePricing;
  let directory: string;
  const progress: string[] = [];

  beforeAll(async () => {
    server = await startEphemeralNats();
    pricing = await FakePricing.start(server.url('pricing'));
    directory = await mkdtemp(path.join(tmpdir(), 'toll-import-'));
  }, 240_000);
  afterAll(async () => {
    await pricing.stop();
    await server.stop();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    pricing.answer(outcomes());
    progress.length = 0;
    vi.stubEnv('NATS_URL', server.url('operator'));
    vi.stubEnv('TOLL_ADMIN_KEY', 'key-of-ann');
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => progress.push(String(text)) > 0);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  const run = async (csv: string | Buffer, options: Partial<ImportOptions> = {}) => {
    const file = path.join(directory, 'prices.csv');
    await writeFile(file, csv);
    let value: object = {};
    let lines: readonly string[] = [];
    const print: Printer = {
      result: (said, text) => {
        value = said;
        lines = text;
      },
      failure: () => undefined,
      progress: () => undefined,
    };
    const code = await importPrices({ from: 'csv', file, dryRun: false, ...options }, print);
    return { code, value, lines: lines.join('\n') };
  };

  it('sends prices in batches, each under the admin’s key, and says how far it is', async () => {
    const { code, value } = await run(csvOf(450), { reason: 'monthly' });
    expect(code).toBe(0);
    expect(pricing.heard.map(({ prices }) => prices.length)).toEqual([200, 200, 50]);
    expect(pricing.heard.map(({ adminKey }) => adminKey)).toEqual(Array(3).fill('key-of-ann'));
    expect(new Set(pricing.heard.map(({ commandId }) => commandId)).size).toBe(3);
    expect(pricing.heard[0]).toMatchObject({ dryRun: false, reason: 'monthly' });
    expect(progress).toEqual(['batch 1 of 3\n', 'batch 2 of 3\n', 'batch 3 of 3\n']);
    expect(value).toMatchObject({ outcomes: { new: 450, refused: 0 } });
  });

  it('keeps a message within what NATS carries', async () => {
    await run(csvOf(200, 'x'.repeat(1000)).concat('\n'), {});
    await run(csvOf(1000, 'y'.repeat(1020)));
    const most = Math.max(...pricing.heard.map(({ bytes }) => bytes));
    expect(most).toBeLessThan(1_000_000);
    expect(pricing.heard.flatMap(({ prices }) => prices)).toHaveLength(1200);
  });

  it('says what changed, from what to what and by how much', async () => {
    const changes = [
      { meter: 'input', unit: 'token', per: '1000000', fromUsd: '2.5', toUsd: '3' },
      {
        meter: 'output',
        unit: 'token',
        per: '1000000',
        fromUsd: '10',
        toUsd: '9',
        serviceTier: 'batch',
      },
      { meter: 'page', unit: 'page', per: '1', toUsd: '0.01', region: 'eu' },
    ];
    pricing.answer(
      outcomes({
        m0: { outcome: 'changed', severity: 'critical', alertId: 'alert-1', changes },
        m1: { outcome: 'changed', severity: 'info', applied: true, changes: [] },
        m2: { outcome: 'unchanged' },
        m3: { outcome: 'quarantined', message: 'implausibly dear' },
      }),
    );
    const { code, lines } = await run(csvOf(5));
    expect(code).toBe(0);
    expect(lines).toContain(
      [
        'changed:',
        '  acme/m0: critical, alert alert-1',
        '    input: 2.5 → 3 USD per 1000000 token (+20 %)',
        '    output batch: 10 → 9 USD per 1000000 token (−10 %)',
        '    page in eu: none → 0.01 USD per page',
        '  acme/m1: info, published',
      ].join('\n'),
    );
    expect(lines).toContain('  acme/m3: implausibly dear');
  });

  it('fails when a price is refused, after the rest was imported', async () => {
    pricing.answer((heard) =>
      heard.prices.some(({ model }) => model === 'm0')
        ? refused('invalid-request')
        : outcomes()(heard),
    );
    const { code, value, lines } = await run(csvOf(201));
    expect(code).toBe(1);
    expect(value).toMatchObject({ outcomes: { new: 1, refused: 200 } });
    expect(lines).toContain('  acme/m0: said no: invalid-request (invalid-request)');
    expect(lines).toContain('… and 180 more: --list refused');
  });

  it.each(['not-authorized', 'not-permitted'])('stops at once when it is %s', async (reason) => {
    pricing.answer(() => refused(reason));
    await expect(run(csvOf(500))).rejects.toMatchObject({ reason });
    expect(pricing.heard).toHaveLength(1);
  });

  it('asks for a dry run as it is, and does without the book where there is no key', async () => {
    const asked = await run(csvOf(2), { dryRun: true });
    expect(pricing.heard).toMatchObject([{ dryRun: true }]);
    expect(asked.lines).toContain('would become, in the price book:');
    pricing.answer();
    vi.stubEnv('TOLL_ADMIN_KEY', '');
    vi.stubEnv('NATS_URL', 'nats://127.0.0.1:1');
    const local = await run(csvOf(2), { dryRun: true });
    expect(local.lines).toContain('not compared with a price book');
    expect(local.value).toMatchObject({ table: { priced: 2, importable: 2 } });
    expect(pricing.heard).toEqual([]);
    await expect(run(csvOf(2))).rejects.toMatchObject({ reason: 'no-admin-key' });
  });

  it('never sends what is quarantined here', async () => {
    const { value } = await run(
      'provider,model,meter,rate,per\nacme,slip,input,0.135,1\nacme,m,input,1,1000000',
    );
    expect(pricing.heard[0]?.prices).toMatchObject([{ model: 'm' }]);
    expect(value).toMatchObject({ table: { quarantined: 1 }, quarantined: [{ model: 'slip' }] });
  });

  it('takes one provider’s prices alone, lists in full, and reads gzip', async () => {
    const table = gzipSync(`${csvOf(30)}\nother,m,input,1,`);
    const { lines } = await run(table, { provider: 'other', list: 'importable' });
    expect(pricing.heard[0]?.prices).toMatchObject([{ provider: 'other', model: 'm' }]);
    expect(lines).toBe('  other/m: input 1');
  });

  it.each<[string, Partial<ImportOptions>]>([
    ['a table that is none', { from: 'prices.example' }],
    ['a file of the pinned package', { from: 'genai-prices' }],
    ['a file and an address', { url: 'https://prices.example/table.csv' }],
    ['a list that is none', { list: 'everything' }],
    ['a rate of exchange without a day', { exchangeRate: ['DBU=0.07'] }],
  ])('refuses %s', async (_what, options) => {
    await expect(run(csvOf(1), options)).rejects.toMatchObject({ reason: 'invalid-option' });
    expect(pricing.heard).toEqual([]);
  });

  it('refuses a file that is no table', async () => {
    const failed = { reason: 'unreadable-input' };
    await expect(run('<html>', { from: 'litellm' })).rejects.toMatchObject(failed);
    await expect(run('a,b')).rejects.toMatchObject(failed);
    await expect(run('', { file: path.join(directory, 'none') })).rejects.toMatchObject(failed);
  });
});
