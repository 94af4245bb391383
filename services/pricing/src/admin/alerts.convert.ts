import type { AlertView, ListAlertsReply } from '@tollkeeper/contracts';
import type { Alert, ModelPrices } from '../domain/vendor-price/state.js';
import { compare } from './configs.convert.js';
import { pageOf, type PageQuery } from './page.js';

export const toAlertView = (alert: Alert): AlertView => {
  const { alertId, provider, model, severity, priceVersion, changes, costChange, margins } =
    alert.raised;
  const { candidate, recommended } = alert.raised;
  const { decidedBy, decidedAt, reason, appliedVersion, automatic } = alert;
  return {
    alertId,
    provider,
    model,
    severity,
    state: alert.state,
    priceVersion,
    changes,
    costChange,
    margins,
    ...(recommended ? { recommended } : {}),
    raisedAt: alert.raisedAt,
    source: candidate.source,
    ...(decidedBy === undefined || automatic ? {} : { decidedBy }),
    ...(decidedAt === undefined ? {} : { decidedAt }),
    ...(reason === undefined ? {} : { reason }),
    ...(appliedVersion === undefined ? {} : { appliedVersion }),
    ...(automatic ? { automatic } : {}),
  };
};

const newestFirst = (a: Alert, b: Alert): number =>
  a.raisedAt === b.raisedAt
    ? compare(a.raised.alertId, b.raised.alertId)
    : compare(b.raisedAt, a.raisedAt);

/** Newest first. */
export const toAlertsReply = (
  states: Iterable<ModelPrices>,
  query: PageQuery & { readonly state?: Alert['state'] | undefined },
  at: Date,
): ListAlertsReply => {
  const alerts = [...states].flatMap((state) => state.alerts);
  alerts.sort(newestFirst);
  const { items, next } = pageOf(
    alerts,
    query,
    ({ raised }) => raised.alertId,
    (alert) =>
      query.state === undefined || alert.state === query.state ? toAlertView(alert) : undefined,
  );
  return { alerts: items, ...(next === undefined ? {} : { next }), asOf: at.toISOString() };
};
