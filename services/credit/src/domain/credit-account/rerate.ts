import type { PricedAttempt, Quote } from '@tollkeeper/events';
import type { PriceBook } from '@tollkeeper/pricing';
import { chargeOf, type Pricing } from './charge.js';
import type { CorrectUsage, Rerating } from './commands.js';
import type { DecisionContext } from './context.js';
import type { Reservation } from './state.js';
import { refuse, type Verdict } from './verdict.js';

/**
 * What a correction or a re-rating comes to, or why it must not be charged. A call that is priced so already is charged again as it
 * is: the event keeps the command, so that its retry after a re-rating back is not taken for a new one.
 */
export const priceAgain = (
  { attempts, rerating }: CorrectUsage,
  reservation: Reservation,
  context: DecisionContext,
): { readonly pricing: Pricing } | { readonly verdict: Verdict } => {
  const { quote, charged } = reservation;
  const again = rerating && requoted(quote, rerating, context.prices);
  if (again && 'refused' in again) return { verdict: again.refused };
  const usage = { attempts, amountCredits: undefined };
  if (again && !costs(charged?.answer.costUsd, chargeOf(usage, reservation, context))) {
    return { verdict: refuse('invalid-request', 'these attempts are not what is charged now') };
  }
  const pricing = chargeOf(
    usage,
    again ? { ...reservation, quote: again.quote } : reservation,
    context,
  );
  if ('misfit' in pricing) return { verdict: refuse('invalid-request', pricing.misfit) };
  if (rerating && !pricing.data.attempts.some((each) => isAt(each, rerating))) {
    const message = `no attempt is priced by ${rerating.priceVersion}`;
    return { verdict: refuse('invalid-request', message) };
  }
  return { pricing };
};

/** Whoever re-rates has read the usage elsewhere, perhaps before it was corrected. */
const costs = (costUsd: string | undefined, priced: ReturnType<typeof chargeOf>): boolean =>
  'data' in priced && priced.data.vendorCostUsd === costUsd;

const isAt = ({ priceVersion }: PricedAttempt, rerating: Rerating): boolean =>
  priceVersion === rerating.priceVersion;

/** The quote with another version of one model's price; the same quote where it holds that version already. */
const requoted = (
  quote: Quote | undefined,
  { priceVersion }: Rerating,
  prices: PriceBook,
): { readonly quote: Quote } | { readonly refused: Verdict } => {
  const version = prices.version(priceVersion);
  if (!version) {
    return { refused: refuse('unknown-price', `there is no price version ${priceVersion}`) };
  }
  const { provider, model } = version;
  const isOfModel = (each: Quote['candidates'][number]): boolean =>
    each.provider === provider && each.model === model;
  if (!quote?.candidates.some(isOfModel)) {
    const message = `the reservation was not quoted for ${provider}/${model}`;
    return { refused: refuse('invalid-request', message) };
  }
  return { quote: withVersion(quote, provider, model, priceVersion) };
};

/** Rules, policy and bound stay: a re-rating changes what the vendor billed for, nothing that was agreed. */
export const withVersion = (
  quote: Quote,
  provider: string,
  model: string,
  priceVersion: string,
): Quote => {
  const isOther = (each: Quote['candidates'][number]): boolean =>
    each.provider === provider && each.model === model && each.priceVersion !== priceVersion;
  if (!quote.candidates.some(isOther)) return quote;
  const candidates = quote.candidates.map((each) =>
    isOther(each) ? { ...each, priceVersion } : each,
  );
  return { ...quote, candidates };
};
