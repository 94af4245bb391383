import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  eventHash,
  fromStoredPriceBook,
  genesisHash,
  settingStream,
  toStored,
  vendorPriceStream,
  type PriceBookEvent,
  type StoredEvent,
} from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { uuidv7 } from '@tollkeeper/kernel';
import { settingDefinitions } from '@tollkeeper/pricing';
import { waitUntil } from '@tollkeeper/servers';
import { createLogger } from '@tollkeeper/telemetry';
import { describe, expect, test } from 'vitest';
import { checksum } from '../audit/checksum.js';
import { verify } from '../audit/verify.js';
import { useReadDatabases } from '../story/read-database.fixture.js';
import { pagePriceChanges, readSystemConfig } from './price-book.query.js';
import { PriceBookProjector, projectPriceBook, rebuildPriceBook } from './price-book-projector.js';
import { saveSettingDefinitions } from './price-book.store.js';

const newDatabase = useReadDatabases();
const logger = createLogger('spec');
logger.level = 'silent';

const past = '2026-01-01T00:00:00.000Z';
const future = '2099-01-01T00:00:00.000Z';

/** Appends to streams of the price book as its writer does. */
const record = async (
  store: EventStore,
  stream: string,
  events: readonly PriceBookEvent[],
  actor = 'ann',
): Promise<void> => {
  const before: StoredEvent[] = [];
  for await (const event of store.read(stream)) before.push(event);
  let last = before.at(-1);
  const fresh = events.map((event) => {
    const stored = toStored(uuidv7(Date.now()), event, {
      schemaVersion: 1,
      occurredAt: new Date().toISOString(),
      correlationId: 'c',
      causationId: 'c',
      actor,
      commandId: 'c',
      commandHash: '',
      prevHash: last ? eventHash(last) : genesisHash(stream),
    });
    last = stored;
    return stored;
  });
  await store.append(stream, before.length === 0 ? 'no-stream' : before.length - 1, fresh);
};

const rule = (ruleId: string, multiplier: string, effectiveFrom = past): PriceBookEvent => ({
  type: 'MultiplierProposed',
  data: { ruleId, scope: {}, multiplier, effectiveFrom, reason: 'for the spec' },
});
const approval = (ruleId: string, effectiveFrom?: string): PriceBookEvent => ({
  type: 'MultiplierApproved',
  data: { ruleId, reason: 'agreed', ...(effectiveFrom === undefined ? {} : { effectiveFrom }) },
});
const setting = (name: string, value: string, effectiveFrom = past): PriceBookEvent => ({
  type: 'SettingChanged',
  data: { name, value, effectiveFrom, reason: 'asked for' },
});

