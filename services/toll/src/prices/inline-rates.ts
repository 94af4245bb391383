import { vendorRate, type VendorRate } from '@tollkeeper/events';
import { formatMoney, readAmount } from '@tollkeeper/kernel';

import { isRefusedLine, refuse, type RefusedLine } from './refusal.js';

/** No vendor lists more for one model. */
const ratesMax = 200;

const amountOf = (value: unknown): string | undefined => {
  const amount = typeof value === 'string' ? readAmount(value) : undefined;
  return amount && formatMoney(amount);
};

const rateOf = (value: unknown, place: number): VendorRate | RefusedLine => {
  const name = `rates[${String(place)}]`;
  if (typeof value !== 'object' || value === null)
    return refuse('invalid-rates', `${name} is no object`);
  const { per, rateUsd, inputTokensOver, ...rest } = value as Record<string, unknown>;
  const over = inputTokensOver === undefined ? {} : { inputTokensOver: Number(inputTokensOver) };
  const amounts = { per: amountOf(per), rateUsd: amountOf(rateUsd) };
  const rate = vendorRate.safeParse({ unit: 'token', ...rest, ...amounts, ...over });
  if (rate.success) return rate.data;
  const [issue] = rate.error.issues;
  return refuse('invalid-rates', `${name}.${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
};

const conditionsOf = (rate: VendorRate): string => {
  const { meter, serviceTier, region, inputTokensOver, window } = rate;
  return JSON.stringify([meter, serviceTier, region, inputTokensOver, window?.from, window?.to]);
};

/** @param value the list with each number as its text (`parseExact`) */
export const inlineRates = (value: unknown): readonly VendorRate[] | RefusedLine => {
  if (!Array.isArray(value) || value.length === 0 || value.length > ratesMax) {
    return refuse('invalid-rates', `rates is a list of 1 to ${String(ratesMax)} rates`);
  }
  const rates: VendorRate[] = [];
  const seen = new Set<string>();
  for (const [place, item] of value.entries()) {
    const rate = rateOf(item, place);
    if (isRefusedLine(rate)) return rate;
    const conditions = conditionsOf(rate);
    if (seen.has(conditions))
      return refuse('invalid-rates', `rates[${String(place)}] is there twice`);
    seen.add(conditions);
    rates.push(rate);
  }
  return rates;
};
