import { describe, expect, test } from 'vitest';
import type { MultiplierScope, PriceBookEvent } from '@tollkeeper/events';
import { multiplierEvents, scopeName } from '@tollkeeper/pricing';
import { afterNoon, contextOf, noon, recorded, storyOf } from '../price-book/decision.fixture.js';
import { CorruptStreamError } from '../price-book/recorded.js';
import { decideProposal } from './decide-proposal.js';
import { proposeMultiplier } from './propose.js';
import { evolveMultipliers, noMultipliers, ruleInForce, type Multipliers } from './state.js';
import { proposeWithdrawal } from './withdraw.js';

const pro: MultiplierScope = { tier: 'pro' };
type Settings = Readonly<Record<string, string>>;

const given = (multiplier = '1.5', scope = pro): ReturnType<typeof storyOf<Multipliers>> =>
  storyOf(
    evolveMultipliers,
    noMultipliers,
    ...multiplierEvents({ scope, multiplier }, 'shipped').map((event) => recorded(event)),
  );

const propose =
  (multiplier: string, actor = 'alice', settings: Settings = {}, scope = pro) =>
  (state: Multipliers) =>
    proposeMultiplier(state, { scope, multiplier, reason: 'why' }, contextOf(actor, settings));

const decide =
  (proposalId: string, actor: string, decision: 'approve' | 'reject' = 'approve', at = noon) =>
  (state: Multipliers) =>
    decideProposal(
      state,
      { proposalId, decision, reason: 'because' },
      contextOf(actor, {}, { at }),
    );

const withdraw =
  (ruleId: string, actor = 'alice') =>
  (state: Multipliers) =>
    proposeWithdrawal(state, { ruleId, reason: 'over' }, contextOf(actor));

describe('a proposed multiplier', () => {
  test('is recorded with the next number of its scope, from the lead time on', () => {
    expect(given().when('alice', propose('2')).events).toEqual([
      {
        type: 'MultiplierProposed',
        data: {
          ruleId: 'tier:pro@2',
          scope: pro,
          multiplier: '2',
          effectiveFrom: afterNoon(60),
          reason: 'why',
        },
      },
    ]);
  });

  test.each([
    [undefined, afterNoon(60)],
    ['2020-01-01T00:00:00Z', afterNoon(60)],
    [afterNoon(59), afterNoon(60)],
    [afterNoon(61), afterNoon(61)],
    ['2026-12-01T02:00:00+02:00', '2026-12-01T00:00:00.000Z'],
  ])('that is to begin at %s begins at %s', (effectiveFrom, expected) => {
    const command = { scope: pro, multiplier: '2', reason: 'why', effectiveFrom };
    const verdict = proposeMultiplier(noMultipliers, command, contextOf('alice'));
    expect(verdict).toMatchObject([{ data: { effectiveFrom: expected } }]);
  });

  test.each<[string, MultiplierScope]>([
    ['tier with a model alone', { model: 'gpt-4o', tier: 'pro' }],
    ['tier with a provider alone', { provider: 'openai', tier: 'pro' }],
    ['provider that would share a stream', { provider: 'a:b' }],
    ['model that would share a stream', { model: 'a,tier:pro' }],
    ['control character', { model: 'a\nb' }],
    ['name that no stream could have', { model: 'm'.repeat(161) }],
  ])('of a %s is refused', (_, scope) => {
    expect(given().when('alice', propose('2', 'alice', {}, scope)).refusal).toBe('invalid-request');
  });

  test.each([
    ['0.999', {}, 'below-cost'],
    ['0.999', { margin_guard: 'flag' }, undefined],
    ['1', {}, undefined],
    ['0', { margin_guard: 'flag' }, 'invalid-request'],
  ])('of %s with %o is refused as %s', (multiplier, settings, refusal) => {
    expect(given().when('alice', propose(multiplier, 'alice', settings)).refusal).toBe(refusal);
  });
});

