import { describe, expect, it } from 'vitest';

import { checkedCount, limitLines, scopeOf } from './policy.js';

describe('the scope of a limit', () => {
  it.each([
    ['account', { type: 'account' }],
    ['key:k1', { type: 'key', id: 'k1' }],
    ['user:usr_1', { type: 'user', id: 'usr_1' }],
    ['project:p-1', { type: 'project', id: 'p-1' }],
  ])('is read from %s', (text, scope) => {
    expect(scopeOf(text)).toEqual(scope);
  });

  it.each(['', 'key', 'key:', 'account:a1', 'team:t1', 'key:a b', 'user:a:b'])(
    'is not "%s"',
    (text) => {
      expect(() => scopeOf(text)).toThrow('is not');
    },
  );
});

describe('a count', () => {
  it('is a whole number and names its option where it is not', () => {
    expect(checkedCount('day', '28')).toBe(28);
    for (const text of ['', '-1', '1.5', '1e3', 'ten']) {
      expect(() => checkedCount('day', text)).toThrow('day: ');
    }
  });
});

describe('limits on a screen', () => {
  it('tell what is allowed and used, but no use of a rate', () => {
    const limits = [
      {
        limitId: 'budget',
        scope: { type: 'project' as const, id: 'p1' },
        window: 'month' as const,
        unit: 'credits' as const,
        mode: 'hard' as const,
        amount: '100',
        period: '2026-11',
        used: '12.5',
      },
      {
        limitId: 'pace',
        scope: { type: 'account' as const },
        window: 'minute' as const,
        unit: 'requests' as const,
        mode: 'rate' as const,
        amount: '60',
        period: '2026-11-20T10:15',
      },
    ];
    expect(limitLines({ accountId: 'a1', limits, asOf: '2026-11-20T10:15:00.000Z' })).toEqual([
      '  budget  project:p1  100 credits per month (hard)  used 12.5',
      '  pace  account  60 requests per minute (rate)',
    ]);
  });
});
