import { parseMoney, type Money } from '@tollkeeper/kernel';
import type { DecisionContext } from './context.js';

/**
 * The rules that admins may change while everything runs: what they have set by the time of the decision, else what the
 * operator configured. Looked up only by the decisions that need them.
 */

const settingOf = ({ prices, at }: DecisionContext, name: string): string | undefined =>
  prices.settingAt(name, at);

const amountOf = (context: DecisionContext, name: string): Money | undefined => {
  const text = settingOf(context, name);
  return text === undefined ? undefined : parseMoney(text);
};

/** Worth of the grant that a personal account opens with. */
export const initialGrantUsd = (context: DecisionContext): Money =>
  amountOf(context, 'initial_grant_usd') ?? context.rules.initialGrantUsd;

/** The most that a free account is charged in one month of its own. */
export const freeMonthlyBudgetCredits = (context: DecisionContext): Money =>
  amountOf(context, 'free_tier_monthly_credits') ?? context.rules.freeTier.monthlyBudgetCredits;

/** The dearest output rate of a model that the free tier may call. */
export const freeOutputUsdPerMillionMax = (context: DecisionContext): Money =>
  amountOf(context, 'free_tier_output_usd_per_million_max') ??
  context.rules.freeTier.outputUsdPerMillionMax;

/** Whether a list of models names one; undefined where there is no list, so that its rate decides. */
export const isFreeModel = (context: DecisionContext, model: string): boolean | undefined => {
  const listed = settingOf(context, 'free_tier_models');
  if (listed === undefined) return context.rules.freeTier.models?.has(model);
  return listed === '' ? undefined : `,${listed},`.includes(`,${model},`);
};
