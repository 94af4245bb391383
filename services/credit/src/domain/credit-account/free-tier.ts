import { standardRateUsd, type PriceVersion } from '@tollkeeper/pricing';
import type { DecisionContext } from './context.js';
import type { FreeTierRules } from './rules.js';
import type { CreditAccount } from './state.js';
import { refuse, type Verdict } from './verdict.js';

const million = 1_000_000;

/** A refusal where an account of the free tier asks for a model that it may not call, whatever alias was named. */
export const modelBeyondTier = (
  candidates: readonly { readonly version: PriceVersion }[],
  account: CreditAccount,
  context: DecisionContext,
  startedAt: Date,
): Verdict | undefined => {
  if (account.tier !== 'free') return undefined;
  for (const { version } of candidates) {
    if (mayCall(version, context.rules.freeTier, startedAt)) continue;
    const model = `${version.provider}/${version.model}`;
    const message = `the tier ${account.tier} may not call ${model}`;
    return refuse('model-not-in-tier', message, { model, tier: account.tier });
  }
  return undefined;
};

/** By the operator's list or, without one, by the output rate. A rate that nobody knows is not a low one. */
const mayCall = (version: PriceVersion, rules: FreeTierRules, startedAt: Date): boolean => {
  if (rules.models) return rules.models.has(`${version.provider}/${version.model}`);
  const tokenUsd = standardRateUsd(version, 'output', 'token', startedAt);
  return tokenUsd?.times(million).lte(rules.outputUsdPerMillionMax) ?? false;
};
