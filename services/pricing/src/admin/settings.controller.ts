import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  changeSetting,
  pricingAdminSubjects,
  type ListSettingsReply,
  type SettingReply,
} from '@tollkeeper/contracts';
import { MessageContext } from '@tollkeeper/messaging';
import { z } from 'zod';
import {
  isRefused,
  type BookCommand,
  type WriteRefusal,
  type Written,
} from '../application/book-writer.js';
import { PriceBookCommands } from '../application/price-book-commands.js';
import { PriceBookReplica } from '../application/price-book-replica.js';
import type { ChangeSetting } from '../domain/setting/change.js';
import type { Setting } from '../domain/setting/state.js';
import { AdminDesk, toRefused } from './admin-desk.js';
import { toConfigReply } from './configs.controller.js';
import { toChangedView, toSettingView, toSettingViews } from './settings.convert.js';

const toSettingReply = (
  { key, value }: ChangeSetting,
  written: Written<Setting> | WriteRefusal,
): SettingReply => {
  if (isRefused(written)) return toRefused(written);
  const first = written.events[0];
  if (!first || !('effectiveFrom' in first.data)) throw new Error('a setting recorded nothing');
  const { actor: setBy, occurredAt: setAt } = first.metadata;
  const reason = 'reason' in first.data ? first.data.reason : undefined;
  const entry = { value, setBy, setAt, ...(reason === undefined ? {} : { reason }) };
  return {
    status: 'accepted',
    setting: toChangedView(key, entry),
    effectiveFrom: first.data.effectiveFrom ?? setAt,
  };
};

/** Run-time settings. */
@Controller()
export class SettingsController {
  constructor(
    @Inject(AdminDesk) private readonly desk: AdminDesk,
    @Inject(PriceBookCommands) private readonly commands: PriceBookCommands,
    @Inject(PriceBookReplica) private readonly replica: PriceBookReplica,
  ) {}

  @MessagePattern(pricingAdminSubjects.listSettings)
  list(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('listSettings', z.object({}), body, message, (): ListSettingsReply => {
      const at = new Date();
      const settings = toSettingViews(this.replica.records, at);
      return { settings, asOf: at.toISOString() };
    });
  }

  @MessagePattern(pricingAdminSubjects.changeSetting)
  change(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('changeSetting', changeSetting, body, message, (fields, command) =>
      fields.key === 'default_multiplier'
        ? this.proposeDefault(fields, command)
        : this.set(fields, command),
    );
  }

  private async set(fields: ChangeSetting, command: BookCommand): Promise<SettingReply> {
    return toSettingReply(fields, await this.commands.changeSetting(fields, command));
  }

  private async proposeDefault(fields: ChangeSetting, command: BookCommand): Promise<SettingReply> {
    const reply = toConfigReply(await this.commands.proposeDefault(fields, command));
    if (reply.status === 'refused') return reply;
    const { config } = reply;
    return {
      status: 'accepted',
      setting: toSettingView(this.replica.records, fields.key, new Date()),
      effectiveFrom: config.effectiveFrom,
      config,
    };
  }
}
