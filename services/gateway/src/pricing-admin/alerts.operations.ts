import {
  alertView,
  configView,
  decideAlert,
  listAlerts,
  vendorPriceView,
} from '@tollkeeper/contracts';
import { z } from 'zod';
import { operation } from '../http/operation.js';
import { always, none, ofCommands } from './parameters.js';

const path = '/api/admin/pricing/alerts';
const tag = 'alerts';
const params = decideAlert.pick({ alertId: true });
const refusals = [...ofCommands, 'unknown-alert', 'not-pending'];

const alertPage = z
  .object({ alerts: z.array(alertView), next: z.string().optional(), asOf: z.string() })
  .meta({ description: 'Without `next`, the last page.' });

const alertDecided = z.object({
  status: z.literal('accepted'),
  alert: alertView,
  price: vendorPriceView.optional(),
  config: configView.optional(),
});

export const listAlertsOperation = operation({
  id: 'listAlerts',
  method: 'GET',
  path,
  tag,
  summary: 'Prices that an import found changed, a page at a time.',
  key: 'admin',
  fields: listAlerts,
  params: none,
  status: 200,
  reply: alertPage,
  refusals: always,
});

export const decideAlertOperation = operation({
  id: 'decideAlert',
  method: 'POST',
  path: `${path}/{alertId}`,
  tag,
  summary: 'Acknowledge an alert, or apply it: the changed price is published.',
  key: 'admin',
  fields: decideAlert
    .omit({ commandId: true, alertId: true })
    .extend({ decision: z.enum(['acknowledge', 'apply']) }),
  params,
  status: 200,
  reply: alertDecided,
  refusals: [...refusals, 'implausible-rate', 'exchange-rate-missing'],
});

export const ignoreAlertOperation = operation({
  id: 'ignoreAlert',
  method: 'DELETE',
  path: `${path}/{alertId}`,
  tag,
  summary: 'Ignore an alert: the same price from the same source raises no other one.',
  key: 'admin',
  fields: decideAlert.pick({ reason: true }),
  params,
  status: 200,
  reply: alertDecided,
  refusals,
});
