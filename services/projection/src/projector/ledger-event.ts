import type { CreditAccountEvent, CreditAccountEventOf, Decoded } from '@tollkeeper/events';

interface Place {
  readonly accountId: string;
  readonly revision: number;
  readonly id: string;
}

/** An event of a credit account, decoded, with its place in the account's stream. */
export type LedgerEvent = Decoded<CreditAccountEvent> & Place;
export type LedgerEventOf<T extends CreditAccountEvent['type']> = Decoded<CreditAccountEventOf<T>> &
  Place;

const lifeEventTypes = [
  'TierChanged',
  'AccountFrozen',
  'AccountUnfrozen',
  'LimitSet',
  'LimitRemoved',
  'LimitWarned',
  'BalanceAlertsSet',
  'LowBalanceReached',
  'RecurringGrantSet',
  'TopUpRuleSet',
  'TopUpRequested',
] as const satisfies readonly CreditAccountEvent['type'][];
type LifeEventType = (typeof lifeEventTypes)[number];

/** An event that moves no credits. */
export type LifeEvent = { [T in LifeEventType]: LedgerEventOf<T> }[LifeEventType];

const typesWithoutCredits: ReadonlySet<string> = new Set(lifeEventTypes);

export const movesNoCredits = (event: LedgerEvent): event is LifeEvent =>
  typesWithoutCredits.has(event.type);

/** The stream says something that cannot follow from what it said before: its account is parked. */
export class ContradictionError extends Error {
  override readonly name = 'ContradictionError';
}

/** Reservation ids are the caller's and only unique within an account. */
export const reservationKey = (accountId: string, reservationId: string): string =>
  `${accountId}/${reservationId}`;

export const grantKey = (accountId: string, grantId: string): string => `${accountId}/${grantId}`;
export const limitKey = (accountId: string, limitId: string): string => `${accountId}/${limitId}`;
