import { unreachable } from '@tollkeeper/kernel';
import type { MultiplierScope, PriceBookEventOf } from '@tollkeeper/events';
import { CorruptStreamError, misplaced, type Recorded } from '../price-book/recorded.js';

/** Who asked for a change, and who said yes or no. */
interface Decided {
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly reason: string;
  /** Absent while it is pending, and where nobody had to. */
  readonly decidedBy?: string;
  readonly decidedAt?: string;
  readonly decisionReason?: string;
}

export interface Withdrawal extends Decided {
  readonly withdrawalId: string;
  readonly status: 'proposed' | 'approved' | 'rejected';
  readonly effectiveFrom: string;
}

export interface Rule extends Decided {
  readonly ruleId: string;
  readonly scope: MultiplierScope;
  readonly multiplier: string;
  readonly effectiveFrom: string;
  readonly status: 'proposed' | 'approved' | 'rejected' | 'withdrawn';
  readonly automatic?: true;
  readonly alertId?: string;
  readonly withdrawnFrom?: string;
  readonly withdrawals: readonly Withdrawal[];
}

/** The rules of one scope, as proposed. */
export interface Multipliers {
  readonly rules: readonly Rule[];
  /** Ids in the order of their approval: of two from the same instant on the later approved holds. */
  readonly approved: readonly string[];
}

export const noMultipliers: Multipliers = { rules: [], approved: [] };

export const ruleOf = ({ rules }: Multipliers, ruleId: string): Rule | undefined =>
  rules.find((rule) => rule.ruleId === ruleId);

const changed = (state: Multipliers, ruleId: string, change: (rule: Rule) => Rule): Multipliers => {
  if (!ruleOf(state, ruleId)) throw new CorruptStreamError(`rule ${ruleId} was never proposed`);
  const rules = state.rules.map((rule) => (rule.ruleId === ruleId ? change(rule) : rule));
  return { ...state, rules };
};

const decision = (event: Recorded, reason: string | undefined): Partial<Decided> => ({
  decidedBy: event.metadata.actor,
  decidedAt: event.metadata.occurredAt,
  ...(reason === undefined ? {} : { decisionReason: reason }),
});

const proposed = (
  state: Multipliers,
  { data, metadata }: Recorded & PriceBookEventOf<'MultiplierProposed'>,
): Multipliers => ({
  ...state,
  rules: [
    ...state.rules,
    {
      ...data,
      status: 'proposed',
      proposedBy: metadata.actor,
      proposedAt: metadata.occurredAt,
      withdrawals: [],
    } as Rule,
  ],
});

const approved = (
  state: Multipliers,
  event: Recorded & PriceBookEventOf<'MultiplierApproved'>,
): Multipliers => {
  const { ruleId, reason, effectiveFrom, automatic } = event.data;
  const after = changed(state, ruleId, (rule) => ({
    ...rule,
    ...(automatic ? { automatic, decidedAt: event.metadata.occurredAt } : decision(event, reason)),
    status: 'approved',
    effectiveFrom: effectiveFrom ?? rule.effectiveFrom,
  }));
  return { ...after, approved: [...state.approved, ruleId] };
};

const withdrawalProposed = (
  state: Multipliers,
  { data, metadata }: Recorded & PriceBookEventOf<'MultiplierWithdrawalProposed'>,
): Multipliers =>
  changed(state, data.ruleId, (rule) => ({
    ...rule,
    withdrawals: [
      ...rule.withdrawals,
      {
        withdrawalId: data.withdrawalId,
        status: 'proposed',
        effectiveFrom: data.effectiveFrom,
        proposedBy: metadata.actor,
        proposedAt: metadata.occurredAt,
        reason: data.reason,
      },
    ],
  }));

const withdrawalDecided = (
  rule: Rule,
  withdrawalId: string | undefined,
  change: Partial<Withdrawal>,
): readonly Withdrawal[] =>
  rule.withdrawals.map((each) =>
    each.withdrawalId === withdrawalId ? { ...each, ...change } : each,
  );

/** Applies a fact of a stream `multiplier-<scope>`. @throws CorruptStreamError */
export const evolveMultipliers = (state: Multipliers, event: Recorded): Multipliers => {
  switch (event.type) {
    case 'MultiplierProposed':
      return proposed(state, event);
    case 'MultiplierApproved':
      return approved(state, event);
    case 'MultiplierRejected':
      return changed(state, event.data.ruleId, (rule) => ({
        ...rule,
        ...decision(event, event.data.reason),
        status: 'rejected',
      }));
    case 'MultiplierWithdrawalProposed':
      return withdrawalProposed(state, event);
    case 'MultiplierWithdrawalRejected':
      return changed(state, event.data.ruleId, (rule) => ({
        ...rule,
        withdrawals: withdrawalDecided(rule, event.data.withdrawalId, {
          ...decision(event, event.data.reason),
          status: 'rejected',
        }),
      }));
    case 'MultiplierWithdrawn': {
      const { effectiveFrom, reason, withdrawalId, ruleId } = event.data;
      return changed(state, ruleId, (rule) => ({
        ...rule,
        status: 'withdrawn',
        withdrawnFrom: effectiveFrom,
        withdrawals: withdrawalDecided(rule, withdrawalId, {
          ...decision(event, reason),
          status: 'approved',
          effectiveFrom,
        }),
      }));
    }
    case 'VendorPricePublished':
    case 'VendorPriceWithdrawn':
    case 'CreditPolicySet':
    case 'SettingChanged':
    case 'PriceAlertRaised':
    case 'PriceAlertAcknowledged':
    case 'PriceAlertApplied':
    case 'PriceAlertIgnored':
      return misplaced(event);
    default:
      return unreachable(event);
  }
};

/** The rule that charges calls of the scope at a moment, if no more specific one does. */
export const ruleInForce = (
  { rules, approved: order }: Multipliers,
  at: Date,
  stands: (rule: Rule) => boolean = () => true,
): Rule | undefined => {
  const atMs = at.getTime();
  let found: Rule | undefined;
  for (const ruleId of order) {
    const rule = rules.find((each) => each.ruleId === ruleId);
    if (!rule || Date.parse(rule.effectiveFrom) > atMs || !stands(rule)) continue;
    if (rule.withdrawnFrom !== undefined && Date.parse(rule.withdrawnFrom) <= atMs) continue;
    if (!found || Date.parse(rule.effectiveFrom) >= Date.parse(found.effectiveFrom)) found = rule;
  }
  return found;
};
