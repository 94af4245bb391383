import type { CreditAccountEvent, PriceBookEvent } from '@tollkeeper/events';
import { personalAccountId } from '@tollkeeper/events';
import { Money } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { priceBook, givenPrices, granted, opened, reserveCall } from './credit-account.fixture.js';
import { openAccount } from './open-account.js';
import { defaultRules } from './rules.js';
import { newAccount } from './state.js';

const free = { ...opened, data: { ...opened.data, tier: 'free' } } as CreditAccountEvent;

const set = (name: string, value: string, effectiveFrom: string): PriceBookEvent => ({
  type: 'SettingChanged',
  data: { name, value, effectiveFrom },
});

const before = '2026-01-01T00:00:00.000Z';
const noon = '2026-03-01T12:00:00.000Z';
const atNoon = new Date(noon);
const justBefore = new Date('2026-03-01T11:59:59.999Z');

const freeAccount = (rules: object, ...settings: PriceBookEvent[]) =>
  givenPrices(
    settings,
    { freeTier: { ...defaultRules.freeTier, ...rules } },
    free,
    granted('100000'),
  );

describe('what admins have set comes before what is configured, from its time on', () => {
  it('for the models of the free tier', () => {
    const configured = { models: new Set(['openai/gpt-4o']) };
    freeAccount(configured, set('free_tier_models', 'openai/gpt-4o-mini,a/b', noon))
      .when(reserveCall('r1'), justBefore)
      .then('Reserved')
      .when(reserveCall('r2'), atNoon)
      .thenRefused('model-not-in-tier')
      .when(
        reserveCall('r3', 1, { candidates: [{ provider: 'openai', model: 'gpt-4o-mini' }] }),
        atNoon,
      )
      .then('Reserved');
  });

  it.each([
    ['in full alone', 'openai/gpt-4o-mini'],
    ['and not a part of it', 'xopenai/gpt-4o,openai/gpt-4o2'],
  ])('for a model by its name %s', (_, models) => {
    freeAccount({}, set('free_tier_models', models, before))
      .when(reserveCall('r1'))
      .thenRefused('model-not-in-tier');
  });

  it('for the rate, which decides where the list is emptied', () => {
    const configured = { models: new Set<string>() };
    const emptied = set('free_tier_models', '', before);
    const rate = 'free_tier_output_usd_per_million_max';
    freeAccount(configured, emptied).when(reserveCall('r1')).thenRefused('model-not-in-tier');
    freeAccount(configured, emptied, set(rate, '10', before))
      .when(reserveCall('r1'))
      .then('Reserved');
    freeAccount(configured, emptied, set(rate, '9.99', before))
      .when(reserveCall('r1'))
      .thenRefused('model-not-in-tier');
  });

  it('for the free month’s budget', () => {
    const models = { models: new Set(['openai/gpt-4o']) };
    freeAccount(models, set('free_tier_monthly_credits', '1', noon))
      .when(reserveCall('r1'), justBefore)
      .then('Reserved')
      .when(reserveCall('r2'), atNoon)
      .thenRefused('free-tier-budget');
  });

  it.each([
    ['unset', [], '1000'],
    ['set', [set('initial_grant_usd', '2.5', noon)], '250'],
    ['set for later', [set('initial_grant_usd', '2.5', '2026-03-01T12:00:00.001Z')], '1000'],
    ['set to nothing', [set('initial_grant_usd', '0', noon)], undefined],
  ])('for the initial grant: %s', (_, settings, amountCredits) => {
    const prices = priceBook();
    for (const event of settings) prices.apply(event);
    const verdict = openAccount(
      {
        type: 'OpenAccount',
        commandId: 'open',
        commandHash: 'open',
        kind: undefined,
        ownerUserId: 'usr_1',
        tier: 'free',
        timeZone: 'UTC',
      },
      newAccount(personalAccountId('usr_1')),
      {
        at: atNoon,
        prices,
        rules: { ...defaultRules, initialGrantUsd: new Money(10) },
        reservationTtlMs: 720_000,
      },
    );
    const events = verdict.type === 'accept' ? verdict.events : [];
    const grant = events.find(({ type }) => type === 'CreditsGranted');
    expect(grant?.data).toEqual(
      amountCredits === undefined ? undefined : expect.objectContaining({ amountCredits }),
    );
  });
});
