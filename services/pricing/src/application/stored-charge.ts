import {
  creditStream,
  fromStoredCredit,
  type Charge,
  type CreditAccountEvent,
} from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { formatMoney, parseMoney, sumMoney, type Money } from '@tollkeeper/kernel';

/** Revisions of all events about a reservation, ascending; none where the index knows of no such. May throw. */
export type ReservationIndex = (
  accountId: string,
  reservationId: string,
) => Promise<{ readonly revisions: readonly number[]; readonly indexedRevision: number }>;

/** What a reservation is charged by now, as its own events say. */
export interface StoredCharge {
  /** When the call began: its prices are of this moment. */
  readonly requestedAt: string;
  readonly charge: Charge;
  readonly refundedCredits: string;
}

const readEvents = async (
  store: Pick<EventStore, 'read'>,
  accountId: string,
  revisions: readonly number[],
): Promise<ReturnType<typeof fromStoredCredit>[]> => {
  const events: ReturnType<typeof fromStoredCredit>[] = [];
  for (const fromRevision of revisions) {
    for await (const event of store.read(creditStream(accountId), { fromRevision, limit: 1 })) {
      events.push(fromStoredCredit(event));
    }
  }
  return events;
};

const chargeOf = (event: CreditAccountEvent): Charge | undefined =>
  event.type === 'Settled' || event.type === 'SettledLate' || event.type === 'UsageCorrected'
    ? event.data
    : undefined;

/**
 * Why there is no charge: the index has not followed the account to its end, the call is still open, or there is none, as for
 * a call that was released or never made.
 */
export type NoCharge = 'index-behind' | 'open' | 'none';

/** A correction replaces the charge before it. */
export const findStoredCharge = async (
  index: ReservationIndex,
  store: Pick<EventStore, 'read'>,
  accountId: string,
  reservationId: string,
): Promise<StoredCharge | NoCharge> => {
  const { revisions, indexedRevision } = await index(accountId, reservationId);
  const events = await readEvents(store, accountId, revisions);
  const charge = events.map(chargeOf).findLast((each) => each !== undefined);
  if (!charge) {
    const [next] = await readEvents(store, accountId, [indexedRevision + 1]);
    if (next) return 'index-behind';
    return events.at(-1)?.type === 'Reserved' ? 'open' : 'none';
  }
  const refunds: Money[] = [];
  let requestedAt = events[0]?.metadata.occurredAt ?? '';
  for (const { type, data, metadata } of events) {
    if (type === 'Reserved') requestedAt = data.quote?.requestStartedAt ?? metadata.occurredAt;
    if (type === 'Refunded') refunds.push(parseMoney(data.amountCredits));
  }
  return { requestedAt, charge, refundedCredits: formatMoney(sumMoney(refunds)) };
};