describe('the read price book', () => {
  test('system_config lists every setting, with its built-in value until somebody changes it', async () => {
    const { pool } = await newDatabase();
    await saveSettingDefinitions(pool);
    const { settings } = await readSystemConfig(pool);
    expect(settings.map(({ key }) => key)).toEqual(Object.keys(settingDefinitions).sort());
    expect(settings.find(({ key }) => key === 'default_output_limit')).toMatchObject({
      value: '8192',
      updatedAt: null,
    });
  });

  test('system_config holds what holds now, not what will', async () => {
    const { pool, store } = await newDatabase();
    await saveSettingDefinitions(pool);
    await record(store, settingStream('default_output_limit'), [
      setting('default_output_limit', '4096'),
      setting('default_output_limit', '1024', future),
    ]);
    await record(store, settingStream('exchange_rate_EUR'), [setting('exchange_rate_EUR', '1.17')]);
    await record(store, settingStream('credit-policy'), [
      {
        type: 'CreditPolicySet',
        data: {
          policyId: 'credit-policy@2',
          usdPerCredit: '0.02',
          decimals: 2,
          rounding: 'ceil',
          effectiveFrom: past,
        },
      },
    ]);
    await record(store, 'multiplier-default', [
      rule('default@2', '1.6'),
      approval('default@2'),
      rule('default@3', '9'),
      rule('default@4', '1.7'),
      approval('default@4', future),
    ]);
    await projectPriceBook(store, pool);
    const { settings, asOf } = await readSystemConfig(pool);
    const values = Object.fromEntries(settings.map(({ key, value }) => [key, value]));
    expect(values).toMatchObject({
      default_output_limit: '4096',
      exchange_rate_EUR: '1.17',
      usd_per_credit: '0.02',
      credit_decimals: '2',
      default_multiplier: '1.6',
    });
    expect(settings.find(({ key }) => key === 'default_output_limit')).toMatchObject({
      updatedBy: 'ann',
      reason: 'asked for',
    });
    const last = await pagePriceChanges(pool, { limit: 1, before: undefined });
    expect(last.rows[0]).not.toHaveProperty('asOf');
    const recordedAt = last.rows[0]?.occurredAt.toISOString();
    expect([asOf, last.asOf]).toEqual([recordedAt, recordedAt]);
  });

  test('a withdrawn default multiplier gives way to the one before it', async () => {
    const { pool, store } = await newDatabase();
    await saveSettingDefinitions(pool);
    await record(store, 'multiplier-default', [
      rule('default@1', '1.5', '2020-01-01T00:00:00.000Z'),
      approval('default@1'),
      rule('default@2', '1.6'),
      approval('default@2'),
      {
        type: 'MultiplierWithdrawn',
        data: { ruleId: 'default@2', effectiveFrom: past, reason: 'a slip' },
      },
    ]);
    await projectPriceBook(store, pool);
    const { settings } = await readSystemConfig(pool);
    expect(settings.find(({ key }) => key === 'default_multiplier')?.value).toBe('1.5');
  });

  test('the audit trail has every kind of event, newest first, page by page', async () => {
    const { pool, store } = await newDatabase();
    const fixtures = JSON.parse(
      readFileSync(
        join(import.meta.dirname, '../../../../shared/events/fixtures/price-book.v1.json'),
        'utf8',
      ),
    ) as { id: string; type: string; data: unknown; metadata: unknown }[];
    const events = fixtures.map(({ id, type, data, metadata }) =>
      fromStoredPriceBook({
        id,
        type,
        data: JSON.stringify(data),
        metadata: JSON.stringify(metadata),
      }),
    );
    for (const event of events) await record(store, vendorPriceStream('x', event.type), [event]);
    await projectPriceBook(store, pool);
    const first = await pagePriceChanges(pool, {
      limit: events.length - 1,
      before: undefined,
    });
    const rest = await pagePriceChanges(pool, {
      limit: 10,
      before: Number(first.next),
    });
    const seen = [...first.rows, ...rest.rows].map(({ type }) => type);
    expect(seen).toEqual(events.map(({ type }) => type).reverse());
  });

  test('the projector follows, and a rebuild comes back to the same rows', async () => {
    const { pool, store, databaseUrl } = await newDatabase();
    const projector = new PriceBookProjector({ store, pool, logger });
    await projector.start();
    try {
      await record(store, 'multiplier-default', [rule('default@1', '1.5')]);
      await record(store, 'multiplier-default', [approval('default@1')], 'bob');
      await record(store, 'multiplier-default', [rule('default@2', '2')], 'bob');
      const rules = async (): Promise<number> => {
        const { rows } = await pool.query<{ n: number }>(
          'SELECT count(*)::int AS n FROM multiplier_rules',
        );
        return rows[0]?.n ?? 0;
      };
      expect(await waitUntil(async () => (await rules()) === 2, { timeoutMs: 20_000 })).toBe(true);
      const before = await checksum(pool);
      expect(await rebuildPriceBook(store, pool)).toBe(3);
      expect(await checksum(pool)).toEqual(before);
      const verified = await verify({ store, live: pool, databaseUrl });
      expect(verified.rows).toMatchObject({ multiplier_rules: 2, price_book_changes: 3 });
    } finally {
      await projector.stop();
    }
  });

  test('the proof finds a rule that somebody has tampered with', async () => {
    const { pool, store, databaseUrl } = await newDatabase();
    await record(store, 'multiplier-default', [rule('default@1', '1.5'), approval('default@1')]);
    await projectPriceBook(store, pool);
    await pool.query('UPDATE multiplier_rules SET multiplier = 1.4');
    await expect(verify({ store, live: pool, databaseUrl })).rejects.toThrow(
      'multiplier_rules differs at default@1',
    );
  });
});
