import { expect, test } from 'vitest';
import type { ConfigView } from '@tollkeeper/contracts';
import { multiplierEvents } from '@tollkeeper/pricing';
import { decideProposal } from '../domain/multiplier/decide-proposal.js';
import { proposeMultiplier } from '../domain/multiplier/propose.js';
import { evolveMultipliers, noMultipliers } from '../domain/multiplier/state.js';
import { proposeWithdrawal } from '../domain/multiplier/withdraw.js';
import { contextOf, noon, recorded, storyOf } from '../domain/price-book/decision.fixture.js';
import { toConfigsReply } from './configs.convert.js';

const scope = { tier: 'pro' } as const;
const withdrawalId = 'tier:pro@1-withdrawal-1';

/** One rule about to be withdrawn, another about to be approved. */
const pending = storyOf(
  evolveMultipliers,
  noMultipliers,
  ...multiplierEvents({ scope, multiplier: '1.5' }, 'shipped').map((event) => recorded(event)),
)
  .when('alice', (state) =>
    proposeWithdrawal(state, { ruleId: 'tier:pro@1', reason: 'over' }, contextOf('alice')),
  )
  .and.when('alice', (state) =>
    proposeMultiplier(state, { scope, multiplier: '2', reason: 'why' }, contextOf('alice')),
  ).and;

const rejected = pending.when('bob', (state) =>
  decideProposal(
    state,
    { proposalId: withdrawalId, decision: 'reject', reason: 'no' },
    contextOf('bob'),
  ),
).and;

const idsOf = ({ state }: typeof pending, status: ConfigView['status']): string[] => {
  const reply = toConfigsReply([state], { status, limit: 10 }, noon);
  if ('status' in reply) throw new Error(reply.message);
  return reply.configs.map(({ ruleId }) => ruleId);
};

test('an approver finds rules and withdrawals that wait for a decision', () => {
  expect(idsOf(pending, 'proposed')).toEqual(['tier:pro@2', 'tier:pro@1']);
  expect(idsOf(pending, 'approved')).toEqual(['tier:pro@1']);
  expect(idsOf(rejected, 'proposed')).toEqual(['tier:pro@2']);
});
