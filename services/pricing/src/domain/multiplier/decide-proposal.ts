import { notBeforeLead, type DecisionContext } from '../price-book/decision-context.js';
import { refuse, type Refusal, type Verdict } from '../price-book/verdict.js';
import { belowCost } from './propose.js';
import { ruleOf, type Multipliers, type Rule, type Withdrawal } from './state.js';
import { isLastDefault } from './withdraw.js';

export interface DecideProposal {
  /** The id of a rule or of its withdrawal. */
  readonly proposalId: string;
  readonly decision: 'approve' | 'reject';
  readonly reason: string;
}

interface Found {
  readonly rule: Rule;
  readonly withdrawal: Withdrawal | undefined;
}

const find = (state: Multipliers, proposalId: string): Found | undefined => {
  const rule = ruleOf(state, proposalId);
  if (rule) return { rule, withdrawal: undefined };
  for (const each of state.rules) {
    const withdrawal = each.withdrawals.find(({ withdrawalId }) => withdrawalId === proposalId);
    if (withdrawal) return { rule: each, withdrawal };
  }
  return undefined;
};

const faultOf = (
  { rule, withdrawal }: Found,
  command: DecideProposal,
  actor: string,
): Refusal | undefined => {
  const { status, proposedBy } = withdrawal ?? rule;
  if (status !== 'proposed') {
    return refuse('not-pending', `${command.proposalId} is ${status}`);
  }
  return proposedBy === actor
    ? refuse('own-proposal', 'whoever proposed it does not decide on it')
    : undefined;
};

const approveRule = (rule: Rule, reason: string, context: DecisionContext): Verdict => {
  const fault = belowCost(rule.multiplier, context);
  if (fault) return fault;
  const effectiveFrom = notBeforeLead(rule.effectiveFrom, context);
  return [
    {
      type: 'MultiplierApproved',
      data: {
        ruleId: rule.ruleId,
        reason,
        ...(effectiveFrom === rule.effectiveFrom ? {} : { effectiveFrom }),
      },
    },
  ];
};

const approveWithdrawal = (
  state: Multipliers,
  rule: Rule,
  withdrawal: Withdrawal,
  { reason }: DecideProposal,
  context: DecisionContext,
): Verdict => {
  const effectiveFrom = notBeforeLead(withdrawal.effectiveFrom, context);
  if (isLastDefault(state, rule, effectiveFrom)) {
    return refuse('not-in-force', 'the last default rule stays: propose another multiplier');
  }
  const { ruleId } = rule;
  const { withdrawalId } = withdrawal;
  return [{ type: 'MultiplierWithdrawn', data: { ruleId, effectiveFrom, reason, withdrawalId } }];
};

/** Refused: `unknown-config`, `not-pending`, `own-proposal`; `below-cost` where the margin guard refuses by now. */
export const decideProposal = (
  state: Multipliers,
  command: DecideProposal,
  context: DecisionContext,
): Verdict => {
  const found = find(state, command.proposalId);
  if (!found) return refuse('unknown-config', `there is no proposal ${command.proposalId}`);
  const fault = faultOf(found, command, context.actor);
  if (fault) return fault;
  const { rule, withdrawal } = found;
  const { reason } = command;
  const { ruleId } = rule;
  if (command.decision === 'approve') {
    return withdrawal
      ? approveWithdrawal(state, rule, withdrawal, command, context)
      : approveRule(rule, reason, context);
  }
  return withdrawal
    ? [
        {
          type: 'MultiplierWithdrawalRejected',
          data: { withdrawalId: withdrawal.withdrawalId, ruleId, reason },
        },
      ]
    : [{ type: 'MultiplierRejected', data: { ruleId, reason } }];
};
