import { standardRateUsd, type PriceVersion } from '@tollkeeper/pricing';
import type { DecisionContext } from './context.js';
import { freeOutputUsdPerMillionMax, isFreeModel } from './set-rules.js';
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
    const model = `${version.provider}/${version.model}`;
    if (isFreeModel(context, model) ?? isCheap(version, context, startedAt)) continue;
    const message = `the tier ${account.tier} may not call ${model}`;
    return refuse('model-not-in-tier', message, { model, tier: account.tier });
  }
  return undefined;
};

/** By the output rate. One that nobody knows is not a low one. */
const isCheap = (version: PriceVersion, context: DecisionContext, startedAt: Date): boolean => {
  const tokenUsd = standardRateUsd(version, 'output', 'token', startedAt);
  return tokenUsd?.times(million).lte(freeOutputUsdPerMillionMax(context)) ?? false;
};
