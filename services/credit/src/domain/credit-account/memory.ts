import { uuidv7TimeMs } from '@tollkeeper/kernel';
import { forgetEndings, rememberEndings } from './known-commands.js';
import type { CreditAccount, Marks, Reservation, ReservationMemory } from './state.js';

/** When a closed reservation leaves memory. */
export interface ForgettingRule {
  /** Stream time since it closed or was last changed. */
  readonly closedMs: number;
  /** Closed reservations that one account keeps at the most. */
  readonly closedMax: number;
}

export const defaultForgetting: ForgettingRule = { closedMs: 15 * 60_000, closedMax: 20_000 };

/** The account's last event has closed the reservation, or changed a closed one. */
export const rememberClosed = (account: CreditAccount, reservation: Reservation): void => {
  enqueue(account, reservation, account.revision);
  mark(account.memory.closed, reservation.reservationId, account.revision);
};

/** Puts a reservation that was forgotten back in its place, as if it had closed just now. */
export const rememberAgain = (
  account: CreditAccount,
  reservation: Reservation,
  revision: number,
): void => {
  account.reservations.set(reservation.reservationId, reservation);
  reservation.queued = 0;
  rememberEndings(account, reservation);
  enqueue(account, reservation, revision);
};

const enqueue = (account: CreditAccount, reservation: Reservation, revision: number): void => {
  const { memory } = account;
  if (reservation.queued === 0) memory.closedCount += 1;
  reservation.queued += 1;
  reservation.closedAtMs = account.lastEventAtMs;
  reservation.closedRevision = revision;
  memory.queue.push(reservation);
};

/** Drops the closed reservations that the rule no longer keeps; amortised, a constant time for each. */
export const forgetClosed = (account: CreditAccount, atMs: number, rule: ForgettingRule): void => {
  const { memory } = account;
  const { queue } = memory;
  const keptSinceMs = atMs - rule.closedMs;
  while (memory.head < queue.length) {
    const first = queue[memory.head];
    if (first) {
      const last = first.queued === 1;
      if (last && memory.closedCount <= rule.closedMax && first.closedAtMs > keptSinceMs) break;
      first.queued -= 1;
      if (last) {
        memory.closedCount -= 1;
        account.reservations.delete(first.reservationId);
        forgetEndings(account, first);
        mark(memory.forgotten, first.reservationId, first.closedRevision);
      }
    }
    queue[memory.head] = undefined;
    memory.head += 1;
  }
  if (memory.head > 1_024 && memory.head * 2 > queue.length) {
    queue.splice(0, memory.head);
    memory.head = 0;
  }
};

/** False: an id that is not in memory surely never was. */
export const mayBeForgotten = (
  { forgotten }: ReservationMemory,
  reservationId: string,
): boolean => {
  const idTimeMs = uuidv7TimeMs(reservationId);
  return idTimeMs === undefined ? forgotten.otherIds : idTimeMs <= forgotten.idTimeMaxMs;
};

const mark = (marks: Marks, reservationId: string, revision: number): void => {
  if (revision > marks.revisionMax) marks.revisionMax = revision;
  const idTimeMs = uuidv7TimeMs(reservationId);
  if (idTimeMs === undefined) marks.otherIds = true;
  else if (idTimeMs > marks.idTimeMaxMs) marks.idTimeMaxMs = idTimeMs;
};
