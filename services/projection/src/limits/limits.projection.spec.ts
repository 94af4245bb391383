import { expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { given } from '../story/project-story.fixture.js';
import type { LimitRow } from './limits.projection.js';

const opened = (): AccountStory => new AccountStory('a').opened();

const after = (
  story: AccountStory,
  tell: (story: AccountStory) => void,
): (LimitRow | undefined)[] => [...given(story).when(tell).limits.values()];

it('a limit has its scope, window, unit and amount', () => {
  expect(after(opened(), (story) => story.limitSet('l', '5', 'k1'))).toEqual([
    {
      account_id: 'a',
      limit_id: 'l',
      revision: 1,
      scope_type: 'key',
      scope_id: 'k1',
      time_window: 'month',
      unit: 'credits',
      amount: '5',
      mode: 'soft',
      set_at: '2026-11-20T10:00:01.000Z',
      changed_at: '2026-11-20T10:00:01.000Z',
      warned_period: null,
      warned_used: null,
      warned_at: null,
    },
  ]);
});

it('a limit set again has another amount, counts on from when it was first set, and keeps its warning', () => {
  const warned = opened().limitSet('l', '5').limitWarned('l', '6', '5');
  expect(after(warned, (story) => story.limitSet('l', '9'))).toMatchObject([
    {
      revision: 3,
      scope_type: 'account',
      scope_id: null,
      amount: '9',
      set_at: '2026-11-20T10:00:01.000Z',
      changed_at: '2026-11-20T10:00:03.000Z',
      warned_period: '2026-11',
      warned_used: '6',
    },
  ]);
});

it('a limit that is removed is gone, and set anew it begins anew', () => {
  const set = opened().limitSet('l', '5').limitWarned('l', '6', '5');
  expect(after(set, (story) => story.limitRemoved('l'))).toEqual([undefined]);
  expect(after(set, (story) => story.limitSet('l', '5'))).toMatchObject([
    { set_at: '2026-11-20T10:00:04.000Z', warned_period: null },
  ]);
});
