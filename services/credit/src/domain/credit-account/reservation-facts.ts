import type {
  Allocation,
  Charge,
  CreditAccountEventOf,
  EventMetadata,
  Settled,
} from '@tollkeeper/events';
import { parseMoney, zero, type Money } from '@tollkeeper/kernel';
import { toAllocation, toPart } from './draw.js';
import type { ChargeAnswer, Charged, GrantPart, Reservation } from './state.js';

/**
 * What an event says of its reservation alone. Moves no credits: `evolve` does that besides, and a reservation
 * that is recalled from its events must not move them again.
 */

export type Meta = Pick<EventMetadata, 'commandId' | 'commandHash' | 'occurredAt'>;

const none: readonly GrantPart[] = [];

export const reservationOf = (
  data: CreditAccountEventOf<'Reserved'>['data'],
  meta: Meta,
): Reservation => ({
  reservationId: data.reservationId,
  commandHash: meta.commandHash,
  amountCredits: parseMoney(data.amountCredits),
  allocations: data.allocations.map(toPart),
  expiresAt: data.expiresAt,
  tier: data.tier,
  quote: data.quote,
  state: 'open',
  released: undefined,
  charged: undefined,
  settled: undefined,
  corrections: undefined,
  closedAtMs: 0,
  closedRevision: -1,
  queued: 0,
});

export const markSettled = (reservation: Reservation, data: Settled, meta: Meta): void => {
  const drawn = data.drawnBeyond ? [...data.drawn, ...data.drawnBeyond] : data.drawn;
  reservation.state = 'settled';
  reservation.allocations = none;
  reservation.charged = chargedBy(data, drawn, data.debt, meta, false);
  reservation.settled = reservation.charged;
};

export const markSettledLate = (
  reservation: Reservation,
  data: CreditAccountEventOf<'SettledLate'>['data'],
  meta: Meta,
): void => {
  reservation.charged = chargedBy(data, data.drawn, data.debt, meta, true);
  reservation.settled = reservation.charged;
};

export const markReleased = (
  reservation: Reservation,
  data: CreditAccountEventOf<'Released'>['data'],
  meta: Meta,
): void => {
  reservation.state = 'released';
  reservation.allocations = none;
  reservation.released = { reason: data.reason, commandHash: meta.commandHash };
};

/** Returns what came back to grants that the charge was not drawn from. */
export const markCorrected = (
  reservation: Reservation,
  before: Charged,
  data: CreditAccountEventOf<'UsageCorrected'>['data'],
  meta: Meta,
): Map<string, Money> => {
  const back = sumByGrant([...data.returned, ...(data.lapsed ?? [])]);
  const kept = lessen(before.drawn.map(toPart), back);
  const drawn = [...kept.map(toAllocation), ...data.drawn];
  reservation.charged = chargedBy(data, drawn, data.debt, meta, before.answer.late);
  reservation.corrections ??= new Map();
  reservation.corrections.set(meta.commandId, reservation.charged);
  return back;
};

const sumByGrant = (allocations: readonly Allocation[]): Map<string, Money> => {
  const sums = new Map<string, Money>();
  for (const { grantId, amountCredits } of allocations) {
    sums.set(grantId, (sums.get(grantId) ?? zero).plus(parseMoney(amountCredits)));
  }
  return sums;
};

/** What stays drawn after a correction gave some back; uses up `back`. */
export const lessen = (drawn: readonly GrantPart[], back: Map<string, Money>): GrantPart[] => {
  const kept: GrantPart[] = [];
  for (const part of drawn) {
    const less = back.get(part.grantId) ?? zero;
    const cut = less.lt(part.amountCredits) ? less : part.amountCredits;
    back.set(part.grantId, less.minus(cut));
    const amountCredits = part.amountCredits.minus(cut);
    if (!amountCredits.isZero()) kept.push({ grantId: part.grantId, amountCredits });
  }
  return kept;
};

const chargedBy = (
  data: Charge,
  drawn: readonly Allocation[],
  debt: { readonly amountCredits: string } | undefined,
  meta: Meta,
  late: boolean,
): Charged => ({
  commandHash: meta.commandHash,
  drawn,
  answer: chargeAnswer(data, debt, late),
});

const chargeAnswer = (
  data: Charge,
  debt: { readonly amountCredits: string } | undefined,
  late: boolean,
): ChargeAnswer => {
  const answered = data.attempts.findLast((attempt) => attempt.billed) ?? data.attempts.at(-1);
  return {
    chargeCredits: data.chargeCredits,
    costUsd: data.vendorCostUsd,
    priceVersion: answered?.priceVersion,
    multiplier: answered?.multiplier,
    provenance: answered?.provenance,
    debtCredits: debt?.amountCredits,
    late,
  };
};
