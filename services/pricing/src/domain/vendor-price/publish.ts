import { notBeforeLead, type DecisionContext } from '../price-book/decision-context.js';
import { isRefusal, refuse, type Verdict } from '../price-book/verdict.js';
import { candidateOf, type OfferedPrice, type PriceContext } from './offer.js';
import { nextVersionId, versionOf, type ModelPrices } from './state.js';

/** A new version of a model's price, at once: it is a fact, and charges nothing that was reserved before. */
export const publishPrice = (
  state: ModelPrices,
  offer: OfferedPrice,
  reason: string,
  context: PriceContext,
): Verdict => {
  const candidate = candidateOf(offer, context);
  if (isRefusal(candidate)) return candidate;
  const priceVersion = nextVersionId(state, candidate.provider, candidate.model);
  return [{ type: 'VendorPricePublished', data: { priceVersion, ...candidate, reason } }];
};

export interface WithdrawPrice {
  readonly priceVersion: string;
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
}

/** Refused: `unknown-price`, `not-in-force` where it is withdrawn already. */
export const withdrawPrice = (
  state: ModelPrices,
  command: WithdrawPrice,
  context: DecisionContext,
): Verdict => {
  const { priceVersion, reason } = command;
  const version = versionOf(state, priceVersion);
  if (!version) return refuse('unknown-price', `there is no price version ${priceVersion}`);
  if (version.withdrawnFrom !== undefined) {
    return refuse('not-in-force', `${priceVersion} is withdrawn from ${version.withdrawnFrom}`);
  }
  const { provider, model } = version.price;
  const effectiveFrom = notBeforeLead(command.effectiveFrom, context);
  return [
    {
      type: 'VendorPriceWithdrawn',
      data: { provider, model, priceVersion, effectiveFrom, reason },
    },
  ];
};
