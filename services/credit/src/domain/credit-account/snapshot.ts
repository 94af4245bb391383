import type {
  Allocation,
  GrantKind,
  LimitScope,
  LimitUnit,
  LimitWindow,
  Quote,
  Tier,
} from '@tollkeeper/events';
import type { Json } from '@tollkeeper/kernel';
import { drawOrder } from './draw.js';
import type { Counted } from './limit-counts.js';
import { restoredLimits, type Limit, type LimitMode, type Limits, type Period } from './limits.js';
import type { RecurringGrant } from './recurring-rule.js';
import {
  count,
  eventData,
  flag,
  listOf,
  mapOf,
  maybe,
  money,
  recordOf,
  setOf,
  text,
  textOf,
  type Fields,
} from './snapshot-codec.js';
import {
  newAccount,
  type ChargeAnswer,
  type Charged,
  type CreditAccount,
  type DoneCommand,
  type Grant,
  type GrantPart,
  type Marks,
  type Released,
  type Reservation,
} from './state.js';
import type { Threshold, TopUpRule, TopUps, Watch } from './watch.js';

/**
 * An account as JSON, so that a load need not begin at its first event. Disposable: the events say the same.
 *
 * Each field of the state has a codec here, and one that is left out does not compile. To add a field: add its line. The
 * schema's name is made from the codecs, so that older snapshots are then ignored by themselves; only when a field keeps
 * its shape and changes its meaning must `version` be raised.
 */

const version = 1;

/** What is derived from other fields, or made anew: `fromSnapshot` says how. */
type Derived =
  'accountId' | 'endings' | 'grants' | 'grantsById' | 'reservations' | 'memory' | 'limits';

const part = recordOf<GrantPart>({ grantId: text, amountCredits: money });

const grant = recordOf<Grant>({
  grantId: text,
  priority: count,
  effectiveAtMs: count,
  expiresAtMs: count,
  order: count,
  amountCredits: money,
  costBasisUsd: maybe(money),
  recurringId: maybe(text),
  available: money,
  ended: flag,
});

const counted = recordOf<Counted>({
  limitId: maybe(text),
  since: count,
  period: text,
  unit: textOf<LimitUnit>(),
  amount: money,
});

const answer = recordOf<ChargeAnswer>({
  chargeCredits: text,
  costUsd: text,
  priceVersion: maybe(text),
  multiplier: maybe(text),
  provenance: maybe(text),
  debtCredits: maybe(text),
  late: flag,
  changed: flag,
});

const charged = recordOf<Charged>({
  commandId: text,
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
  reservedAt: text,
  tier: textOf<Tier>(),
  quote: maybe(eventData<Quote>('quote@1')),
  state: textOf<Reservation['state']>(),
  released: maybe(
    recordOf<Released>({
      commandId: text,
      commandHash: text,
    }),
  ),
  charged: maybe(charged),
  settled: maybe(
    recordOf<NonNullable<Reservation['settled']>>({ commandId: text, commandHash: text, answer }),
  ),
  corrections: maybe(mapOf<string, Charged>(charged)),
  refundedCredits: maybe(money),
  counted: maybe<readonly Counted[]>(listOf(counted)),
  closedAtMs: count,
  closedRevision: count,
  queued: count,
});

const marks = recordOf<Marks>({ idTimeMaxMs: count, otherIds: flag, revisionMax: count });

const period = recordOf<Period>({
  name: text,
  used: money,
  charged: money,
  openReservations: count,
  warned: flag,
});

const limit = recordOf<Limit>({
  limitId: text,
  scope: eventData<LimitScope>('limitScope@1'),
  window: textOf<LimitWindow>(),
  unit: textOf<LimitUnit>(),
  since: count,
  amount: money,
  mode: textOf<LimitMode>(),
  periods: mapOf<string, Period>(period),
});

/** The rest of them follows. */
const limits = recordOf<Pick<Limits, 'byId' | 'freeMonths' | 'commandHashes'>>({
  byId: mapOf<string, Limit>(limit),
  freeMonths: mapOf<string, Period>(period),
  commandHashes: mapOf<string, string>(text),
});

const recurringGrant = recordOf<RecurringGrant>({
  recurringId: text,
  kind: textOf<GrantKind>(),
  amountCredits: money,
  priority: count,
  dayOfMonth: count,
  rolloverCapCredits: maybe(money),
  nextAtMs: maybe(count),
});

const watch = recordOf<Watch>({
  balanceCredits: money,
  availableCredits: money,
  thresholds: listOf(recordOf<Threshold>({ credits: money, raised: flag })),
  topUpRule: maybe(
    recordOf<TopUpRule>({
      thresholdCredits: money,
      amountCredits: money,
      coolDownMs: count,
      monthlyCapCredits: money,
      enabled: flag,
    }),
  ),
  topUps: recordOf<TopUps>({
    count,
    lastAtMs: count,
    month: text,
    monthCredits: money,
    unfulfilled: setOf(text),
  }),
});

const fields: Fields<Omit<CreditAccount, Derived>> = {
  opened: flag,
  openedBy: maybe(recordOf<NonNullable<CreditAccount['openedBy']>>({ commandHash: text })),
  ownerUserId: text,
  tier: textOf<Tier>(),
  timeZone: text,
  frozen: flag,
  grantHashes: mapOf<string, string>(text),
  adminCommands: mapOf<string, DoneCommand>(
    recordOf<DoneCommand>({ commandHash: text, refundedCredits: maybe(text) }),
  ),
  recurringGrants: mapOf<string, RecurringGrant>(recurringGrant),
  watch: maybe(watch),
  reservedCredits: money,
  debtCredits: money,
  repaid: listOf(part),
  lastEventAtMs: count,
  revision: count,
};

const plain = recordOf<Omit<CreditAccount, Derived>>(fields);
const open = listOf(reservation);
/** Ended ones too: what is returned to them lapses. */
const grants = listOf(grant);

/** Of snapshots that this version writes and reads. */
export const snapshotShape = `${String(version)} ${plain.shape} ${grants.shape} ${limits.shape} ${open.shape} ${marks.shape}`;

/** Closed reservations are left out: to whoever loads the snapshot they are forgotten ones. */
export const toSnapshot = (account: CreditAccount): Json => {
  const openOnes: Reservation[] = [];
  for (const each of account.reservations.values()) {
    if (each.state === 'open') openOnes.push(each);
  }
  return {
    account: plain.to(account),
    grants: grants.to([...account.grantsById.values()]),
    limits: limits.to(account.limits),
    open: open.to(openOnes),
    forgotten: marks.to(account.memory.closed),
  };
};

/** Throws where `state` is not what `toSnapshot` writes. */
export const fromSnapshot = (accountId: string, state: Json): CreditAccount => {
  const kept = state as Readonly<Record<string, Json>>;
  const made: CreditAccount = {
    ...newAccount(accountId),
    ...plain.from(kept['account'] ?? null),
    limits: restoredLimits(limits.from(kept['limits'] ?? null)),
  };
  for (const each of grants.from(kept['grants'] ?? null)) {
    made.grantsById.set(each.grantId, each);
    if (!each.ended) made.grants.push(each);
  }
  made.grants.sort(drawOrder);
  for (const each of open.from(kept['open'] ?? null))
    made.reservations.set(each.reservationId, each);
  Object.assign(made.memory.closed, marks.from(kept['forgotten'] ?? null));
  Object.assign(made.memory.forgotten, made.memory.closed);
  return made;
};
