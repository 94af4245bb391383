import { Controller, Delete, Get, HttpCode, Inject, Patch, Post, Req } from '@nestjs/common';
import {
  configReply,
  listConfigsReply,
  pricingAdminSubjects,
  type ConfigView,
} from '@tollkeeper/contracts';
import type { FastifyRequest } from 'fastify';
import { problemOf } from '../http/http-refusal.js';
import {
  approveConfigOperation,
  listConfigsOperation,
  proposeConfigOperation,
  rejectConfigOperation,
  reviseConfigOperation,
  withdrawConfigOperation,
} from './configs.operations.js';
import { readCall, type PricingCall } from './pricing-call.js';
import { PricingDesk } from './pricing-desk.js';

/** Multipliers: each change is a proposal that somebody else decides on. */
@Controller('api/admin/pricing/configs')
export class ConfigsController {
  constructor(@Inject(PricingDesk) private readonly desk: PricingDesk) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(listConfigsOperation, request);
    const subject = pricingAdminSubjects.listConfigs;
    return this.desk.ask(call, { subject, body: call.fields, reply: listConfigsReply });
  }

  @Post()
  propose(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(proposeConfigOperation, request);
    const subject = pricingAdminSubjects.proposeConfig;
    return this.desk.ask(call, { subject, body: call.fields, reply: configReply });
  }

  @Patch(':ruleId')
  @HttpCode(201)
  async revise(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(reviseConfigOperation, request);
    const { scope } = await this.configOf(call);
    const subject = pricingAdminSubjects.proposeConfig;
    return this.desk.ask(call, { subject, body: { ...call.fields, scope }, reply: configReply });
  }

  @Delete(':ruleId')
  @HttpCode(202)
  withdraw(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(withdrawConfigOperation, request);
    const subject = pricingAdminSubjects.proposeWithdrawal;
    const body = { ...call.fields, ruleId: call.params.ruleId };
    return this.desk.ask(call, { subject, body, reply: configReply });
  }

  @Post(':proposalId/approve')
  @HttpCode(200)
  approve(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(approveConfigOperation, request);
    const subject = pricingAdminSubjects.approve;
    const body = { ...call.fields, proposalId: call.params.proposalId };
    return this.desk.ask(call, { subject, body, reply: configReply });
  }

  @Post(':proposalId/reject')
  @HttpCode(200)
  reject(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(rejectConfigOperation, request);
    const subject = pricingAdminSubjects.reject;
    const body = { ...call.fields, proposalId: call.params.proposalId };
    return this.desk.ask(call, { subject, body, reply: configReply });
  }

  /** Its scope never changes, so that reading it first leaves nothing to chance. */
  private async configOf({
    adminKey,
    params: { ruleId },
  }: PricingCall<unknown, { readonly ruleId: string }>): Promise<ConfigView> {
    const subject = pricingAdminSubjects.listConfigs;
    let after: string | undefined;
    do {
      const body = { limit: 500, after };
      const page = await this.desk.ask({ adminKey }, { subject, body, reply: listConfigsReply });
      const found = page.configs.find((config) => config.ruleId === ruleId);
      if (found) return found;
      after = page.next;
    } while (after !== undefined);
    throw problemOf(404, 'unknown-config', `There is no multiplier ${ruleId}.`);
  }
}
