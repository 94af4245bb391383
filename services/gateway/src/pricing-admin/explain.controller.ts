import { Controller, Get, Inject, Req } from '@nestjs/common';
import { explainReply, pricingSubjects } from '@tollkeeper/contracts';
import type { FastifyRequest } from 'fastify';
import { problemOf } from '../http/http-refusal.js';
import { AdminKeyStore } from '../identity/admin-key.store.js';
import { hashOf } from '../identity/api-key.js';
import { explainOperation } from './explain.operations.js';
import { readCall } from './pricing-call.js';
import { PricingDesk } from './pricing-desk.js';

/**
 * Charges explained. The question itself is open to every service on NATS, so that here the gateway checks the key: any
 * role may read.
 */
@Controller('api/admin/pricing/explain')
export class ExplainController {
  constructor(
    @Inject(PricingDesk) private readonly desk: PricingDesk,
    @Inject(AdminKeyStore) private readonly keys: AdminKeyStore,
  ) {}

  @Get(':accountId/:reservationId')
  async explain(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(explainOperation, request);
    await this.identify(call.adminKey);
    const subject = pricingSubjects.explain;
    return this.desk.ask(call, { subject, body: call.params, reply: explainReply });
  }

  private async identify(adminKey: string): Promise<void> {
    const admin = await this.keys.find(hashOf(adminKey)).catch(() => {
      const message = 'Admin keys cannot be checked at the moment.';
      throw problemOf(503, 'busy', message, { retryAfterS: 1 });
    });
    if (!admin) throw problemOf(401, 'not-authorized', 'The admin key is not valid.');
  }
}
