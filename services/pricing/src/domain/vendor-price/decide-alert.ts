import type { PriceBookEvent, PriceBookEventOf } from '@tollkeeper/events';
import type { DecisionContext } from '../price-book/decision-context.js';
import { refuse, type Verdict } from '../price-book/verdict.js';
import { priceFrom, type Candidate } from './offer.js';
import { alertOf, nextVersionId, versionInForce, type Alert, type ModelPrices } from './state.js';

export interface DecideAlert {
  readonly alertId: string;
  readonly decision: 'acknowledge' | 'apply' | 'ignore';
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
}

/**
 * Publishes what an alert is about. It begins when its source says, if that is still to come: a price that nobody has been
 * charged by is not charged backwards.
 */
export const appliedEvents = (
  candidate: Candidate,
  applied: PriceBookEventOf<'PriceAlertApplied'>['data'],
  asked: string | undefined,
  context: DecisionContext,
): PriceBookEvent[] => {
  const { priceVersion, reason } = applied;
  const sourced =
    Date.parse(candidate.effectiveFrom) > context.at.getTime()
      ? candidate.effectiveFrom
      : undefined;
  const effectiveFrom = priceFrom(asked ?? sourced, context);
  const because = reason === undefined ? {} : { reason };
  return [
    { type: 'PriceAlertApplied', data: applied },
    {
      type: 'VendorPricePublished',
      data: { ...candidate, priceVersion, effectiveFrom, ...because },
    },
  ];
};

/** What the alert compares with may have been replaced since: then it says nothing about the price of today. */
const isOutdated = (
  state: ModelPrices,
  { raised: { priceVersion, candidate } }: Alert,
  { at, leadMs }: DecisionContext,
): boolean => {
  const fromMs = Math.max(at.getTime() + leadMs, Date.parse(candidate.effectiveFrom));
  return versionInForce(state, new Date(fromMs))?.price.priceVersion !== priceVersion;
};

const applyAlert = (
  state: ModelPrices,
  alert: Alert,
  { reason, effectiveFrom }: DecideAlert,
  context: DecisionContext,
): Verdict => {
  const { alertId, candidate, priceVersion: compared } = alert.raised;
  if (isOutdated(state, alert, context)) {
    const message = `${compared}, which ${alertId} compares with, is in force no longer; import again`;
    return refuse('not-in-force', message);
  }
  const priceVersion = nextVersionId(state, candidate.provider, candidate.model);
  return appliedEvents(candidate, { alertId, priceVersion, reason }, effectiveFrom, context);
};

/** Refused: `unknown-alert`; `not-pending` once it is applied or ignored; `not-in-force` to apply what is outdated. */
export const decideAlert = (
  state: ModelPrices,
  command: DecideAlert,
  context: DecisionContext,
): Verdict => {
  const { alertId, decision, reason } = command;
  const alert = alertOf(state, alertId);
  if (!alert) return refuse('unknown-alert', `there is no alert ${alertId}`);
  const isPending =
    alert.state === 'open' || (alert.state === 'acknowledged' && decision !== 'acknowledge');
  if (!isPending) return refuse('not-pending', `${alertId} is ${alert.state}`);
  switch (decision) {
    case 'acknowledge':
      return [{ type: 'PriceAlertAcknowledged', data: { alertId, reason } }];
    case 'apply':
      return applyAlert(state, alert, command, context);
    case 'ignore':
      return [{ type: 'PriceAlertIgnored', data: { alertId, reason } }];
  }
};
