import { notBeforeLead, type DecisionContext } from '../price-book/decision-context.js';
import { refuse, type Verdict } from '../price-book/verdict.js';
import { ruleOf, type Multipliers, type Rule } from './state.js';

export interface ProposeWithdrawal {
  readonly ruleId: string;
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
}

const isDefault = ({ scope }: Rule): boolean => Object.keys(scope).length === 0;

/** Whether no other default has begun when this one ends: calls that no other rule is for could not be charged. */
export const isLastDefault = (state: Multipliers, rule: Rule, endsAt: string): boolean =>
  isDefault(rule) &&
  !state.rules.some(
    ({ ruleId, status, effectiveFrom }) =>
      ruleId !== rule.ruleId &&
      status === 'approved' &&
      Date.parse(effectiveFrom) <= Date.parse(endsAt),
  );

/** Refused: `unknown-config`, `not-in-force` (or about to be withdrawn), `invalid-request` for the last default rule. */
export const proposeWithdrawal = (
  state: Multipliers,
  command: ProposeWithdrawal,
  context: DecisionContext,
): Verdict => {
  const { ruleId, reason } = command;
  const rule = ruleOf(state, ruleId);
  if (!rule) return refuse('unknown-config', `there is no rule ${ruleId}`);
  if (rule.status !== 'approved') return refuse('not-in-force', `${ruleId} is ${rule.status}`);
  const pending = rule.withdrawals.find(({ status }) => status === 'proposed');
  if (pending) {
    return refuse('not-in-force', `${pending.withdrawalId} waits for a decision already`);
  }
  const effectiveFrom = notBeforeLead(command.effectiveFrom, context);
  if (isLastDefault(state, rule, effectiveFrom)) {
    return refuse('invalid-request', 'the last default rule stays: propose another multiplier');
  }
  const withdrawalId = `${ruleId}-withdrawal-${String(rule.withdrawals.length + 1)}`;
  return [
    {
      type: 'MultiplierWithdrawalProposed',
      data: { withdrawalId, ruleId, effectiveFrom, reason },
    },
  ];
};
