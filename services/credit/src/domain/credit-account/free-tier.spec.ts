import type { CreditAccountEvent } from '@tollkeeper/events';
import { Money } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import {
  givenUnder,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
} from './credit-account.fixture.js';
import { charge, setLimit } from './limits.fixture.js';
import { defaultRules, type FreeTierRules } from './rules.js';

const free = { ...opened, data: { ...opened.data, tier: 'free' } } as CreditAccountEvent;
const mini = { provider: 'openai', model: 'gpt-4o-mini' };
const gpt4o = { provider: 'openai', model: 'gpt-4o' };

const anyModel: Partial<FreeTierRules> = {
  models: new Set(['openai/gpt-4o', 'openai/gpt-4o-mini', 'openai/o9']),
};
const noBudget: Partial<FreeTierRules> = { monthlyBudgetCredits: new Money('1000000000') };

const account = (rules: Partial<FreeTierRules>, first: CreditAccountEvent = free) =>
  givenUnder({ freeTier: { ...defaultRules.freeTier, ...rules } }, first, granted('100000'));

describe('the free tier’s models, whatever the budget', () => {
  it.each([
    ['below the rate', '5', mini, true],
    ['at the rate', '0.6', mini, true],
    ['above the rate', '0.599999', mini, false],
    ['above the default rate', '5', gpt4o, false],
  ])('%s', (_where, most, model, allowed) => {
    const outcome = account({ ...noBudget, outputUsdPerMillionMax: new Money(most) }).when(
      reserveCall('r1', 100, { candidates: [model] }),
    );
    if (allowed) outcome.then('Reserved');
    else outcome.thenRefused('model-not-in-tier');
  });

  it('are those of the list where there is one, whatever they cost', () => {
    const listed = account({ ...noBudget, models: new Set(['openai/gpt-4o']) });
    listed.when(reserveCall('r1')).then('Reserved');
    listed.when(reserveCall('r2', 100, { candidates: [mini] })).thenRefused('model-not-in-tier');
  });

  it('are checked for every candidate of the fallback chain', () => {
    const outcome = account(noBudget)
      .when(reserveCall('r1', 100, { candidates: [mini, gpt4o] }))
      .thenRefused('model-not-in-tier');
    expect(outcome.verdict).toMatchObject({
      refusal: { retryable: false, details: { model: 'openai/gpt-4o', tier: 'free' } },
    });
  });

  it('are checked by the name that an alias stands for', () => {
    const alias = { provider: 'openai', model: 'cheap-sounding' };
    const outcome = account(noBudget).when(reserveCall('r1', 100, { candidates: [alias] }));
    outcome.thenRefused('model-not-in-tier');
    expect(outcome.verdict).toMatchObject({ refusal: { details: { model: 'openai/gpt-4o' } } });
    account({ ...noBudget, models: new Set(['openai/cheap-sounding']) })
      .when(reserveCall('r1', 100, { candidates: [alias] }))
      .thenRefused('model-not-in-tier');
  });

  it('are none whose output rate nobody knows', () => {
    account(noBudget)
      .when(reserveCall('r1', 0, { candidates: [{ provider: 'openai', model: 'embed' }] }))
      .thenRefused('model-not-in-tier');
  });

  it('bind no other tier', () => {
    account(noBudget, opened).when(reserveCall('r1')).then('Reserved');
  });
});

describe('the free tier’s monthly budget, whatever the model', () => {
  // gpt-4o at 1,000 and 100 tokens under tier free: 0.0035 USD × 2 ÷ 0.01 = 0.7 credits.
  const budget = (credits: string, first?: CreditAccountEvent) =>
    account({ ...anyModel, monthlyBudgetCredits: new Money(credits) }, first);

  it('covers exactly what it allows, reserved and charged, and tells its figures', () => {
    const outcome = budget('1.4')
      .when(reserveCall('r1'))
      .then('Reserved')
      .when(reserveCall('r2'))
      .then('Reserved')
      .when(reserveCall('r3'))
      .thenRefused('free-tier-budget');
    expect(outcome.verdict).toMatchObject({
      refusal: {
        retryable: false,
        details: {
          budget: '1.4',
          used: '1.4',
          required: '0.7',
          resetsAt: '2026-03-31T22:00:00.000Z',
        },
      },
    });
  });

  it('begins anew with the account’s own month', () => {
    budget('1')
      .when(reserveCall('r1'))
      .when(reserveCall('r2'), new Date('2026-03-31T21:59:59.999Z'))
      .thenRefused('free-tier-budget')
      .when(reserveCall('r3'), new Date('2026-03-31T22:00:00.000Z'))
      .then('Reserved');
  });

  it('gets back what is released, and what a settle did not use', () => {
    budget('1')
      .when(reserveCall('r1'))
      .when(release('r1'))
      .when(reserveCall('r2'))
      .then('Reserved')
      .when(settleCall('r2', { input: 1000, output: 0 }))
      .when(reserveCall('r3'))
      .thenRefused('free-tier-budget')
      .when(reserveCall('r4', 0))
      .then('Reserved');
  });

  it('holds for plain amounts too', () => {
    budget('5')
      .when(reservePlain('r1', '3'))
      .then('Reserved')
      .when(charge('c1', '2.0001'))
      .thenRefused('free-tier-budget')
      .when(charge('c2', '2'))
      .then('Reserved', 'Settled')
      .when(reservePlain('r2', '0.0001'))
      .thenRefused('free-tier-budget');
  });

  it('lets a call shrink to what is left of it', () => {
    const outcome = budget('0.6')
      .when(reserveCall('r1', 100, { outputMayShrink: true }))
      .then('Reserved');
    expect(outcome.event('Reserved')).toMatchObject({
      amountCredits: '0.6',
      quote: { bound: { outputTokens: 50 } },
    });
    outcome.when(reserveCall('r2', 100, { outputMayShrink: true })).thenRefused('free-tier-budget');
  });

  it('binds no other tier, and counts none of its reservations', () => {
    const outcome = budget('0', opened).when(reserveCall('r1')).then('Reserved');
    expect(outcome.account.limits.freeMonths.size).toBe(0);
  });

  it('binds no other tier that has limits either', () => {
    const limit = setLimit({ scope: { type: 'account' }, amount: '10' });
    budget('0', opened)
      .when(limit)
      .when(reserveCall('r1'))
      .then('Reserved')
      .when(charge('c1', '9.5'))
      .thenRefused('limit-reached');
  });

  it('remembers no month that is over', () => {
    let step = budget('1000').when(reservePlain('r', '1'));
    for (let month = 3; month < 12; month++) {
      const id = `r${String(month)}`;
      step = step.when(charge(id, '1'), new Date(Date.UTC(2026, month, 15)));
    }
    // The first month's reservation is open still.
    expect([...step.account.limits.freeMonths.keys()]).toEqual(['2026-03', '2026-12']);
  });
});
