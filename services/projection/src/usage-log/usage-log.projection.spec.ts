import { describe, expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { chargeOf } from '../story/charge.fixture.js';
import { given } from '../story/project-story.fixture.js';
import { chargedFigures, type UsageRow } from './usage-log.projection.js';

const funded = (): AccountStory => new AccountStory('a').opened().granted('100');

const usageAfter = (given_: AccountStory, tell: (story: AccountStory) => void): UsageRow[] => [
  ...given(given_).when(tell).usage.values(),
];

describe('the usage log', () => {
  it('tells who called what for, what was used and what it cost', () => {
    const reserved = funded().reserved('r', '9', {
      projectId: 'p1',
      keyId: 'k1',
      taskType: 'chat',
      context: { ticket: '7' },
    });
    const [row] = usageAfter(reserved, (story) =>
      story.settled('r', { input: 1000, cacheRead: 200, output: 500 }),
    );
    expect(row).toMatchObject({
      account_id: 'a',
      reservation_id: 'r',
      user_id: 'caller',
      project_id: 'p1',
      key_id: 'k1',
      task_type: 'chat',
      context: { ticket: '7' },
      provider: 'openai',
      model: 'gpt-4o',
      pools: { input: 1000, cache_read: 200, output: 500 },
      input_tokens: 1200,
      output_tokens: 500,
      vendor_cost_usd: '0.00775',
      charge_credits: '1.1625',
      charge_usd: '0.011625',
      provenance: 'exact',
      late: false,
      corrected: false,
      local_date: '2026-11-20',
    });
  });

  it('has a row without vendor or tokens for a plain amount', () => {
    const [row] = usageAfter(funded().reserved('r', '9'), (story) => story.settled('r', '3'));
    expect(row).toMatchObject({
      model: null,
      provenance: null,
      input_tokens: null,
      output_tokens: null,
      vendor_cost_usd: '0',
      charge_credits: '3',
    });
  });

  it('knows late usage by the reservation that was released', () => {
    const released = funded().reserved('r', '9', { projectId: 'p1' }).released('r', 'expired');
    const [row] = usageAfter(released, (story) => story.settledLate('r', { output: 10 }));
    expect(row).toMatchObject({ late: true, project_id: 'p1', output_tokens: 10 });
  });

  it('replaces the figures by a correction, and keeps whose call it was and its day', () => {
    const settled = funded()
      .reserved('r', '9')
      .settled('r', { output: 10, provenance: 'estimated' });
    const { usage, corrections } = given(settled).when((story) => {
      story.later(86_400_000).corrected('r', { output: 90 });
    });
    expect(usage.size).toBe(0);
    expect([...corrections.values()]).toMatchObject([
      { reservation_id: 'r', output_tokens: 90, provenance: 'exact', charge_credits: '0.135' },
    ]);
    const sameBatch = usageAfter(funded(), (story) =>
      story.reserved('r', '9').settled('r', { output: 10 }).corrected('r', { output: 90 }),
    );
    expect(sameBatch).toMatchObject([{ output_tokens: 90, corrected: true }]);
  });

  it('counts all attempts, and trusts them as much as the least certain one that was billed', () => {
    const { attempts: first, ...charge } = chargeOf({ output: 10, provenance: 'estimated' });
    const { attempts: second } = chargeOf({ output: 20, model: 'gpt-5' });
    expect(chargedFigures({ ...charge, attempts: [...first, ...second] })).toMatchObject({
      model: 'gpt-5',
      output_tokens: 30,
      provenance: 'estimated',
    });
    const unbilled = first.map((attempt) => ({ ...attempt, billed: false, lines: [] }));
    expect(chargedFigures({ ...charge, attempts: [...second, ...unbilled] })).toMatchObject({
      model: 'gpt-5',
      output_tokens: 20,
      provenance: 'exact',
    });
  });

  it('says of unknown usage that nobody knows it, never that it was zero', () => {
    const { attempts, ...charge } = chargeOf({ output: 10 });
    const unknown = attempts.map((attempt) => ({
      ...attempt,
      provenance: 'unknown' as const,
      lines: [{ meter: 'bound', quantity: '1', unit: 'call', per: '1', rateUsd: '0.2' }],
    }));
    expect(chargedFigures({ ...charge, attempts: unknown })).toMatchObject({
      input_tokens: null,
      output_tokens: null,
      provenance: 'unknown',
    });
  });
});
