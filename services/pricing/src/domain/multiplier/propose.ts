import { Money, parseMoney } from '@tollkeeper/kernel';
import { tiers, type MultiplierScope, type PriceBookEvent } from '@tollkeeper/events';
import { levelOf, scopeName } from '@tollkeeper/pricing';
import { notBeforeLead, type DecisionContext } from '../price-book/decision-context.js';
import { nameFault } from '../price-book/names.js';
import { refuse, type Refusal, type Verdict } from '../price-book/verdict.js';
import { ruleInForce, type Multipliers, type Rule } from './state.js';

export interface ProposeMultiplier {
  readonly scope: MultiplierScope;
  /** Above 0. */
  readonly multiplier: string;
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
  readonly alertId?: string | undefined;
}

const one = new Money(1);

/** 1 − 1 ÷ multiplier: the share of a charge that is margin; unrounded. */
export const marginOf = (multiplier: Money): Money => one.minus(one.div(multiplier));

/** A charge below the vendor's bill is only proposed where the margin guard merely flags it. */
export const belowCost = (multiplier: string, context: DecisionContext): Refusal | undefined =>
  parseMoney(multiplier).lt(one) && context.setting('margin_guard') !== 'flag'
    ? refuse('below-cost', `a multiplier of ${multiplier} charges less than the vendor bills`)
    : undefined;

const isWithin = (multiplier: Money, rule: Rule, changeMax: Money): boolean => {
  const before = parseMoney(rule.multiplier);
  return multiplier.minus(before).abs().lte(before.times(changeMax));
};

/** A rule without a tier may charge calls of each. */
const meetsTargets = (
  { tier }: MultiplierScope,
  multiplier: Money,
  context: DecisionContext,
): boolean =>
  (tier === undefined ? tiers : [tier]).every((each) =>
    marginOf(multiplier).gte(parseMoney(context.setting(`margin_target_${each}`))),
  );

/**
 * A small change of the rule in force needs nobody else. It is measured against the last one that a person approved as well:
 * otherwise many small steps would go any distance. Who has set how small that is needs somebody else all the same.
 */
const isAutomatic = (
  state: Multipliers,
  command: ProposeMultiplier,
  context: DecisionContext,
): boolean => {
  const changeMax = parseMoney(context.setting('auto_approve_change_max'));
  const inForce = ruleInForce(state, context.at);
  const byPerson = ruleInForce(state, context.at, ({ automatic }) => automatic === undefined);
  if (changeMax.isZero() || !inForce || !byPerson) return false;
  if (context.settingSetBy('auto_approve_change_max') === context.actor) return false;
  const multiplier = parseMoney(command.multiplier);
  return (
    isWithin(multiplier, inForce, changeMax) &&
    isWithin(multiplier, byPerson, changeMax) &&
    meetsTargets(command.scope, multiplier, context)
  );
};

const scopeOf = ({ provider, model, tier }: MultiplierScope): MultiplierScope => ({
  ...(provider === undefined ? {} : { provider }),
  ...(model === undefined ? {} : { model }),
  ...(tier === undefined ? {} : { tier }),
});

/** What no rule can be for. */
export const scopeFault = (scope: MultiplierScope): Refusal | undefined =>
  levelOf(scope) === undefined
    ? refuse('invalid-request', 'a tier stands alone, or with provider and model')
    : nameFault(scope);

/** Refused: `invalid-request`, `below-cost`. */
export const proposeMultiplier = (
  state: Multipliers,
  command: ProposeMultiplier,
  context: DecisionContext,
): Verdict => {
  const scope = scopeOf(command.scope);
  if (parseMoney(command.multiplier).lte(0)) {
    return refuse('invalid-request', 'a multiplier is above 0');
  }
  const fault = scopeFault(scope) ?? belowCost(command.multiplier, context);
  if (fault) return fault;
  const ruleId = `${scopeName(scope)}@${String(state.rules.length + 1)}`;
  const proposed: PriceBookEvent = {
    type: 'MultiplierProposed',
    data: {
      ruleId,
      scope,
      multiplier: command.multiplier,
      effectiveFrom: notBeforeLead(command.effectiveFrom, context),
      reason: command.reason,
      ...(command.alertId === undefined ? {} : { alertId: command.alertId }),
    },
  };
  return isAutomatic(state, command, context)
    ? [proposed, { type: 'MultiplierApproved', data: { ruleId, automatic: true } }]
    : [proposed];
};
