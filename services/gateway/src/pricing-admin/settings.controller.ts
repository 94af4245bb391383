import { Controller, Get, Inject, Patch, Req } from '@nestjs/common';
import { listSettingsReply, pricingAdminSubjects, settingReply } from '@tollkeeper/contracts';
import type { FastifyRequest } from 'fastify';
import { readCall } from './pricing-call.js';
import { PricingDesk } from './pricing-desk.js';
import { changeSettingOperation, listSettingsOperation } from './settings.operations.js';

/** Settings that hold while everything runs. */
@Controller('api/admin/pricing/settings')
export class SettingsController {
  constructor(@Inject(PricingDesk) private readonly desk: PricingDesk) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(listSettingsOperation, request);
    const subject = pricingAdminSubjects.listSettings;
    return this.desk.ask(call, { subject, body: {}, reply: listSettingsReply });
  }

  @Patch(':key')
  change(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(changeSettingOperation, request);
    const subject = pricingAdminSubjects.changeSetting;
    const body = { ...call.fields, ...call.params };
    return this.desk.ask(call, { subject, body, reply: settingReply });
  }
}