describe('auto-approval', () => {
  const isAutomatic = (events: readonly PriceBookEvent[]): boolean =>
    events.some(({ type, data }) => type === 'MultiplierApproved' && 'automatic' in data);

  test.each([
    ['nothing is small by default', '1.5', {}, false],
    ['exactly the threshold up', '1.65', { auto_approve_change_max: '0.1' }, true],
    ['exactly the threshold down', '1.35', { auto_approve_change_max: '0.1' }, true],
    ['one step beyond it', '1.650001', { auto_approve_change_max: '0.1' }, false],
    [
      'the margin target met exactly',
      '1.6',
      { auto_approve_change_max: '0.1', margin_target_pro: '0.375' },
      true,
    ],
    [
      'a margin below the target of its tier',
      '1.6',
      { auto_approve_change_max: '0.1', margin_target_pro: '0.376' },
      false,
    ],
    [
      'the target of another tier',
      '1.6',
      { auto_approve_change_max: '0.1', margin_target_free: '0.9' },
      true,
    ],
  ])('%s', (_, multiplier, settings, automatic) => {
    const { events } = given().when('alice', propose(multiplier, 'alice', settings));
    expect(isAutomatic(events)).toBe(automatic);
  });

  test('a rule of no tier meets the targets of all', () => {
    const settings = { auto_approve_change_max: '1', margin_target_free: '0.5' };
    const story = given('2', {});
    expect(isAutomatic(story.when('a', propose('2.1', 'a', settings, {})).events)).toBe(true);
    expect(isAutomatic(story.when('a', propose('1.9', 'a', settings, {})).events)).toBe(false);
  });

  test('never begins a scope', () => {
    const settings = { auto_approve_change_max: '1' };
    const story = storyOf(evolveMultipliers, noMultipliers);
    expect(isAutomatic(story.when('a', propose('1.5', 'a', settings)).events)).toBe(false);
  });

  test('is for nobody who has set how small a change is small', () => {
    const settings = { auto_approve_change_max: '0.1' };
    const command = { scope: { tier: 'pro' as const }, multiplier: '1.6', reason: 'so' };
    const proposedBy = (actor: string) =>
      given().when(actor, (state) =>
        proposeMultiplier(
          state,
          command,
          contextOf(actor, settings, { settingSetBy: () => 'ann' }),
        ),
      );
    expect(isAutomatic(proposedBy('ann').events)).toBe(false);
    expect(isAutomatic(proposedBy('bob').events)).toBe(true);
  });

  test('goes no further than its threshold from what a person approved, in however many steps', () => {
    const settings = { auto_approve_change_max: '0.1' };
    const later = new Date(noon.getTime() + 3_600_000);
    const first = given().when('alice', propose('1.65', 'alice', settings)).and;
    expect(ruleInForce(first.state, later)).toMatchObject({ multiplier: '1.65', automatic: true });
    const again = proposeMultiplier(
      first.state,
      { scope: pro, multiplier: '1.8', reason: 'why' },
      contextOf('alice', settings, { at: later }),
    );
    expect(again).toMatchObject([{ type: 'MultiplierProposed' }]);
  });
});

describe('a decision on a proposal', () => {
  const proposed = given().when('alice', propose('2')).and;
  const id = 'tier:pro@2';

  test('is somebody else’s', () => {
    expect(proposed.when('alice', decide(id, 'alice')).refusal).toBe('own-proposal');
    expect(proposed.when('alice', decide(id, 'alice', 'reject')).refusal).toBe('own-proposal');
    expect(proposed.when('bob', decide(id, 'bob')).events).toEqual([
      { type: 'MultiplierApproved', data: { ruleId: id, reason: 'because' } },
    ]);
  });

  test.each(['approve', 'reject'] as const)('to %s is the only one', (decision) => {
    const decided = proposed.when('bob', decide(id, 'bob', decision)).and;
    expect(decided.when('carol', decide(id, 'carol', 'approve')).refusal).toBe('not-pending');
    expect(decided.when('carol', decide(id, 'carol', 'reject')).refusal).toBe('not-pending');
  });

  test('that comes late moves the date, and says so', () => {
    const at = new Date(noon.getTime() + 10_000);
    expect(proposed.when('bob', decide(id, 'bob', 'approve', at)).events).toEqual([
      {
        type: 'MultiplierApproved',
        data: { ruleId: id, reason: 'because', effectiveFrom: afterNoon(70) },
      },
    ]);
  });

  test('to reject leaves the rule before it in force', () => {
    const { state } = proposed.when('bob', decide(id, 'bob', 'reject')).and;
    expect(ruleInForce(state, new Date('2030-01-01'))?.ruleId).toBe('tier:pro@1');
  });

  test('to approve holds from the date on, exactly', () => {
    const { state } = proposed.when('bob', decide(id, 'bob')).and;
    expect(ruleInForce(state, new Date(Date.parse(afterNoon(60)) - 1))?.ruleId).toBe('tier:pro@1');
    expect(ruleInForce(state, new Date(afterNoon(60)))?.ruleId).toBe(id);
  });

  test('of what nobody proposed is refused', () => {
    expect(proposed.when('bob', decide('tier:pro@9', 'bob')).refusal).toBe('unknown-config');
  });

  test('to approve is refused once the margin guard refuses what it let in', () => {
    const story = given().when('alice', propose('0.9', 'alice', { margin_guard: 'flag' })).and;
    expect(story.when('bob', decide(id, 'bob')).refusal).toBe('below-cost');
    expect(story.when('bob', decide(id, 'bob', 'reject')).events).toHaveLength(1);
  });
});

