import { unreachable } from '@tollkeeper/kernel';
import type { PriceBookEventOf, VendorPricePublished } from '@tollkeeper/events';
import { misplaced, type Recorded } from '../price-book/recorded.js';

export interface Version {
  readonly price: VendorPricePublished;
  readonly publishedBy: string;
  readonly publishedAt: string;
  readonly withdrawnFrom?: string;
}

export type AlertState = 'open' | 'acknowledged' | 'applied' | 'ignored';

export interface Alert {
  readonly raised: PriceBookEventOf<'PriceAlertRaised'>['data'];
  readonly state: AlertState;
  readonly raisedAt: string;
  readonly decidedBy?: string;
  readonly decidedAt?: string;
  readonly reason?: string;
  readonly appliedVersion?: string;
  readonly automatic?: true;
}

/** A model's price versions, and the alerts about changes of them, in the order of their record. */
export interface ModelPrices {
  readonly versions: readonly Version[];
  readonly alerts: readonly Alert[];
}

export const noPrices: ModelPrices = { versions: [], alerts: [] };

const alertChanged = (
  state: ModelPrices,
  alertId: string,
  event: Recorded,
  change: Partial<Alert>,
): ModelPrices => {
  if (!state.alerts.some(({ raised }) => raised.alertId === alertId)) return misplaced(event);
  const { actor, occurredAt } = event.metadata;
  const by = { decidedBy: actor, decidedAt: occurredAt };
  return {
    ...state,
    alerts: state.alerts.map((alert) =>
      alert.raised.alertId === alertId ? { ...alert, ...by, ...change } : alert,
    ),
  };
};

const withdrawn = (
  state: ModelPrices,
  event: Recorded & PriceBookEventOf<'VendorPriceWithdrawn'>,
): ModelPrices => {
  const { priceVersion, effectiveFrom } = event.data;
  if (!versionOf(state, priceVersion)) return misplaced(event);
  return {
    ...state,
    versions: state.versions.map((version) =>
      version.price.priceVersion === priceVersion
        ? { ...version, withdrawnFrom: earlier(version.withdrawnFrom, effectiveFrom) }
        : version,
    ),
  };
};

const earlier = (known: string | undefined, other: string): string =>
  known !== undefined && known < other ? known : other;

const because = (reason: string | undefined): { reason?: string } =>
  reason === undefined ? {} : { reason };

/** Applies a fact of a stream `vendorPrice-<provider>:<model>`. @throws CorruptStreamError */
export const evolvePrices = (state: ModelPrices, event: Recorded): ModelPrices => {
  const { actor, occurredAt } = event.metadata;
  switch (event.type) {
    case 'VendorPricePublished': {
      const version = { price: event.data, publishedBy: actor, publishedAt: occurredAt };
      return { ...state, versions: [...state.versions, version] };
    }
    case 'VendorPriceWithdrawn':
      return withdrawn(state, event);
    case 'PriceAlertRaised': {
      const alert: Alert = { raised: event.data, state: 'open', raisedAt: occurredAt };
      return { ...state, alerts: [...state.alerts, alert] };
    }
    case 'PriceAlertAcknowledged':
      return alertChanged(state, event.data.alertId, event, {
        state: 'acknowledged',
        ...because(event.data.reason),
      });
    case 'PriceAlertApplied':
      return alertChanged(state, event.data.alertId, event, {
        state: 'applied',
        appliedVersion: event.data.priceVersion,
        ...because(event.data.reason),
        ...(event.data.automatic ? { automatic: true } : {}),
      });
    case 'PriceAlertIgnored':
      return alertChanged(state, event.data.alertId, event, {
        state: 'ignored',
        reason: event.data.reason,
      });
    case 'MultiplierProposed':
    case 'MultiplierApproved':
    case 'MultiplierRejected':
    case 'MultiplierWithdrawalProposed':
    case 'MultiplierWithdrawalRejected':
    case 'MultiplierWithdrawn':
    case 'CreditPolicySet':
    case 'SettingChanged':
      return misplaced(event);
    default:
      return unreachable(event);
  }
};

export const versionOf = (state: ModelPrices, priceVersion: string): Version | undefined =>
  state.versions.find(({ price }) => price.priceVersion === priceVersion);

export const alertOf = (state: ModelPrices, alertId: string): Alert | undefined =>
  state.alerts.find(({ raised }) => raised.alertId === alertId);

const endMs = ({ withdrawnFrom }: Version): number =>
  withdrawnFrom === undefined ? Infinity : Date.parse(withdrawnFrom);

/**
 * As the price book has it: the latest whose time has come. Withdrawn while in force, it leaves the price unknown until a
 * later version begins; withdrawn before it began, it never was.
 */
export const versionInForce = ({ versions }: ModelPrices, at: Date): Version | undefined => {
  const atMs = at.getTime();
  let found: Version | undefined;
  for (const version of versions) {
    const fromMs = Date.parse(version.price.effectiveFrom);
    const { effectiveTo } = version.price;
    const isOver = effectiveTo !== undefined && Date.parse(effectiveTo) <= atMs;
    if (fromMs > atMs || isOver || endMs(version) <= fromMs) continue;
    if (!found || fromMs >= Date.parse(found.price.effectiveFrom)) found = version;
  }
  return found && endMs(found) > atMs ? found : undefined;
};

/** A version's id, `<provider>:<model>@<n>`; `more` of them follow those that are recorded. */
export const nextVersionId = (
  { versions }: ModelPrices,
  provider: string,
  model: string,
  more = 1,
): string => `${provider}:${model}@${String(versions.length + more)}`;
