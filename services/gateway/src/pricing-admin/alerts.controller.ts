import { Controller, Delete, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { alertReply, listAlertsReply, pricingAdminSubjects } from '@tollkeeper/contracts';
import type { FastifyRequest } from 'fastify';
import {
  decideAlertOperation,
  ignoreAlertOperation,
  listAlertsOperation,
} from './alerts.operations.js';
import { readCall } from './pricing-call.js';
import { PricingDesk } from './pricing-desk.js';

/** What imports found changed. */
@Controller('api/admin/pricing/alerts')
export class AlertsController {
  constructor(@Inject(PricingDesk) private readonly desk: PricingDesk) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(listAlertsOperation, request);
    const subject = pricingAdminSubjects.listAlerts;
    return this.desk.ask(call, { subject, body: call.fields, reply: listAlertsReply });
  }

  @Post(':alertId')
  @HttpCode(200)
  decide(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(decideAlertOperation, request);
    const subject = pricingAdminSubjects.decideAlert;
    const body = { ...call.fields, ...call.params };
    return this.desk.ask(call, { subject, body, reply: alertReply });
  }

  @Delete(':alertId')
  ignore(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(ignoreAlertOperation, request);
    const subject = pricingAdminSubjects.decideAlert;
    const body = { ...call.fields, ...call.params, decision: 'ignore' };
    return this.desk.ask(call, { subject, body, reply: alertReply });
  }
}
