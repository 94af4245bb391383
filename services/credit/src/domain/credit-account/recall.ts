import type { Allocation, Charge, CreditAccountEvent, EventMetadata } from '@tollkeeper/events';
import { parseMoney } from '@tollkeeper/kernel';
import type { CreditCommand } from './commands.js';
import { countedBefore, type Counted } from './limit-counts.js';
import { CorruptStreamError, evolve } from './evolve.js';
import { rememberAgain } from './memory.js';
import { isSpending } from './open-account.js';
import { newAccount, type CreditAccount } from './state.js';

type Meta = Pick<EventMetadata, 'commandId' | 'commandHash' | 'occurredAt'>;

/** A stored event with its place in the account's stream. */
export interface PastEvent {
  readonly event: CreditAccountEvent;
  readonly meta: Meta;
  readonly revision: number;
}

/** The reservation that a command makes or is about; undefined for one that is about none. */
export const reservationIdOf = (command: CreditCommand): string | undefined => {
  if ('reservationId' in command) return command.reservationId;
  return isSpending(command) ? command.commandId : undefined;
};

/**
 * Puts a closed reservation back into memory from all of its events, in order. They are applied to an account of their own,
 * by `evolve` like all events: in this one the credits have moved already.
 *
 * @returns false, and changes nothing, when these are not the events of one closed reservation
 */
export const recallReservation = (
  account: CreditAccount,
  reservationId: string,
  past: readonly PastEvent[],
): boolean => {
  const last = past.at(-1);
  if (!last || !past.every(({ event }) => isAbout(event, reservationId))) return false;
  const scratch = stage(account, past, last.meta);
  try {
    for (const { event, meta } of past) evolve(scratch, event, meta);
  } catch (error) {
    if (error instanceof CorruptStreamError) return false;
    throw error;
  }
  const reservation = scratch.reservations.get(reservationId);
  if (!reservation || reservation.state === 'open') return false;
  reservation.counted = countedOf(account, past);
  rememberAgain(account, reservation, last.revision);
  return true;
};

/** What it counts for in this account's limits, where all of it has been counted already. */
const countedOf = (
  account: CreditAccount,
  past: readonly PastEvent[],
): readonly Counted[] | undefined => {
  const [first] = past;
  if (first?.event.type !== 'Reserved') return undefined;
  const { data } = first.event;
  const { occurredAt } = first.meta;
  let charge: Charge | undefined;
  for (const { event } of past) if ('chargeCredits' in event.data) charge = event.data;
  return countedBefore(account.limits, { data, occurredAt, revision: first.revision }, charge);
};

const isAbout = ({ data }: CreditAccountEvent, reservationId: string): boolean =>
  'reservationId' in data && data.reservationId === reservationId;

/** More than any event moves. */
const plenty = '100000000000000000000000000000';

/** An account whose grants cover whatever the events draw, and whose debt covers whatever they cancel. */
const stage = (
  { accountId }: CreditAccount,
  past: readonly PastEvent[],
  meta: Meta,
): CreditAccount => {
  const scratch = newAccount(accountId);
  scratch.opened = true;
  for (const grantId of grantIdsIn(past)) {
    evolve(
      scratch,
      {
        type: 'CreditsGranted',
        data: {
          grantId,
          kind: 'adjustment',
          amountCredits: plenty,
          priority: 0,
          effectiveAt: meta.occurredAt,
          localDate: meta.occurredAt.slice(0, 10),
        },
      },
      meta,
    );
  }
  scratch.debtCredits = parseMoney(plenty);
  return scratch;
};

type Movements = Readonly<
  Partial<Record<(typeof movements)[number], readonly Allocation[] | undefined>>
>;

const movements = ['allocations', 'drawn', 'drawnBeyond', 'returned', 'lapsed'] as const;

const grantIdsIn = (past: readonly PastEvent[]): Set<string> => {
  const ids = new Set<string>();
  for (const { event } of past) {
    const data = event.data as Movements;
    for (const movement of movements) {
      for (const { grantId } of data[movement] ?? []) ids.add(grantId);
    }
  }
  return ids;
};
