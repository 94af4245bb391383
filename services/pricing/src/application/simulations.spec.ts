import { describe, expect, test } from 'vitest';
import { bookOf, chargedCall } from '../domain/simulation/charged-calls.fixture.js';
import { Simulations } from './simulations.js';

const book = bookOf();
const at = new Date('2026-06-08T00:00:00.000Z');
const affected = 3_000;
/** The bus carries 1 MB. */
const messageBytesMax = 1_048_576;

const calls = Array.from({ length: affected }, (_each, place) =>
  chargedCall(
    book,
    {
      provider: 'openai',
      model: 'gpt-4o',
      tier: 'pro',
      pools: { input: 1000 + place },
      at: new Date('2026-06-02T00:00:00.000Z'),
    },
    { userId: `usr_${String(place).padStart(60, '0')}` },
  ),
);

const simulations = (): Simulations =>
  new Simulations(
    () => Promise.resolve({ calls, next: null, asOf: at.toISOString(), stale: false }),
    book,
  );

const order = {
  days: 7,
  multipliers: [{ scope: { tier: 'pro' }, multiplier: '3' }],
  versions: [],
  users: 2_000,
} as const;

describe('the affected users of a simulation', () => {
  test('are read to the end, by messages that the bus carries', async () => {
    const asked = simulations();
    const view = await asked.run('sim_1', order, at);
    expect(JSON.stringify(view).length).toBeLessThan(messageBytesMax / 2);
    const users = [...view.users];
    while (users.length < view.affectedUsers) {
      const page = asked.usersAfter('sim_1', users.length);
      if (!page || page.users.length === 0) throw new Error('a page is missing');
      expect(JSON.stringify(page).length).toBeLessThan(messageBytesMax / 2);
      users.push(...page.users);
      expect(page.next).toBe(users.length < affected ? users.length : undefined);
    }
    expect(new Set(users.map(({ userId }) => userId)).size).toBe(affected);
  });

  test('of one that is run again under its id push nobody else’s out', async () => {
    const asked = simulations();
    const ids = Array.from({ length: 8 }, (_each, place) => `sim_${String(place)}`);
    for (const id of [...ids, 'sim_7']) await asked.run(id, order, at);
    expect(ids.map((id) => asked.usersAfter(id, 0)?.users.length)).not.toContain(undefined);
    await asked.run('sim_8', order, at);
    expect(asked.usersAfter('sim_0', 0)).toBeUndefined();
  });
});
