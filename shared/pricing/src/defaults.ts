import type { CreditPolicy, MultiplierScope, PriceBookEvent } from '@tollkeeper/events';

/** What every price book begins with, and the presets that an operator may choose instead. */

const beginning = '2020-01-01T00:00:00.000Z';

/** `default`, `tier:pro`, `provider:openai,model:gpt-4o,tier:pro`. */
export const scopeName = ({ provider, model, tier }: MultiplierScope): string => {
  const parts = Object.entries({ provider, model, tier }).flatMap(([field, value]) =>
    value === undefined ? [] : [`${field}:${value}`],
  );
  return parts.length === 0 ? 'default' : parts.join(',');
};

export interface DefaultMultiplier {
  readonly scope: MultiplierScope;
  readonly multiplier: string;
}

/** Margins of 33.3 % by default and for pro, 50 % for free, 16.7 % and 4.76 % for enterprises. */
export const defaultMultipliers: readonly DefaultMultiplier[] = [
  { scope: {}, multiplier: '1.5' },
  { scope: { tier: 'free' }, multiplier: '2' },
  { scope: { tier: 'pro' }, multiplier: '1.5' },
  { scope: { tier: 'enterprise' }, multiplier: '1.2' },
  { scope: { tier: 'enterprise_max' }, multiplier: '1.05' },
];

/** One markup of 15 % for every tier. */
export const markup15: readonly DefaultMultiplier[] = [{ scope: {}, multiplier: '1.15' }];

export type CreditTerms = Pick<CreditPolicy, 'usdPerCredit' | 'decimals' | 'rounding'>;

/** One credit is a cent, charged to the hundredth of a hundredth of it. */
export const defaultCreditTerms: CreditTerms = {
  usdPerCredit: '0.01',
  decimals: 4,
  rounding: 'ceil',
};

/** Whole credits of a cent: ceil(cost × multiplier ÷ 0.01). */
export const wholeCredits: CreditTerms = { usdPerCredit: '0.01', decimals: 0, rounding: 'ceil' };

/** One credit is a dollar, charged to the millionth. */
export const usdCredits: CreditTerms = { usdPerCredit: '1', decimals: 6, rounding: 'ceil' };

/** A rule that was proposed and approved before anything was billed. */
export const multiplierEvents = (
  { scope, multiplier }: DefaultMultiplier,
  reason: string,
  ruleId = `${scopeName(scope)}@1`,
): PriceBookEvent[] => [
  {
    type: 'MultiplierProposed',
    data: { ruleId, scope, multiplier, effectiveFrom: beginning, reason },
  },
  { type: 'MultiplierApproved', data: { ruleId, reason } },
];

export const creditTermsEvent = (policyId: string, terms: CreditTerms): PriceBookEvent => ({
  type: 'CreditPolicySet',
  data: { policyId, ...terms, effectiveFrom: beginning },
});
