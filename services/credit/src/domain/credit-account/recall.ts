import type { CreditAccountEvent } from '@tollkeeper/events';
import type { CreditCommand } from './commands.js';
import { rememberAgain } from './memory.js';
import {
  markCorrected,
  markReleased,
  markSettled,
  markSettledLate,
  reservationOf,
  type Meta,
} from './reservation-facts.js';
import type { CreditAccount, Reservation } from './state.js';

/** A stored event with its place in the account's stream. */
export interface PastEvent {
  readonly event: CreditAccountEvent;
  readonly meta: Meta;
  readonly revision: number;
}

/** The reservation that a command makes or is about; undefined for one that is about none. */
export const reservationIdOf = (command: CreditCommand): string | undefined => {
  if ('reservationId' in command) return command.reservationId;
  switch (command.type) {
    case 'ReserveCompletion':
    case 'ReserveAmount':
    case 'Charge':
      return command.commandId;
    default:
      return undefined;
  }
};

/**
 * Puts a closed reservation back into memory from all of its events, in order. Moves no credits: they have moved when
 * the events were applied.
 *
 * @returns false, and changes nothing, when these are not the events of one closed reservation
 */
export const recallReservation = (account: CreditAccount, past: readonly PastEvent[]): boolean => {
  let reservation: Reservation | undefined;
  for (const { event, meta } of past) {
    if (event.type === 'Reserved' && !reservation) reservation = reservationOf(event.data, meta);
    else if (!reservation || !applyTo(reservation, event, meta)) return false;
  }
  const last = past.at(-1);
  if (!last || !reservation || reservation.state === 'open') return false;
  rememberAgain(account, reservation, last.revision);
  return true;
};

const applyTo = (reservation: Reservation, event: CreditAccountEvent, meta: Meta): boolean => {
  if (!('reservationId' in event.data)) return false;
  if (event.data.reservationId !== reservation.reservationId) return false;
  switch (event.type) {
    case 'Settled':
      markSettled(reservation, event.data, meta);
      return true;
    case 'SettledLate':
      markSettledLate(reservation, event.data, meta);
      return true;
    case 'Released':
      markReleased(reservation, event.data, meta);
      return true;
    case 'UsageCorrected':
      if (!reservation.charged) return false;
      markCorrected(reservation, reservation.charged, event.data, meta);
      return true;
    default:
      return false;
  }
};
