import type { VendorPriceBody, VendorPriceView } from '@tollkeeper/contracts';
import { problemOf } from '../http/http-refusal.js';
import type { ReviseFields } from './vendor-prices.operations.js';

type Changes = Omit<ReviseFields, 'reason'>;

/** A version as it would be published again, in the currency of its price list. It begins when it is published, not when the old one did. */
export const bodyOf = (view: VendorPriceView): VendorPriceBody => {
  const { provider, model, aliases, effectiveTo, factors, fallbacks, source, notes } = view;
  const { exchange, contextTokensMax, outputTokensMax } = view;
  const rates = view.rates.map(({ rateUsd, listedRate, ...rate }) => ({
    ...rate,
    rate: listedRate ?? rateUsd,
  }));
  return {
    ...{ provider, model, aliases, effectiveTo, rates, factors, fallbacks },
    currency: exchange?.currency ?? 'USD',
    exchangeRate: exchange && { usdPerUnit: exchange.usdPerUnit, asOf: exchange.asOf },
    ...{ contextTokensMax, outputTokensMax, source, notes },
  };
};

/** @throws HttpRefusal 422 where the amounts would change their currency and stay as they are. */
export const patched = (body: VendorPriceBody, changes: Changes): VendorPriceBody => {
  const otherCurrency = changes.currency !== undefined && changes.currency !== body.currency;
  if (otherCurrency && changes.rates === undefined) {
    throw problemOf(422, 'invalid-request', 'currency: another one takes other rates too');
  }
  const kept = otherCurrency ? { ...body, exchangeRate: null } : body;
  const merged = Object.entries({ ...kept, ...changes }).filter(([, value]) => value !== null);
  return Object.fromEntries(merged) as VendorPriceBody;
};

/** `<provider>:<model>@<n>`: a provider has no colon, and what follows the last `@` is the number. */
export const modelOf = (
  priceVersion: string,
): { readonly provider: string; readonly model: string } | undefined => {
  const [, provider, model] = /^([^:]+):(.+)@[^@]+$/.exec(priceVersion) ?? [];
  return provider === undefined || model === undefined ? undefined : { provider, model };
};
