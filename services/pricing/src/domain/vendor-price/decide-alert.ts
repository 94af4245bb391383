import type { PriceBookEvent } from '@tollkeeper/events';
import type { DecisionContext } from '../price-book/decision-context.js';
import { refuse, type Verdict } from '../price-book/verdict.js';
import { priceFrom } from './offer.js';
import { alertOf, nextVersionId, type Alert, type ModelPrices } from './state.js';

export interface DecideAlert {
  readonly alertId: string;
  readonly decision: 'acknowledge' | 'apply' | 'ignore';
  readonly effectiveFrom?: string | undefined;
  readonly reason: string;
}

/**
 * Where the price watch has found another price, it begins when the source says, if that is still to come: it has not been
 * charged before, and is not charged backwards.
 */
const applyEvents = (
  state: ModelPrices,
  { raised }: Alert,
  command: DecideAlert,
  context: DecisionContext,
): PriceBookEvent[] => {
  const { candidate, alertId } = raised;
  const priceVersion = nextVersionId(state, candidate.provider, candidate.model);
  const now = context.at.toISOString();
  const sourced = candidate.effectiveFrom > now ? candidate.effectiveFrom : undefined;
  const effectiveFrom = priceFrom(command.effectiveFrom ?? sourced, context);
  const { reason } = command;
  return [
    { type: 'PriceAlertApplied', data: { alertId, priceVersion, reason } },
    {
      type: 'VendorPricePublished',
      data: { ...candidate, priceVersion, effectiveFrom, reason },
    },
  ];
};

/** Refused: `unknown-alert`; `not-pending` once it is applied or ignored. */
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
      return applyEvents(state, alert, command, context);
    case 'ignore':
      return [{ type: 'PriceAlertIgnored', data: { alertId, reason } }];
  }
};
