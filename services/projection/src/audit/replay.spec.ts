import { createMemoryEventStore, type EventStore } from '@tollkeeper/event-store';
import { expect, it } from 'vitest';
import { everything } from '../story/everything.fixture.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { replay, replayHeader, replayLine, type ReplayStep } from './replay.js';

const stored = async (story: AccountStory): Promise<EventStore> => {
  const store = createMemoryEventStore();
  await store.append(story.stream, 'no-stream', story.events);
  return store;
};

const stepsOf = async (store: EventStore, accountId: string): Promise<ReplayStep[]> => {
  const steps: ReplayStep[] = [];
  for await (const step of replay(store, accountId)) steps.push(step);
  return steps;
};

const story = (): AccountStory =>
  new AccountStory('a').opened().granted('100').reserved('r1', '40').settled('r1', '0.1');

it('tells every event of an account in order, with the balance after it', async () => {
  const steps = await stepsOf(await stored(story()), 'a');
  expect(steps.map(({ type, change, balance }) => [type, change, balance])).toEqual([
    ['AccountOpened', '0', '0'],
    ['CreditsGranted', '100', '100'],
    ['Reserved', '0', '100'],
    ['Settled', '-0.1', '99.9'],
  ]);
});

it('tells nothing of an account that does not exist', async () => {
  expect(await stepsOf(await stored(story()), 'b')).toEqual([]);
});

it('stops with the revision at an event that cannot be read', async () => {
  const broken = story();
  const last = broken.events.pop();
  if (!last) throw new Error('no event');
  broken.tellStored({ ...last, data: '{}' });
  await expect(stepsOf(await stored(broken), 'a')).rejects.toThrow(
    'revision 3 cannot be replayed: Settled',
  );
});

it('tells the events of a whole life, each with what it is about', async () => {
  const life = everything().find(({ accountId }) => accountId === 'acc_life');
  if (!life) throw new Error('no story');
  const store = await stored(life);
  const steps = await stepsOf(store, 'acc_life');
  const told = steps.map((step) => {
    const [type, about] = replayLine(step).slice(36).split(/ {2,}/);
    return `${type ?? ''} ${about ?? ''} ${step.change} ${step.balance}`;
  });
  expect(told).toEqual(
    expect.arrayContaining([
      'GrantExpired g2 -4 4',
      'Refunded r1 2.5 6.5',
      'CreditsAdjusted a2 -9 -4.5',
      'DebtRepaid g5 0 -0.5',
      'GrantVoided g6 -14.5 5',
      'TierChanged pro to enterprise 0 -95',
      'AccountFrozen fraud-check 0 -95',
      'LimitWarned per-key 0 7',
      'BalanceAlertsSet below 10, 5 0 19',
      'LowBalanceReached below 10 0 19',
      'RecurringGrantSet monthly 0 16',
      'TopUpRuleSet below 5 0 19',
      'TopUpRequested t1 0 -0.5',
    ]),
  );
});

it('prints one line an event, under a header', async () => {
  const steps = await stepsOf(await stored(story()), 'a');
  expect([replayHeader(), ...steps.map(replayLine)].join('\n')).toMatchInlineSnapshot(`
    "revision  time                      event              about                                         change       available        reserved        debt         balance
           0  2026-11-20T10:00:00.000Z  AccountOpened                                                                         0               0           0               0
           1  2026-11-20T10:00:01.000Z  CreditsGranted     g1                                               100             100               0           0             100
           2  2026-11-20T10:00:02.000Z  Reserved           r1                                                                60              40           0             100
           3  2026-11-20T10:00:03.000Z  Settled            r1                                              -0.1            99.9               0           0            99.9"
  `);
});
