import {
  alertReply,
  decideAlert,
  listAlerts,
  listAlertsReply,
  pricingAdminSubjects,
  type AlertView,
  type ConfigView,
  type VendorPriceView,
} from '@tollkeeper/contracts';

import { checkedBody } from '../commands/correction.js';
import { everyPage } from '../every-page.js';
import type { Operator } from '../operator.js';
import { table } from '../print.js';
import { orderFields } from '../order-fields.js';
import { multiplierLines } from './multipliers.js';
import { priceLines } from './vendor-prices.js';

export const priceAlerts = (operator: Operator, state: string | undefined): Promise<AlertView[]> =>
  everyPage(async (after) => {
    const body = checkedBody(listAlerts, { state, limit: 500, after });
    const question = { subject: pricingAdminSubjects.listAlerts, body, reply: listAlertsReply };
    const { alerts, next } = await orderFields(operator, question);
    return { items: alerts, next };
  });

export const alertDecisions = ['acknowledge', 'apply', 'ignore'] as const;

export interface AlertOptions {
  readonly reason: string;
  readonly proposeMultiplier?: boolean;
  readonly effectiveFrom?: string;
}

export interface DecidedAlert {
  readonly alert: AlertView;
  readonly price?: VendorPriceView | undefined;
  readonly config?: ConfigView | undefined;
}

export const decideOnAlert = (
  operator: Operator,
  decision: (typeof alertDecisions)[number],
  alertId: string,
  options: AlertOptions,
): Promise<DecidedAlert> => {
  const body = checkedBody(decideAlert, { alertId, decision, ...options });
  const subject = pricingAdminSubjects.decideAlert;
  return orderFields(operator, { subject, body, reply: alertReply });
};

type Change = AlertView['changes'][number];

const changeText = ({ meter, fromUsd, toUsd }: Change): string =>
  `${meter} ${fromUsd ?? 'none'} → ${toUsd ?? 'none'}`;

const marginText = ({ margins }: AlertView): string =>
  margins.map(({ tier, before, after }) => `${tier} ${before} → ${after}`).join(', ');

export const alertLines = (alerts: readonly AlertView[]): string[] =>
  table(
    ['alert', 'severity', 'state', 'model', 'cost', 'rates', 'margins', 'recommended'],
    alerts.map((alert) => [
      alert.alertId,
      alert.severity,
      alert.automatic === true ? `${alert.state}, automatically` : alert.state,
      `${alert.provider}/${alert.model}`,
      alert.costChange,
      alert.changes.map(changeText).join(', '),
      marginText(alert),
      alert.recommended?.multiplier ?? '-',
    ]),
  );

/** With what applying it published and proposed. */
export const decidedLines = ({ alert, price, config }: DecidedAlert): string[] => [
  ...alertLines([alert]),
  ...(price ? ['published', ...priceLines([price], true)] : []),
  ...(config ? ['proposed', ...multiplierLines([config])] : []),
];
