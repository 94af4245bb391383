import { describe, expect, it } from 'vitest';
import type { SimulationView } from './pricing-simulation.js';
import { simulationRows } from './simulation-rows.js';

const figures = { revenueUsd: '3', costUsd: '2', marginUsd: '1', margin: '0.333333' };
const free = { revenueUsd: '0', costUsd: '2', marginUsd: '-2' };
const line = { usages: 4, before: figures, after: free };
const user = {
  userId: 'u1',
  usages: 4,
  beforeCredits: '300',
  afterCredits: '0',
  deltaCredits: '-300',
  deltaUsd: '-3',
};

const viewOf = (provider: string, model: string): SimulationView => ({
  simulationId: 's1',
  from: '2026-11-01T00:00:00.000Z',
  to: '2026-11-08T00:00:00.000Z',
  usages: 4,
  changed: 4,
  totals: { before: figures, after: free },
  net: { revenueUsd: '-3', costUsd: '0', marginUsd: '-3' },
  byTier: [{ tier: 'pro', ...line }],
  byProvider: [{ provider, ...line }],
  byModel: [{ provider, model, share: '1', ...line }],
  affectedUsers: 1,
  users: [],
  unpriced: [],
  asOf: '2026-11-08T00:00:00.000Z',
  stale: false,
});

describe('a simulation as a table', () => {
  it('has a name for each column, and a column for each figure', () => {
    const [header, ...rows] = simulationRows(viewOf('openai', 'gpt-4o'), [user]);
    const named = rows.map((row) =>
      Object.fromEntries(row.map((cell, at) => [String(header?.[at]), cell])),
    );
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => header?.length));
    expect(named.map(({ section, name }) => `${String(section)} ${String(name)}`)).toEqual([
      'total ',
      'tier pro',
      'provider openai',
      'model openai/gpt-4o',
      'user u1',
    ]);
    expect(named[0]).toMatchObject({
      usages: '4',
      before_revenueUsd: '3',
      before_margin: '0.333333',
      after_marginUsd: '-2',
      after_margin: '',
      deltaUsd: '',
    });
    expect(named[4]).toMatchObject({ usages: '4', before_revenueUsd: '', deltaCredits: '-300' });
  });

  it.each(['=HYPERLINK("http://a.example","x")', '+1', '-1', '@SUM(A1)', '\tx'])(
    'holds no formula where a name looks like one: %s',
    (provider) => {
      const rows = simulationRows(viewOf(provider, 'm'), []);
      const names = rows.map(([, name]) => name);
      expect(names.slice(3)).toEqual([`'${provider}`, `'${provider}/m`]);
    },
  );
});
