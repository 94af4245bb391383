import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import {
  listVendorPrices,
  listVendorPricesReply,
  pricingAdminSubjects,
  publishVendorPrice,
  vendorPriceReply,
  withdrawVendorPrice,
  type VendorPriceView,
} from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';

import { CommandError } from '../command-error.js';
import { checkedBody } from '../commands/correction.js';
import { everyPage } from '../every-page.js';
import type { Operator } from '../operator.js';
import { table } from '../print.js';
import { orderFields } from '../order-fields.js';
import { exactBody } from './exact-body.js';

export interface PriceFilter {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** Every version, newest first; else those in force. */
  readonly history?: boolean;
}

export const vendorPrices = (operator: Operator, filter: PriceFilter): Promise<VendorPriceView[]> =>
  everyPage(async (after) => {
    const body = checkedBody(listVendorPrices, { ...filter, limit: 500, after });
    const subject = pricingAdminSubjects.listVendorPrices;
    const question = { subject, body, reply: listVendorPricesReply };
    const { prices, next } = await orderFields(operator, question);
    return { items: prices, next };
  });

/** The document of a file, or of standard input for `-`. */
export const readDocument = async (file: string): Promise<unknown> => {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(
    (error: unknown) => {
      throw new CommandError('unreadable-input', `cannot read ${file}: ${messageOf(error)}`);
    },
  );
  try {
    return JSON.parse(content) as unknown;
  } catch (error) {
    throw new CommandError('invalid-json', `${file} is not JSON: ${messageOf(error)}`);
  }
};

/** The fields of a price, with or without the `reason` among them, as the HTTP API takes them. */
export const publishable = (document: unknown, reason: string | undefined) => {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new CommandError('invalid-option', 'the file holds no price: {"provider":…, "rates":…}');
  }
  const { reason: within, ...price } = document as Readonly<Record<string, unknown>>;
  return exactBody(publishVendorPrice, { price, reason: reason ?? within });
};

export const publishPrice = async (
  operator: Operator,
  body: ReturnType<typeof publishable>,
): Promise<VendorPriceView> => {
  const subject = pricingAdminSubjects.publishVendorPrice;
  return (await orderFields(operator, { subject, body, reply: vendorPriceReply })).price;
};

export const withdrawPrice = async (
  operator: Operator,
  priceVersion: string,
  options: { readonly reason: string; readonly effectiveFrom?: string },
): Promise<VendorPriceView> => {
  const body = checkedBody(withdrawVendorPrice, { priceVersion, ...options });
  const subject = pricingAdminSubjects.withdrawVendorPrice;
  return (await orderFields(operator, { subject, body, reply: vendorPriceReply })).price;
};

type Rate = VendorPriceView['rates'][number];

/** `input 2.5` is US dollars for a million tokens; other quantities and conditions are named. */
export const rateText = ({ meter, rateUsd, per, unit, ...when }: Rate): string => {
  const quantity = per === '1000000' && unit === 'token' ? '' : `/${per} ${unit}`;
  const conditions = [
    when.serviceTier,
    when.inputTokensOver === undefined ? undefined : `over ${String(when.inputTokensOver)}`,
    when.window && `${when.window.from}-${when.window.to}`,
    when.region,
  ].filter((condition) => condition !== undefined);
  const suffix = conditions.length === 0 ? '' : ` (${conditions.join(', ')})`;
  return `${meter} ${rateUsd}${quantity}${suffix}`;
};

const isPlain = (rate: Rate): boolean =>
  rate.serviceTier === undefined &&
  rate.inputTokensOver === undefined &&
  rate.window === undefined &&
  rate.region === undefined;

/** Rates with conditions are counted, unless all are asked for. */
const ratesText = (rates: readonly Rate[], all: boolean): string => {
  const shown = all ? rates : rates.filter(isPlain);
  const hidden = rates.length - shown.length;
  const more = hidden === 0 ? [] : [`+${String(hidden)}`];
  return [...shown.map(rateText), ...more].join(', ');
};

export const priceLines = (prices: readonly VendorPriceView[], all = false): string[] =>
  table(
    ['version', 'from', 'until', 'in force', 'source', 'US dollars'],
    prices.map((price) => [
      price.priceVersion,
      price.effectiveFrom,
      price.withdrawnFrom ?? price.effectiveTo ?? '-',
      price.inForce ? 'yes' : 'no',
      price.source.name,
      ratesText(price.rates, all),
    ]),
  );
