import { describe, expect, test } from 'vitest';
import { formatMoney } from '@tollkeeper/kernel';
import type { PriceBookEvent } from '@tollkeeper/events';
import {
  approve,
  gpt4o,
  perMillion,
  policySet,
  price,
  propose,
  publish,
  rulesAndPolicy,
  sonnet45,
} from './price-book.fixture.js';
import { PriceBook } from './price-book.js';
import { CorruptPriceBookError } from './rate.js';

const bookOf = (...events: readonly PriceBookEvent[]): PriceBook => {
  const book = new PriceBook();
  for (const event of events) book.apply(event);
  return book;
};

const day = (date: string): Date => new Date(`${date}T00:00:00.000Z`);
const iso = (date: string): string => `${date}T00:00:00.000Z`;

const version = (n: number, from: string, to?: string): PriceBookEvent =>
  publish(
    price([perMillion('input', String(n))], {
      priceVersion: `openai:gpt-4o@${String(n)}`,
      effectiveFrom: iso(from),
      ...(to === undefined ? {} : { effectiveTo: iso(to) }),
    }),
  );

const withdraw = (n: number, from: string): PriceBookEvent => ({
  type: 'VendorPriceWithdrawn',
  data: {
    provider: 'openai',
    model: 'gpt-4o',
    priceVersion: `openai:gpt-4o@${String(n)}`,
    effectiveFrom: iso(from),
    reason: 'spec',
  },
});

const gpt = { provider: 'openai', model: 'gpt-4o' };

describe('priceAt', () => {
  const two = [version(1, '2026-01-01'), version(2, '2026-03-01')];

  test.each([
    ['nothing is published', [], '2026-06-01', undefined],
    ['the first version has not begun', two, '2025-12-31', undefined],
    ['the first version begins', two, '2026-01-01', 1],
    ['the day before the second', two, '2026-02-28', 1],
    ['the second begins', two, '2026-03-01', 2],
    ['they were recorded in another order', [...two].reverse(), '2026-02-01', 1],
    ['they are applied twice', [...two, ...two], '2026-04-01', 2],
    ['a correction has the same date', [...two, version(3, '2026-03-01')], '2026-04-01', 3],
    [
      'what it corrects is applied again',
      [...two, version(3, '2026-03-01'), version(2, '2026-03-01')],
      '2026-04-01',
      3,
    ],
    [
      'it is withdrawn twice: the earlier date stands',
      [...two, withdraw(2, '2026-04-01'), withdraw(2, '2026-06-01')],
      '2026-05-01',
      undefined,
    ],
    [
      'one is in force for a while',
      [...two, version(3, '2026-05-01', '2026-06-01')],
      '2026-05-31',
      3,
    ],
    ['its while is over', [...two, version(3, '2026-05-01', '2026-06-01')], '2026-06-01', 2],
    ['it is not withdrawn yet', [...two, withdraw(2, '2026-04-01')], '2026-03-31', 2],
    ['it is withdrawn: unknown', [...two, withdraw(2, '2026-04-01')], '2026-04-01', undefined],
    ['it was withdrawn before it began', [...two, withdraw(2, '2026-02-01')], '2026-04-01', 1],
    [
      'another version follows a withdrawal',
      [...two, withdraw(2, '2026-04-01'), version(3, '2026-05-01')],
      '2026-05-01',
      3,
    ],
  ])('answers the version in force when %s', (_, events, at, expected) => {
    const found = bookOf(...events).priceAt(gpt, day(at));
    expect(found?.id).toBe(
      expected === undefined ? undefined : `openai:gpt-4o@${String(expected)}`,
    );
  });

  test('knows a model by its aliases, within its provider alone', () => {
    const book = bookOf(publish(gpt4o));
    const alias = { provider: 'openai', model: 'gpt-4o-2024-11-20' };
    expect(book.priceAt(alias, day('2026-01-01'))?.id).toBe('openai:gpt-4o@1');
    expect(book.priceAt({ ...alias, provider: 'azure' }, day('2026-01-01'))).toBeUndefined();
  });

  test('answers a name of its own before the alias of another model', () => {
    const own = price([perMillion('input', '9')], {
      priceVersion: 'openai:gpt-4o-2024-11-20@1',
      model: 'gpt-4o-2024-11-20',
    });
    const book = bookOf(publish(gpt4o), publish(own));
    const found = book.priceAt(
      { provider: 'openai', model: 'gpt-4o-2024-11-20' },
      day('2026-01-01'),
    );
    expect(found?.id).toBe('openai:gpt-4o-2024-11-20@1');
  });

  test('forgets an alias that the version in force has dropped', () => {
    const book = bookOf(publish(gpt4o), version(2, '2026-03-01'));
    const alias = { provider: 'openai', model: 'gpt-4o-2024-11-20' };
    expect(book.priceAt(alias, day('2026-02-28'))?.id).toBe('openai:gpt-4o@1');
    expect(book.priceAt(alias, day('2026-03-01'))).toBeUndefined();
  });

  test('keeps every version by id, also withdrawn ones', () => {
    const book = bookOf(...two, withdraw(2, '2026-04-01'));
    expect(book.version('openai:gpt-4o@1')?.model).toBe('gpt-4o');
    expect(book.version('openai:gpt-4o@2')?.model).toBe('gpt-4o');
    expect(book.version('openai:gpt-4o@3')).toBeUndefined();
  });
});

