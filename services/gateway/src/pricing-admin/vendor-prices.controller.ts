import { Controller, Delete, Get, HttpCode, Inject, Patch, Post, Req } from '@nestjs/common';
import {
  listVendorPricesReply,
  pricingAdminSubjects,
  vendorPriceReply,
  type VendorPriceView,
} from '@tollkeeper/contracts';
import type { FastifyRequest } from 'fastify';
import { problemOf } from '../http/http-refusal.js';
import { readCall, type PricingCall } from './pricing-call.js';
import { PricingDesk } from './pricing-desk.js';
import { bodyOf, modelOf, patched } from './vendor-price-patch.convert.js';
import {
  listVendorPricesOperation,
  publishVendorPriceOperation,
  reviseVendorPriceOperation,
  vendorPriceHistoryOperation,
  withdrawVendorPriceOperation,
} from './vendor-prices.operations.js';

/** Vendor prices are facts: published without a proposal, corrected by a new version. */
@Controller('api/admin/pricing/vendor-prices')
export class VendorPricesController {
  constructor(@Inject(PricingDesk) private readonly desk: PricingDesk) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(listVendorPricesOperation, request);
    const subject = pricingAdminSubjects.listVendorPrices;
    return this.desk.ask(call, { subject, body: call.fields, reply: listVendorPricesReply });
  }

  @Get('history')
  history(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(vendorPriceHistoryOperation, request);
    const subject = pricingAdminSubjects.listVendorPrices;
    const body = { ...call.fields, history: true };
    return this.desk.ask(call, { subject, body, reply: listVendorPricesReply });
  }

  @Post()
  publish(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(publishVendorPriceOperation, request);
    const { reason, ...price } = call.fields;
    const subject = pricingAdminSubjects.publishVendorPrice;
    return this.desk.ask(call, { subject, body: { price, reason }, reply: vendorPriceReply });
  }

  @Patch(':priceVersion')
  @HttpCode(201)
  async revise(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(reviseVendorPriceOperation, request);
    const { reason, ...changes } = call.fields;
    const price = patched(bodyOf(await this.versionOf(call)), changes);
    const subject = pricingAdminSubjects.publishVendorPrice;
    return this.desk.ask(call, { subject, body: { price, reason }, reply: vendorPriceReply });
  }

  @Delete(':priceVersion')
  withdraw(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(withdrawVendorPriceOperation, request);
    const subject = pricingAdminSubjects.withdrawVendorPrice;
    const body = { ...call.fields, ...call.params };
    return this.desk.ask(call, { subject, body, reply: vendorPriceReply });
  }

  /** A version never changes, so that reading it first leaves nothing to chance. */
  private async versionOf({
    adminKey,
    params: { priceVersion },
  }: PricingCall<unknown, { readonly priceVersion: string }>): Promise<VendorPriceView> {
    const named = modelOf(priceVersion);
    const subject = pricingAdminSubjects.listVendorPrices;
    let after: string | undefined;
    if (named) {
      do {
        const body = { ...named, history: true, limit: 100, after };
        const page = await this.desk.ask(
          { adminKey },
          { subject, body, reply: listVendorPricesReply },
        );
        const found = page.prices.find((price) => price.priceVersion === priceVersion);
        if (found) return found;
        after = page.next;
      } while (after !== undefined);
    }
    throw problemOf(404, 'unknown-price', `There is no price version ${priceVersion}.`);
  }
}
