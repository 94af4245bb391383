import {
  ContradictionError,
  limitKey,
  type LedgerEvent,
  type LedgerEventOf,
} from '../projector/ledger-event.js';

/** A row of `limits`, by the table's own names. */
export interface LimitRow {
  readonly account_id: string;
  readonly limit_id: string;
  readonly revision: number;
  readonly scope_type: string;
  readonly scope_id: string | null;
  readonly time_window: string;
  readonly unit: string;
  readonly amount: string;
  readonly mode: string;
  readonly set_at: string;
  readonly changed_at: string;
  readonly warned_period: string | null;
  readonly warned_used: string | null;
  readonly warned_at: string | null;
}

/** By `limitKey`; undefined: there is no such limit. */
export type Limits = Map<string, LimitRow | undefined>;

export type LimitEvent =
  LedgerEventOf<'LimitSet'> | LedgerEventOf<'LimitRemoved'> | LedgerEventOf<'LimitWarned'>;

export const isLimitEvent = (event: LedgerEvent): event is LimitEvent =>
  event.type === 'LimitSet' || event.type === 'LimitRemoved' || event.type === 'LimitWarned';

/** The limit after the event; undefined when it is removed. @throws ContradictionError */
export const limitAfter = (limits: Limits, event: LimitEvent): LimitRow | undefined => {
  const before = limits.get(limitKey(event.accountId, event.data.limitId));
  if (event.type === 'LimitSet') return limitSet(before, event);
  if (!before) throw new ContradictionError(`limit ${event.data.limitId} is not set`);
  if (event.type === 'LimitRemoved') return undefined;
  return {
    ...before,
    warned_period: event.data.period,
    warned_used: event.data.used,
    warned_at: event.metadata.occurredAt,
  };
};

/** Set again, it counts on from when it was first set. */
const limitSet = (
  before: LimitRow | undefined,
  { accountId, data, metadata, revision }: LedgerEventOf<'LimitSet'>,
): LimitRow => ({
  account_id: accountId,
  limit_id: data.limitId,
  revision,
  scope_type: data.scope.type,
  scope_id: data.scope.id ?? null,
  time_window: data.window,
  unit: data.unit,
  amount: data.amount,
  mode: data.mode,
  set_at: before?.set_at ?? metadata.occurredAt,
  changed_at: metadata.occurredAt,
  warned_period: before?.warned_period ?? null,
  warned_used: before?.warned_used ?? null,
  warned_at: before?.warned_at ?? null,
});