describe('a withdrawal', () => {
  const two = given().when('alice', propose('2')).and.when('bob', decide('tier:pro@2', 'bob')).and;
  const id = 'tier:pro@2-withdrawal-1';

  test('is a proposal too, which somebody else approves', () => {
    const proposed = two.when('alice', withdraw('tier:pro@2'));
    expect(proposed.events).toMatchObject([
      { type: 'MultiplierWithdrawalProposed', data: { withdrawalId: id, ruleId: 'tier:pro@2' } },
    ]);
    expect(proposed.and.when('alice', decide(id, 'alice')).refusal).toBe('own-proposal');
    const approved = proposed.and.when('bob', decide(id, 'bob'));
    expect(approved.events).toEqual([
      {
        type: 'MultiplierWithdrawn',
        data: {
          ruleId: 'tier:pro@2',
          withdrawalId: id,
          effectiveFrom: afterNoon(60),
          reason: 'because',
        },
      },
    ]);
    const { state } = approved.and;
    expect(ruleInForce(state, new Date(afterNoon(60)))?.ruleId).toBe('tier:pro@1');
    expect(approved.and.when('carol', decide(id, 'carol')).refusal).toBe('not-pending');
  });

  test('waits for one decision at a time, and may be proposed again when it is rejected', () => {
    const proposed = two.when('alice', withdraw('tier:pro@2')).and;
    expect(proposed.when('carol', withdraw('tier:pro@2', 'carol')).refusal).toBe('not-in-force');
    const rejected = proposed.when('bob', decide(id, 'bob', 'reject')).and;
    expect(rejected.when('alice', withdraw('tier:pro@2')).events).toMatchObject([
      { data: { withdrawalId: 'tier:pro@2-withdrawal-2' } },
    ]);
    expect(ruleInForce(rejected.state, new Date('2030-01-01'))?.ruleId).toBe('tier:pro@2');
  });

  test.each([
    ['unknown-config', 'tier:pro@3'],
    ['not-in-force', 'tier:pro@2'],
  ])('is refused as %s for %s', (refusal, ruleId) => {
    const pending = given().when('alice', propose('2')).and;
    expect(pending.when('alice', withdraw(ruleId)).refusal).toBe(refusal);
  });

  test('leaves a default', () => {
    const story = given('1.5', {});
    expect(story.when('alice', withdraw('default@1')).refusal).toBe('invalid-request');
    const next = story
      .when('alice', propose('2', 'alice', {}, {}))
      .and.when('bob', decide('default@2', 'bob')).and;
    const both = next
      .when('alice', withdraw('default@1'))
      .and.when('alice', withdraw('default@2')).and;
    const one = both.when('bob', decide('default@1-withdrawal-1', 'bob')).and;
    expect(one.when('bob', decide('default@2-withdrawal-1', 'bob')).refusal).toBe('not-in-force');
  });
});

describe('a withdrawal of a default', () => {
  const nextBegins = afterNoon(3_600);
  const story = given('1.5', {}).when('alice', (state) =>
    proposeMultiplier(
      state,
      { scope: {}, multiplier: '2', effectiveFrom: nextBegins, reason: 'why' },
      contextOf('alice'),
    ),
  );
  const approved = story.and.when('bob', decide('default@2', 'bob')).and;

  test.each([
    [afterNoon(3_599), 'invalid-request'],
    [nextBegins, undefined],
  ])('from %s on, with another one to come: %s', (effectiveFrom, refusal) => {
    const verdict = approved.when('alice', (state) =>
      proposeWithdrawal(
        state,
        { ruleId: 'default@1', effectiveFrom, reason: 'over' },
        contextOf('alice'),
      ),
    );
    expect(verdict.refusal).toBe(refusal);
  });
});

describe('evolve', () => {
  test.each<[string, PriceBookEvent]>([
    ['an approval of nothing', { type: 'MultiplierApproved', data: { ruleId: 'x@1' } }],
    [
      'an event of another kind of stream',
      { type: 'PriceAlertIgnored', data: { alertId: 'a', reason: 'r' } },
    ],
  ])('throws at %s', (_, event) => {
    expect(() => evolveMultipliers(noMultipliers, recorded(event))).toThrow(CorruptStreamError);
  });

  test('names scopes as streams are named', () => {
    expect(scopeName(pro)).toBe('tier:pro');
  });
});
