import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { balanceReply, creditSubjects, pricingSubjects, quoteReply } from '@tollkeeper/contracts';
import type { FastifyRequest } from 'fastify';
import { readFields } from '../http/request-fields.js';
import { ApiKeys } from '../identity/api-keys.js';
import { PricingDesk } from '../pricing-admin/pricing-desk.js';
import { quoteOperation } from './quote.operation.js';

/** What a call would be charged; nothing is reserved. */
@Controller('api/quote')
export class QuoteController {
  constructor(
    @Inject(ApiKeys) private readonly keys: ApiKeys,
    @Inject(PricingDesk) private readonly desk: PricingDesk,
  ) {}

  @Post()
  @HttpCode(200)
  async quote(@Req() request: FastifyRequest): Promise<object> {
    const { accountId } = await this.keys.identify(request.headers.authorization);
    const fields = readFields(quoteOperation, request);
    const subject = creditSubjects.balance(accountId);
    const { tier } = await this.desk.ask({}, { subject, body: {}, reply: balanceReply });
    const body = { ...fields, tier };
    return this.desk.ask({}, { subject: pricingSubjects.quote, body, reply: quoteReply });
  }
}
