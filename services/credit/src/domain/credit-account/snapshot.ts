import type { Allocation, DebtCause, Quote, ReleaseReason, Tier } from '@tollkeeper/events';
import type { Json } from '@tollkeeper/kernel';
import {
  count,
  eventData,
  flag,
  listOf,
  mapOf,
  maybe,
  money,
  recordOf,
  text,
  textOf,
  type Fields,
} from './snapshot-codec.js';
import {
  newAccount,
  type ChargeAnswer,
  type Charged,
  type CreditAccount,
  type Grant,
  type GrantPart,
  type Marks,
  type Reservation,
} from './state.js';

/**
 * An account as JSON, so that a load need not begin at its first event. Disposable: the events say the same.
 *
 * Each field of the state has a codec here, and one that is left out does not compile. To add a field: add its line. The
 * schema's name is made from the codecs, so that older snapshots are then ignored by themselves; only when a field keeps
 * its shape and changes its meaning must `version` be raised.
 */

const version = 1;

/** What is derived from other fields, or made anew: `fromSnapshot` says how. */
type Derived = 'accountId' | 'grantsById' | 'reservations' | 'memory';

const part = recordOf<GrantPart>({ grantId: text, amountCredits: money });

const grant = recordOf<Grant>({
  grantId: text,
  priority: count,
  effectiveAtMs: count,
  expiresAtMs: count,
  order: count,
  available: money,
});

const answer = recordOf<ChargeAnswer>({
  chargeCredits: text,
  costUsd: text,
  priceVersion: maybe(text),
  multiplier: maybe(text),
  provenance: maybe(text),
  debtCredits: maybe(text),
  late: flag,
});

const charged = recordOf<Charged>({
  commandHash: text,
  drawn: listOf(eventData<Allocation>('allocation@1')),
  answer,
});

const reservation = recordOf<Reservation>({
  reservationId: text,
  commandHash: text,
  amountCredits: money,
  allocations: listOf(part),
  expiresAt: text,
  tier: textOf<Tier>(),
  quote: maybe(eventData<Quote>('quote@1')),
  state: textOf<Reservation['state']>(),
  released: maybe(
    recordOf<NonNullable<Reservation['released']>>({
      reason: textOf<ReleaseReason>(),
      commandHash: text,
    }),
  ),
  charged: maybe(charged),
  settled: maybe(recordOf<NonNullable<Reservation['settled']>>({ commandHash: text, answer })),
  corrections: maybe(mapOf<string, Charged>(charged)),
  closedAtMs: count,
  closedRevision: count,
  queued: count,
});

const marks = recordOf<Marks>({ idTimeMaxMs: count, otherIds: flag, revisionMax: count });

const fields: Fields<Omit<CreditAccount, Derived>> = {
  opened: flag,
  openedBy: maybe(recordOf<NonNullable<CreditAccount['openedBy']>>({ commandHash: text })),
  ownerUserId: text,
  tier: textOf<Tier>(),
  timeZone: text,
  grants: listOf(grant),
  grantHashes: mapOf<string, string>(text),
  reservedCredits: money,
  debts: mapOf<DebtCause, CreditAccount['reservedCredits']>(money),
  debtCredits: money,
  repaid: listOf(part),
  lastEventAtMs: count,
  revision: count,
};

const plain = recordOf<Omit<CreditAccount, Derived>>(fields);
const open = listOf(reservation);

/** Of snapshots that this version writes and reads. */
export const snapshotShape = `${String(version)} ${plain.shape} ${open.shape} ${marks.shape}`;

/** Closed reservations are left out: to whoever loads the snapshot they are forgotten ones. */
export const toSnapshot = (account: CreditAccount): Json => {
  const openOnes: Reservation[] = [];
  for (const each of account.reservations.values()) {
    if (each.state === 'open') openOnes.push(each);
  }
  return {
    account: plain.to(account),
    open: open.to(openOnes),
    forgotten: marks.to(account.memory.closed),
  };
};

/** Throws where `state` is not what `toSnapshot` writes. */
export const fromSnapshot = (accountId: string, state: Json): CreditAccount => {
  const { account, open: openOnes, forgotten } = state as Readonly<Record<string, Json>>;
  const made: CreditAccount = { ...newAccount(accountId), ...plain.from(account ?? null) };
  for (const each of made.grants) made.grantsById.set(each.grantId, each);
  for (const each of open.from(openOnes ?? null)) made.reservations.set(each.reservationId, each);
  Object.assign(made.memory.closed, marks.from(forgotten ?? null));
  Object.assign(made.memory.forgotten, made.memory.closed);
  return made;
};
