import { beforeEach, describe, expect, test } from 'vitest';
import { settingStream, type PriceBookEvent } from '@tollkeeper/events';
import { settingDefinitions } from '@tollkeeper/pricing';
import { PriceBookRecords } from '../application/price-book-records.js';
import { afterNoon, noon, recorded } from '../domain/price-book/decision.fixture.js';
import { seedStreams } from '../domain/price-book/seed-streams.js';
import { toSettingsReply, toSettingView, toSettingViews } from './settings.convert.js';

describe('the settings of a price book', () => {
  let records: PriceBookRecords;
  const record = (stream: string, event: PriceBookEvent, actor = 'root'): void => {
    records.apply(stream, recorded(event, actor, noon.toISOString()));
  };
  const change = (name: string, value: string, seconds: number): void => {
    const data = { name, value, effectiveFrom: afterNoon(seconds), reason: 'why' };
    record(settingStream(name), { type: 'SettingChanged', data });
  };
  const at = (seconds: number): Date => new Date(afterNoon(seconds));

  beforeEach(() => {
    records = new PriceBookRecords();
    for (const { stream, events } of seedStreams([])) {
      for (const event of events) record(stream, event, 'seed');
    }
  });

  test('that nobody has changed are the built-in ones, each of them', () => {
    const views = toSettingViews(records, noon);
    expect(views.map(({ key }) => key)).toEqual(Object.keys(settingDefinitions));
    for (const { key, value, changed } of views) {
      expect([key, value, changed]).toEqual([key, settingDefinitions[key]?.standard, false]);
    }
    expect(toSettingsReply(records, noon).settings).toEqual({});
  });

  test('hold from their time on, and say before what is to come', () => {
    change('initial_grant_usd', '25', 60);
    expect(toSettingView(records, 'initial_grant_usd', at(59))).toMatchObject({
      value: '10',
      changed: false,
      next: { value: '25', effectiveFrom: afterNoon(60) },
    });
    const view = toSettingView(records, 'initial_grant_usd', at(60));
    expect(view).toMatchObject({
      value: '25',
      changed: true,
      updatedBy: 'root',
      updatedAt: noon.toISOString(),
      reason: 'why',
    });
    expect(view).not.toHaveProperty('next');
    expect(toSettingsReply(records, at(59)).settings).toEqual({});
    expect(toSettingsReply(records, at(60)).settings).toEqual({ initial_grant_usd: '25' });
  });

  test('of the credit policy change one by one', () => {
    const policy = (usdPerCredit: string, decimals: number, seconds: number): PriceBookEvent => ({
      type: 'CreditPolicySet',
      data: {
        policyId: `p${String(seconds)}`,
        usdPerCredit,
        decimals,
        rounding: 'ceil',
        effectiveFrom: afterNoon(seconds),
      },
    });
    record(settingStream('credit-policy'), policy('1', 4, 10));
    record(settingStream('credit-policy'), policy('1', 6, 20));
    const changedAt = (seconds: number): Record<string, string> =>
      toSettingsReply(records, at(seconds)).settings;
    expect(changedAt(9)).toEqual({});
    expect(changedAt(10)).toEqual({ usd_per_credit: '1' });
    expect(changedAt(20)).toEqual({ usd_per_credit: '1', credit_decimals: '6' });
  });

  test('include the exchange rates that were set', () => {
    change('exchange_rate_EUR', '1.1', 0);
    expect(toSettingViews(records, noon).at(-1)).toMatchObject({
      key: 'exchange_rate_EUR',
      value: '1.1',
      description: 'US dollars for one unit of the currency.',
    });
  });

  test('show the default multiplier by its rule, and who approved it', () => {
    const stream = 'multiplier-default';
    const ruleId = 'default@2';
    const data = {
      ruleId,
      scope: {},
      multiplier: '1.15',
      effectiveFrom: afterNoon(60),
      reason: 'r',
    };
    record(stream, { type: 'MultiplierProposed', data }, 'alice');
    expect(toSettingView(records, 'default_multiplier', at(60))).toMatchObject({ value: '1.5' });
    record(stream, { type: 'MultiplierApproved', data: { ruleId } }, 'bob');
    expect(toSettingView(records, 'default_multiplier', at(60))).toMatchObject({
      value: '1.15',
      changed: true,
      updatedBy: 'bob',
    });
  });
});
