import { compilePriceVersion } from '@tollkeeper/pricing';
import { bench, describe } from 'vitest';
import { bookOf, chargedAt, chargedCall, version, type Asked } from './charged-calls.fixture.js';
import { Proposal } from './proposal.js';
import { Simulation } from './simulation.js';

/** 10,000 usages a pass beside the same charges by decimals; `hz` × 10,000 is usages a second on one core, the aim 200,000. */
describe('10,000 usages', () => {
  const book = bookOf();
  const tiers = ['free', 'pro', 'enterprise', 'enterprise_max'] as const;
  const asked = Array.from({ length: 10_000 }, (_, place): Asked => ({
    provider: 'openai',
    model: place % 3 === 0 ? 'gpt-4o-mini' : 'gpt-4o',
    tier: tiers[place % 4] ?? 'pro',
    pools: { input: 100 + ((place * 7919) % 20_000), output: (place * 104_729) % 3_000 },
    at: new Date(Date.UTC(2026, 5, 1) + place * 60_000),
  }));
  const calls = asked.map((question, place) =>
    chargedCall(book, question, { userId: `usr_${String(place % 500)}` }),
  );
  const multipliers = tiers.map((tier) => ({ scope: { tier }, multiplier: '1.75' }));
  const prices = [version('openai', 'gpt-4o', { input: '3', output: '12' })].map(
    compilePriceVersion,
  );

  const run = (proposal: Proposal): void => {
    const simulation = new Simulation(proposal, book);
    for (const call of calls) simulation.add(call);
    simulation.figures();
  };

  bench('four multipliers', () => {
    run(new Proposal(multipliers, [], book));
  });
  bench('four multipliers and a price', () => {
    run(new Proposal(multipliers, prices, book));
  });
  bench('four multipliers by decimals, charges alone', () => {
    for (const question of asked) chargedAt(book, question, '1.75');
  });
});
