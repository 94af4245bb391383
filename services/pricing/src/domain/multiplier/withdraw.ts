import { notBeforeLead, type DecisionContext } from '../price-book/decision-context.js';
import { refuse, type Verdict } from '../price-book/verdict.js';
import { ruleOf, type Multipliers, type Rule } from './state.js';

export interface ProposeWithdrawal {
  readonly ruleId: string;
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
}

const isDefault = ({ scope }: Rule): boolean => Object.keys(scope).length === 0;

/** Without one, calls that no other rule is for could not be charged. */
export const isLastDefault = (state: Multipliers, rule: Rule): boolean =>
  isDefault(rule) &&
  state.rules.every((other) => other.ruleId === rule.ruleId || other.status !== 'approved');

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
  if (isLastDefault(state, rule)) {
    return refuse('invalid-request', 'the last default rule stays: propose another multiplier');
  }
  const effectiveFrom = notBeforeLead(command.effectiveFrom, context);
  const withdrawalId = `${ruleId}-withdrawal-${String(rule.withdrawals.length + 1)}`;
  return [
    {
      type: 'MultiplierWithdrawalProposed',
      data: { withdrawalId, ruleId, effectiveFrom, reason },
    },
  ];
};