describe('modelsAt', () => {
  test('lists each model in force once', () => {
    const book = bookOf(version(1, '2026-01-01'), version(2, '2026-03-01'), publish(sonnet45));
    expect(book.modelsAt(day('2026-04-01')).map(({ id }) => id)).toEqual([
      'openai:gpt-4o@2',
      'anthropic:claude-sonnet-4-5@1',
    ]);
    expect(book.modelsAt(day('2025-01-01')).map(({ id }) => id)).toEqual([
      'anthropic:claude-sonnet-4-5@1',
    ]);
  });
});

describe('multiplierFor', () => {
  const at = day('2026-06-01');
  const approved = (...rule: Parameters<typeof propose>): PriceBookEvent[] => [
    propose(...rule),
    approve(rule[0]),
  ];
  const question = { ...gpt, tier: 'pro' };
  const cascade = [
    approved('exact', { ...gpt, tier: 'pro' }, '1.1'),
    approved('model', { model: 'gpt-4o' }, '1.2'),
    approved('provider', { provider: 'openai' }, '1.3'),
    approved('tier', { tier: 'pro' }, '1.4'),
    approved('default', {}, '1.5'),
  ];

  test.each([
    [0, 'exact', 'provider+model+tier', '1.1'],
    [1, 'model', 'model', '1.2'],
    [2, 'provider', 'provider', '1.3'],
    [3, 'tier', 'tier', '1.4'],
    [4, 'default', 'default', '1.5'],
  ])(
    'answers the most specific level once %i levels are gone',
    (gone, ruleId, level, multiplier) => {
      const found = bookOf(...cascade.slice(gone).flat()).multiplierFor(question, at);
      expect(found).toMatchObject({ ruleId, level });
      expect(found && formatMoney(found.multiplier)).toBe(multiplier);
    },
  );

  test('counts a rule for a provider’s model as the model level, before other providers’', () => {
    const book = bookOf(
      ...approved('any', { model: 'gpt-4o' }, '2'),
      ...approved('ours', gpt, '3'),
    );
    expect(book.multiplierFor(question, at)).toMatchObject({ ruleId: 'ours', level: 'model' });
    expect(book.multiplierFor({ ...question, provider: 'azure' }, at)?.ruleId).toBe('any');
  });

  test.each([
    ['is not approved', [propose('new', { tier: 'pro' }, '9')]],
    [
      'was rejected',
      [
        propose('new', { tier: 'pro' }, '9'),
        { type: 'MultiplierRejected', data: { ruleId: 'new', reason: 'no' } } as const,
      ],
    ],
    ['begins later', approved('new', { tier: 'pro' }, '9', iso('2026-06-02'))],
    ['began before the one in force', approved('new', { tier: 'pro' }, '9', iso('2019-01-01'))],
    [
      'was withdrawn',
      [
        ...approved('new', { tier: 'pro' }, '9', iso('2026-01-01')),
        {
          type: 'MultiplierWithdrawn',
          data: { ruleId: 'new', effectiveFrom: iso('2026-06-01'), reason: 'no' },
        } as const,
      ],
    ],
    ['is for another tier', approved('new', { tier: 'free' }, '9')],
  ])('ignores a rule that %s', (_, events) => {
    const found = bookOf(...rulesAndPolicy, ...events).multiplierFor(question, at);
    expect(found?.ruleId).toBe('pro@1');
  });

  test('uses a later rule from its effective date on', () => {
    const book = bookOf(
      ...rulesAndPolicy,
      ...approved('pro@2', { tier: 'pro' }, '1.6', iso('2026-06-01')),
    );
    expect(book.multiplierFor(question, new Date('2026-05-31T23:59:59.999Z'))?.ruleId).toBe(
      'pro@1',
    );
    expect(book.multiplierFor(question, at)?.ruleId).toBe('pro@2');
  });

  test('ignores events that are applied again', () => {
    const events = [...approved('a', {}, '2'), ...approved('b', {}, '3')];
    const book = bookOf(...events, ...approved('a', {}, '4'));
    expect(book.multiplierFor(question, at)?.ruleId).toBe('b');
    expect(book.rule('a')?.multiplier.toString()).toBe('2');
  });

  test('knows no multiplier before a default rule', () => {
    expect(bookOf().multiplierFor(question, at)).toBeUndefined();
  });

  test('keeps rules by id, also those that were only proposed', () => {
    const book = bookOf(propose('new', { tier: 'pro' }, '9'));
    expect(book.rule('new')).toMatchObject({ level: 'tier' });
    expect(book.rule('other')).toBeUndefined();
  });

  test('throws for a scope of no level and for the approval of an unknown rule', () => {
    expect(() => bookOf(propose('odd', { model: 'm', tier: 'pro' }, '2'))).toThrow(
      CorruptPriceBookError,
    );
    expect(() => bookOf(approve('nobody'))).toThrow(CorruptPriceBookError);
  });
});

