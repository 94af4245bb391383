import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  decideProposal,
  listConfigs,
  pricingAdminSubjects,
  proposeConfig,
  proposeWithdrawal,
  type ConfigReply,
} from '@tollkeeper/contracts';
import { MessageContext } from '@tollkeeper/messaging';
import { isRefused, type WriteRefusal, type Written } from '../application/book-writer.js';
import { PriceBookCommands } from '../application/price-book-commands.js';
import { PriceBookReplica } from '../application/price-book-replica.js';
import type { Multipliers } from '../domain/multiplier/state.js';
import { AdminDesk, toRefused } from './admin-desk.js';
import { toConfigsReply, toConfigView } from './configs.convert.js';

/** The rule that a command was about, as it stood right after. */
export const toConfigReply = (written: Written<Multipliers> | WriteRefusal): ConfigReply => {
  if (isRefused(written)) return toRefused(written);
  const { state, events, at } = written;
  const first = events[0]?.data;
  const ruleId = first && 'ruleId' in first ? first.ruleId : undefined;
  const rule = state.rules.find((each) => each.ruleId === ruleId);
  if (!rule) throw new Error('a command about a rule recorded nothing about one');
  return { status: 'accepted', config: toConfigView(state, rule, at) };
};

/** Multipliers: proposals of rules and of their withdrawal, and what others decide on them. */
@Controller()
export class ConfigsController {
  constructor(
    @Inject(AdminDesk) private readonly desk: AdminDesk,
    @Inject(PriceBookCommands) private readonly commands: PriceBookCommands,
    @Inject(PriceBookReplica) private readonly replica: PriceBookReplica,
  ) {}

  @MessagePattern(pricingAdminSubjects.listConfigs)
  list(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('listConfigs', listConfigs, body, message, (query) =>
      toConfigsReply(this.replica.records.multipliers.values(), query, new Date()),
    );
  }

  @MessagePattern(pricingAdminSubjects.proposeConfig)
  propose(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('proposeConfig', proposeConfig, body, message, async (fields, command) =>
      toConfigReply(await this.commands.propose(fields, command)),
    );
  }

  @MessagePattern(pricingAdminSubjects.proposeWithdrawal)
  withdraw(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve(
      'proposeWithdrawal',
      proposeWithdrawal,
      body,
      message,
      async (fields, command) =>
        toConfigReply(await this.commands.proposeWithdrawal(fields, command)),
    );
  }

  @MessagePattern(pricingAdminSubjects.approve)
  approve(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.decide('approve', body, message);
  }

  @MessagePattern(pricingAdminSubjects.reject)
  reject(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.decide('reject', body, message);
  }

  private decide(
    decision: 'approve' | 'reject',
    body: unknown,
    message: MessageContext,
  ): Promise<object> {
    return this.desk.serve(decision, decideProposal, body, message, async (fields, command) =>
      toConfigReply(await this.commands.decide({ ...fields, decision }, command)),
    );
  }
}
