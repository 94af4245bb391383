import type { Decoded, PriceBookEvent, PriceBookEventOf } from '@tollkeeper/events';
import { unreachable } from '@tollkeeper/kernel';

/** An event of the price book with its place. */
export type RecordedChange = Decoded<PriceBookEvent> & {
  /** Place in the order of recording, from 1 on. */
  readonly ordinal: number;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
};

/** A parametrised statement on the tables of migration 0004. */
export interface Write {
  readonly text: string;
  readonly values: readonly unknown[];
}

const write = (text: string, ...values: readonly unknown[]): Write => ({ text, values });

/** What an event is about: a price version, rule, alert or setting. */
const subjectOf = (event: PriceBookEvent): string => {
  switch (event.type) {
    case 'VendorPricePublished':
    case 'VendorPriceWithdrawn':
      return event.data.priceVersion;
    case 'MultiplierProposed':
    case 'MultiplierApproved':
    case 'MultiplierRejected':
    case 'MultiplierWithdrawalProposed':
    case 'MultiplierWithdrawalRejected':
    case 'MultiplierWithdrawn':
      return event.data.ruleId;
    case 'CreditPolicySet':
      return event.data.policyId;
    case 'SettingChanged':
      return event.data.name;
    case 'PriceAlertRaised':
    case 'PriceAlertAcknowledged':
    case 'PriceAlertApplied':
    case 'PriceAlertIgnored':
      return event.data.alertId;
    default:
      return unreachable(event);
  }
};

const trail = (change: RecordedChange): Write => {
  const { data, metadata } = change;
  return write(
    `INSERT INTO price_book_changes
       (ordinal, stream, revision, event_id, event_type, subject, actor, occurred_at, effective_from, reason, data)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    change.ordinal,
    change.stream,
    change.revision,
    change.id,
    change.type,
    subjectOf(change),
    metadata.actor,
    metadata.occurredAt,
    'effectiveFrom' in data ? data.effectiveFrom : null,
    'reason' in data ? data.reason : null,
    JSON.stringify(data),
  );
};

type ChangeOf<T extends PriceBookEvent['type']> = RecordedChange & { readonly type: T } & Pick<
    PriceBookEventOf<T>,
    'data'
  >;

const published = ({ data, metadata }: ChangeOf<'VendorPricePublished'>): Write =>
  write(
    `INSERT INTO vendor_prices
       (price_version, provider, model, aliases, effective_from, effective_to, rates, source,
        source_version, notes, published_by, published_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    data.priceVersion,
    data.provider,
    data.model,
    data.aliases ?? [],
    data.effectiveFrom,
    data.effectiveTo,
    JSON.stringify(data.rates),
    data.source.name,
    data.source.version,
    data.notes,
    metadata.actor,
    metadata.occurredAt,
  );

const proposed = ({ data, metadata }: ChangeOf<'MultiplierProposed'>): Write =>
  write(
    `INSERT INTO multiplier_rules
       (rule_id, provider, model, tier, multiplier, effective_from, status, reason, proposed_by, proposed_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'proposed', $7, $8, $9)`,
    data.ruleId,
    data.scope.provider,
    data.scope.model,
    data.scope.tier,
    data.multiplier,
    data.effectiveFrom,
    data.reason,
    metadata.actor,
    metadata.occurredAt,
  );

const decided = (
  { data, metadata }: ChangeOf<'MultiplierApproved' | 'MultiplierRejected'>,
  status: 'approved' | 'rejected',
): Write =>
  write(
    `UPDATE multiplier_rules
     SET status = $2, effective_from = coalesce($3, effective_from), decided_by = $4, decided_at = $5,
         decision_reason = $6
     WHERE rule_id = $1`,
    data.ruleId,
    status,
    'effectiveFrom' in data ? data.effectiveFrom : undefined,
    metadata.actor,
    metadata.occurredAt,
    data.reason,
  );

const set = ({ stream, revision, data, metadata }: RecordedChange, key: string, value: string) =>
  write(
    `INSERT INTO setting_changes
       (key, stream, revision, value, effective_from, updated_at, updated_by, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    key,
    stream,
    revision,
    value,
    'effectiveFrom' in data ? data.effectiveFrom : metadata.occurredAt,
    metadata.occurredAt,
    metadata.actor,
    'reason' in data ? data.reason : null,
  );

const raised = ({ data, metadata }: ChangeOf<'PriceAlertRaised'>): Write =>
  write(
    `INSERT INTO price_alerts
       (alert_id, provider, model, severity, state, cost_change, price_version, raised_at)
     VALUES ($1, $2, $3, $4, 'open', $5, $6, $7)`,
    data.alertId,
    data.provider,
    data.model,
    data.severity,
    data.costChange,
    data.priceVersion,
    metadata.occurredAt,
  );

const alertDecided = (
  {
    data,
    metadata,
  }: ChangeOf<'PriceAlertAcknowledged' | 'PriceAlertApplied' | 'PriceAlertIgnored'>,
  state: 'acknowledged' | 'applied' | 'ignored',
): Write =>
  write(
    `UPDATE price_alerts
     SET state = $2, applied_version = $3, decided_by = $4, decided_at = $5, reason = $6
     WHERE alert_id = $1`,
    data.alertId,
    state,
    'priceVersion' in data ? data.priceVersion : null,
    metadata.actor,
    metadata.occurredAt,
    data.reason,
  );

const withdraw = (table: 'vendor_prices' | 'multiplier_rules', id: string, from: string): Write =>
  table === 'vendor_prices'
    ? write(
        `UPDATE vendor_prices SET withdrawn_from = least(withdrawn_from, $2) WHERE price_version = $1`,
        id,
        from,
      )
    : write(
        `UPDATE multiplier_rules
         SET status = 'withdrawn', withdrawn_from = least(withdrawn_from, $2) WHERE rule_id = $1`,
        id,
        from,
      );

const readModelWrites = (change: RecordedChange): Write[] => {
  switch (change.type) {
    case 'VendorPricePublished':
      return [published(change)];
    case 'VendorPriceWithdrawn':
      return [withdraw('vendor_prices', change.data.priceVersion, change.data.effectiveFrom)];
    case 'MultiplierProposed':
      return [proposed(change)];
    case 'MultiplierApproved':
      return [decided(change, 'approved')];
    case 'MultiplierRejected':
      return [decided(change, 'rejected')];
    case 'MultiplierWithdrawn':
      return [withdraw('multiplier_rules', change.data.ruleId, change.data.effectiveFrom)];
    case 'CreditPolicySet':
      return [
        set(change, 'usd_per_credit', change.data.usdPerCredit),
        set(change, 'credit_decimals', String(change.data.decimals)),
      ];
    case 'SettingChanged':
      return [set(change, change.data.name, change.data.value)];
    case 'PriceAlertRaised':
      return [raised(change)];
    case 'PriceAlertAcknowledged':
      return [alertDecided(change, 'acknowledged')];
    case 'PriceAlertApplied':
      return [alertDecided(change, 'applied')];
    case 'PriceAlertIgnored':
      return [alertDecided(change, 'ignored')];
    case 'MultiplierWithdrawalProposed':
    case 'MultiplierWithdrawalRejected':
      return [];
    default:
      return unreachable(change);
  }
};

/** What an event does to the read price book, in order. */
export const writesOf = (change: RecordedChange): Write[] => [
  trail(change),
  ...readModelWrites(change),
];
