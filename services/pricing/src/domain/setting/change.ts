import type { CreditPolicy } from '@tollkeeper/events';
import { settingDefinition } from '@tollkeeper/pricing';
import { notBeforeLead, type DecisionContext } from '../price-book/decision-context.js';
import { refuse, type Refusal, type Verdict } from '../price-book/verdict.js';
import { inForceAt, type PolicyEntry, type Setting } from './state.js';

export interface ChangeSetting {
  readonly key: string;
  readonly value: string;
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
}

/** The fields of the credit policy that are settings of their own to whoever changes them. */
export const policyFields = {
  usd_per_credit: 'usdPerCredit',
  credit_decimals: 'decimals',
} as const;

export const isPolicyField = (key: string): key is keyof typeof policyFields =>
  Object.hasOwn(policyFields, key);

/** The stream `setting-<name>` that a setting is recorded in. */
export const recordedAs = (key: string): string => (isPolicyField(key) ? 'credit-policy' : key);

type Terms = Pick<CreditPolicy, 'usdPerCredit' | 'decimals' | 'effectiveFrom'>;

const termsOf = ({ usdPerCredit, decimals, effectiveFrom }: Terms): Terms => ({
  usdPerCredit,
  decimals,
  effectiveFrom,
});

const builtIn = ({ setting, at }: DecisionContext): Terms => ({
  usdPerCredit: setting('usd_per_credit'),
  decimals: Number(setting('credit_decimals')),
  effectiveFrom: at.toISOString(),
});

const valueOf = (key: keyof typeof policyFields, value: string): string | number =>
  key === 'credit_decimals' ? Number(value) : value;

/** The policies that hold after a date, each once, in the order in which they begin. */
const inOrder = (policies: readonly PolicyEntry[], after: string): PolicyEntry[] => {
  const later = policies.filter(({ effectiveFrom }) => effectiveFrom > after);
  const dates = [...new Set(later.map(({ effectiveFrom }) => effectiveFrom))].sort();
  return dates.flatMap((date) => later.findLast((each) => each.effectiveFrom === date) ?? []);
};

export const settingFault = ({ key, value }: ChangeSetting): Refusal | undefined => {
  const definition = settingDefinition(key);
  if (!definition) return refuse('unknown-setting', `there is no setting ${key}`);
  const fault = definition.fault(value);
  return fault === undefined ? undefined : refuse('invalid-request', `${key} ${fault}`);
};

const policyEvents = (
  { policies }: Setting,
  { value, reason }: ChangeSetting,
  key: keyof typeof policyFields,
  effectiveFrom: string,
  context: DecisionContext,
): Verdict => {
  const field = policyFields[key];
  const before = inForceAt(policies, new Date(effectiveFrom)) ?? builtIn(context);
  const changed: Terms[] = [{ ...termsOf(before), effectiveFrom, [field]: valueOf(key, value) }];
  // What is to come keeps its own change, and takes this one where it left the field alone.
  let previous: Terms = before;
  for (const policy of inOrder(policies, effectiveFrom)) {
    if (policy[field] !== previous[field]) break;
    changed.push({ ...termsOf(policy), [field]: valueOf(key, value) });
    previous = policy;
  }
  return changed.map((terms, place) => ({
    type: 'CreditPolicySet',
    data: {
      policyId: `credit-policy@${String(policies.length + 1 + place)}`,
      ...terms,
      rounding: 'ceil',
      reason,
    },
  }));
};

/** Refused: `unknown-setting`, `invalid-request`. */
export const changeSetting = (
  state: Setting,
  command: ChangeSetting,
  context: DecisionContext,
): Verdict => {
  const fault = settingFault(command);
  if (fault) return fault;
  const { key, value, reason } = command;
  const effectiveFrom = notBeforeLead(command.effectiveFrom, context);
  if (!isPolicyField(key)) {
    return [{ type: 'SettingChanged', data: { name: key, value, effectiveFrom, reason } }];
  }
  return policyEvents(state, command, key, effectiveFrom, context);
};
