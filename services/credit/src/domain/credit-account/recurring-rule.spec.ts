import { describe, expect, it } from 'vitest';
import { given, opened } from './credit-account.fixture.js';
import { recur } from './operator.fixture.js';
import { dueAt, duePeriod, isKeptForRule } from './recurring-rule.js';

describe('a month’s credits', () => {
  it.each([
    ['2026-04', 1, 'Europe/Berlin', '2026-03-31T22:00:00.000Z'],
    ['2026-04', 9, 'UTC', '2026-04-09T00:00:00.000Z'],
    ['2026-02', 28, 'America/New_York', '2026-02-28T05:00:00.000Z'],
  ] as const)('of %s on day %i in %s come at %s', (period, day, zone, iso) => {
    const due = new Date(iso);
    expect(dueAt(period, day, zone)).toEqual(due);
    expect(duePeriod(due, day, zone)).toBe(period);
    expect(duePeriod(new Date(due.getTime() - 1), day, zone)).not.toBe(period);
  });
});

describe('the id of a month that a rule has to post', () => {
  const { recurringGrants } = given(opened)
    .when(recur('5'))
    .when(recur('6', { recurringId: 'plan_2026-09' })).account;

  it.each([
    ['monthly_2026-04', true],
    ['plan_2026-09_2026-10', true],
    ['plan_2026-09', false],
    ['other_2026-04', false],
    ['monthly', false],
    ['monthly-2026-04', false],
    ['monthly_2026-4x', false],
    ['monthly_202x-04', false],
    ['monthly_2026/04', false],
    ['plan_2026-09_2026-1x', false],
  ])('is kept for it: %s, %s', (grantId, isKept) => {
    expect(isKeptForRule(grantId, recurringGrants)).toBe(isKept);
  });
});
