import type { LedgerEventOf } from '../projector/ledger-event.js';

/** A row of `open_reservations`, by the table's own names. */
export interface OpenReservationRow {
  readonly account_id: string;
  readonly reservation_id: string;
  readonly revision: number;
  readonly user_id: string;
  readonly project_id: string | null;
  readonly key_id: string | null;
  readonly task_type: string | null;
  readonly context: Readonly<Record<string, string>> | null;
  readonly tier: string;
  readonly amount_credits: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly requested_at: string;
  readonly reserved_at: string;
  readonly expires_at: string;
}

/** A row of `released_reservations`: late usage still finds out whose call it was. */
export interface ReleasedReservationRow extends OpenReservationRow {
  readonly reason: string;
  readonly attempts: readonly unknown[];
  readonly released_at: string;
  readonly local_date: string;
  /** Of the Reserved and of the Released. */
  readonly revisions: readonly number[];
}

export const openReservation = (event: LedgerEventOf<'Reserved'>): OpenReservationRow => {
  const { data, metadata } = event;
  const first = data.quote?.candidates[0];
  return {
    account_id: event.accountId,
    reservation_id: data.reservationId,
    revision: event.revision,
    user_id: data.purpose.userId,
    project_id: data.purpose.projectId ?? null,
    key_id: data.purpose.keyId ?? null,
    task_type: data.purpose.taskType ?? null,
    context: data.purpose.context ?? null,
    tier: data.tier,
    amount_credits: data.amountCredits,
    provider: first?.provider ?? null,
    model: first?.model ?? null,
    requested_at: data.quote?.requestStartedAt ?? metadata.occurredAt,
    reserved_at: metadata.occurredAt,
    expires_at: data.expiresAt,
  };
};

export const releasedReservation = (
  open: OpenReservationRow,
  event: LedgerEventOf<'Released'>,
): ReleasedReservationRow => ({
  ...open,
  revision: event.revision,
  reason: event.data.reason,
  attempts: event.data.attempts ?? [],
  released_at: event.metadata.occurredAt,
  local_date: event.data.localDate,
  revisions: [open.revision, event.revision],
});