describe('policyAt', () => {
  test('answers the credit policy of a date, with parsed amounts', () => {
    const book = bookOf(...rulesAndPolicy, policySet('usd', '1', 6, iso('2026-06-01')));
    const before = book.policyAt(new Date('2026-05-31T23:59:59.999Z'));
    expect(before && formatMoney(before.usdPerCredit)).toBe('0.01');
    expect(before?.decimals).toBe(4);
    expect(book.policyAt(day('2026-06-01'))?.id).toBe('usd');
    expect(book.policyAt(day('2019-01-01'))).toBeUndefined();
    expect(book.policy('policy@1')?.rounding).toBe('ceil');
  });

  test('ignores a policy that is applied again', () => {
    const book = bookOf(policySet('a', '1', 6), policySet('b', '1', 6), policySet('a', '2', 6));
    expect(book.policyAt(day('2026-01-01'))?.id).toBe('b');
  });

  test('throws for a credit without a value', () => {
    expect(() => bookOf(policySet('free', '0', 4))).toThrow(CorruptPriceBookError);
  });
});

test('a setting that changes leaves prices alone', () => {
  const changed: PriceBookEvent = {
    type: 'SettingChanged',
    data: { name: 'initial-grant', value: '10', effectiveFrom: iso('2026-01-01') },
  };
  expect(bookOf(publish(gpt4o), changed).modelsAt(day('2026-06-01'))).toHaveLength(1);
});
