import {
  listVendorPrices,
  modelRef,
  vendorPriceAccepted,
  vendorPriceBody,
  vendorPriceView,
  withdrawVendorPrice,
} from '@tollkeeper/contracts';
import { z } from 'zod';
import { operation } from '../http/operation.js';
import { always, none, ofCommands, reason, withdrawalFields } from './parameters.js';

const path = '/api/admin/pricing/vendor-prices';
const tag = 'vendor prices';
const params = withdrawVendorPrice.pick({ priceVersion: true });
const ofPublishing = [...ofCommands, 'implausible-rate', 'exchange-rate-missing'];

export const pricePage = z
  .object({ prices: z.array(vendorPriceView), next: z.string().optional(), asOf: z.string() })
  .meta({ description: 'Without `next`, the last page.' });

export const listVendorPricesOperation = operation({
  id: 'listVendorPrices',
  method: 'GET',
  path,
  tag,
  summary: 'Vendor prices that are in force, a page at a time.',
  key: 'admin',
  fields: listVendorPrices.omit({ history: true }),
  params: none,
  status: 200,
  reply: pricePage,
  refusals: always,
});

export const vendorPriceHistoryOperation = operation({
  id: 'vendorPriceHistory',
  method: 'GET',
  path: `${path}/history`,
  tag,
  summary: 'Every version of a model’s price, newest first.',
  key: 'admin',
  fields: listVendorPrices.omit({ history: true }).extend(modelRef.shape),
  params: none,
  status: 200,
  reply: pricePage,
  refusals: always,
});

/** The fields of a price beside `reason`, as the CLI’s files have them too. */
export const publishFields = vendorPriceBody.extend({ reason });

export const publishVendorPriceOperation = operation({
  id: 'publishVendorPrice',
  method: 'POST',
  path,
  tag,
  summary: 'Publish a vendor price: the first of a model, or a new version.',
  key: 'admin',
  fields: publishFields,
  params: none,
  status: 201,
  reply: vendorPriceAccepted,
  refusals: ofPublishing,
});

const { shape } = vendorPriceBody;
const orNull = <T extends z.ZodType>(schema: T) => schema.nullable();

/** A merge patch (RFC 7396) of a version: what is left out stays, `null` removes, a list replaces the list. */
export const reviseFields = z.object({
  reason,
  effectiveFrom: shape.effectiveFrom,
  rates: shape.rates.optional(),
  currency: shape.currency.unwrap().optional(),
  source: shape.source.optional(),
  aliases: orNull(shape.aliases),
  effectiveTo: orNull(shape.effectiveTo),
  factors: orNull(shape.factors),
  fallbacks: orNull(shape.fallbacks),
  exchangeRate: orNull(shape.exchangeRate),
  contextTokensMax: orNull(shape.contextTokensMax),
  outputTokensMax: orNull(shape.outputTokensMax),
  notes: orNull(shape.notes),
});
export type ReviseFields = z.infer<typeof reviseFields>;

export const reviseVendorPriceOperation = operation({
  id: 'reviseVendorPrice',
  method: 'PATCH',
  path: `${path}/{priceVersion}`,
  tag,
  summary: 'Publish a new version that differs from this one in what is named.',
  key: 'admin',
  fields: reviseFields,
  params,
  status: 201,
  reply: vendorPriceAccepted,
  refusals: [...ofPublishing, 'unknown-price'],
});

export const withdrawVendorPriceOperation = operation({
  id: 'withdrawVendorPrice',
  method: 'DELETE',
  path: `${path}/{priceVersion}`,
  tag,
  summary: 'Withdraw a version: from then on the price is unknown, not free.',
  key: 'admin',
  fields: withdrawalFields,
  params,
  status: 200,
  reply: vendorPriceAccepted,
  refusals: [...ofCommands, 'unknown-price', 'not-in-force'],
});
