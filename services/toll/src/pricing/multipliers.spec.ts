import type { ConfigView } from '@tollkeeper/contracts';
import { describe, expect, it } from 'vitest';

import { multiplierLines, scopeOf } from './multipliers.js';

describe('the scope of a proposal', () => {
  it.each([
    [{ tier: 'pro' }, { tier: 'pro' }],
    [
      { provider: 'openai', model: 'gpt-4o' },
      { provider: 'openai', model: 'gpt-4o' },
    ],
    [{ default: true }, {}],
  ])('of %j is %j', (options, scope) => {
    expect(scopeOf(options)).toEqual(scope);
  });

  it.each([{}, { tier: 'pro', default: true }])('is not left open: %j', (options) => {
    expect(() => scopeOf(options)).toThrow('--default alone');
  });
});

describe('multipliers on a screen', () => {
  const config: ConfigView = {
    ruleId: 'tier:pro@2',
    scope: { tier: 'pro' },
    level: 'tier',
    multiplier: '1.4',
    margin: '0.285714',
    effectiveFrom: '2026-11-20T12:00:00.000Z',
    status: 'approved',
    inForce: true,
    proposedBy: 'ann',
    proposedAt: '2026-11-20T11:00:00.000Z',
    reason: 'less',
    decidedBy: 'bob',
    decidedAt: '2026-11-20T11:30:00.000Z',
    decisionReason: 'agreed',
  };
  const withdrawal = {
    withdrawalId: 'tier:pro@2-withdrawal-1',
    status: 'proposed' as const,
    effectiveFrom: '2026-12-01T00:00:00.000Z',
    proposedBy: 'bob',
    proposedAt: '2026-11-21T11:00:00.000Z',
    reason: 'too low',
  };

  it('say who proposed, who decided, and why', () => {
    const [, line] = multiplierLines([config]);
    expect(line?.trim().split(/ {2,}/)).toEqual([
      'tier:pro@2',
      '1.4',
      '0.285714',
      '2026-11-20T12:00:00.000Z',
      'approved, in force',
      'ann',
      'bob',
      'less / agreed',
    ]);
  });

  it('show the id that a withdrawal is decided by', () => {
    const lines = multiplierLines([{ ...config, withdrawal }]);
    expect(lines).toHaveLength(3);
    expect(lines[2]?.trim().split(/ {2,}/)).toEqual([
      'tier:pro@2-withdrawal-1',
      '-',
      '-',
      '2026-12-01T00:00:00.000Z',
      'withdrawal proposed',
      'bob',
      '-',
      'too low',
    ]);
  });

  it('name the rule for small changes where nobody decided', () => {
    const { decidedBy: _, ...rest } = config;
    expect(multiplierLines([{ ...rest, automatic: true }])[1]).toContain('automatically');
  });
});
