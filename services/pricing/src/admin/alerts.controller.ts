import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  decideAlert,
  listAlerts,
  pricingAdminSubjects,
  type AlertReply,
} from '@tollkeeper/contracts';
import { MessageContext } from '@tollkeeper/messaging';
import { isRefused, type WriteRefusal } from '../application/book-writer.js';
import { PriceBookCommands, type AlertDecided } from '../application/price-book-commands.js';
import { PriceBookReplica } from '../application/price-book-replica.js';
import { alertOf, versionOf } from '../domain/vendor-price/state.js';
import { AdminDesk, toRefused } from './admin-desk.js';
import { toAlertsReply, toAlertView } from './alerts.convert.js';
import { toConfigReply } from './configs.controller.js';
import { toVendorPriceView } from './vendor-prices.convert.js';

const toAlertReply = (alertId: string, decided: AlertDecided | WriteRefusal): AlertReply => {
  if (isRefused(decided)) return toRefused(decided);
  const { state, at } = decided.prices;
  const alert = alertOf(state, alertId);
  if (!alert) throw new Error('an alert that was decided on is not there');
  const version =
    alert.appliedVersion === undefined ? undefined : versionOf(state, alert.appliedVersion);
  const proposed = decided.proposal && toConfigReply(decided.proposal);
  return {
    status: 'accepted',
    alert: toAlertView(alert),
    ...(version ? { price: toVendorPriceView(state, version, at) } : {}),
    ...(proposed?.status === 'accepted' ? { config: proposed.config } : {}),
  };
};

/** Alerts about vendor prices that an import found changed. */
@Controller()
export class AlertsController {
  constructor(
    @Inject(AdminDesk) private readonly desk: AdminDesk,
    @Inject(PriceBookCommands) private readonly commands: PriceBookCommands,
    @Inject(PriceBookReplica) private readonly replica: PriceBookReplica,
  ) {}

  @MessagePattern(pricingAdminSubjects.listAlerts)
  list(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('listAlerts', listAlerts, body, message, (query) =>
      toAlertsReply(this.replica.records.prices.values(), query, new Date()),
    );
  }

  @MessagePattern(pricingAdminSubjects.decideAlert)
  decide(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('decideAlert', decideAlert, body, message, async (fields, command) =>
      toAlertReply(fields.alertId, await this.commands.decideAlert(fields, command)),
    );
  }
}
