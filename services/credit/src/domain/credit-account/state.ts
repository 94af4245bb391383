import type { Allocation, Quote, Tier } from '@tollkeeper/events';
import { maxMoney, zero, type Money } from '@tollkeeper/kernel';
import type { RecurringGrant } from './recurring-rule.js';
import type { Watch } from './watch.js';
import type { Counted } from './limit-counts.js';
import { newLimits, type Limits } from './limits.js';

/** Credits put in, and what is left of them unreserved. */
export interface Grant {
  readonly grantId: string;
  readonly priority: number;
  readonly effectiveAtMs: number;
  /** Infinity when it never expires. */
  readonly expiresAtMs: number;
  /** Place among the account's grants: the oldest is 0. */
  readonly order: number;
  /** As it was granted. */
  readonly amountCredits: Money;
  /** What was paid for the whole of it; undefined when nothing is known. */
  readonly costBasisUsd: Money | undefined;
  /** The rule that posted it. */
  readonly recurringId: string | undefined;
  available: Money;
  /** Expired by event, or voided whole: what would return to it lapses. */
  ended: boolean;
}

export interface GrantPart {
  readonly grantId: string;
  readonly amountCredits: Money;
}

/** What the settle, or the last correction, has charged. */
export interface Charged {
  readonly commandId: string;
  readonly commandHash: string;
  /** Taken from grants, in the order of drawing; a correction gives back from its end. Parsed when that comes. */
  readonly drawn: readonly Allocation[];
  readonly answer: ChargeAnswer;
}

/** The first answer to a settle or a correction, rebuilt from its event. Decimal strings. */
export interface ChargeAnswer {
  readonly chargeCredits: string;
  readonly costUsd: string;
  readonly priceVersion: string | undefined;
  readonly multiplier: string | undefined;
  readonly provenance: string | undefined;
  readonly debtCredits: string | undefined;
  readonly late: boolean;
  /** False for a re-rating of what was priced so already. */
  readonly changed: boolean;
}

/** The command that released a reservation. */
export interface Released {
  readonly commandId: string;
  readonly commandHash: string;
}

export interface Reservation {
  readonly reservationId: string;
  /** Stream time of the event that closed it, or of a later one about it; 0 while it is open. */
  closedAtMs: number;
  /** Of that event; −1 while it is open. */
  closedRevision: number;
  /** How often it stands in the account's queue of closed reservations. */
  queued: number;
  readonly commandHash: string;
  readonly amountCredits: Money;
  /** Empty once the reservation has ended. */
  allocations: readonly GrantPart[];
  readonly expiresAt: string;
  /** A plain amount is settled by the credit policy that was in force then. */
  readonly reservedAt: string;
  readonly tier: Tier;
  /** A re-rating replaces a version in it. */
  quote: Quote | undefined;
  state: 'open' | 'settled' | 'released';
  released: Released | undefined;
  charged: Charged | undefined;
  /** Of the settle itself, which a correction does not change. */
  settled: Omit<Charged, 'drawn'> | undefined;
  /** Hashes of corrections by command id, so that a repeated one gets its answer. */
  corrections: Map<string, Charged> | undefined;
  /** What refunds have given back; undefined when none has. */
  refundedCredits: Money | undefined;
  /** What it counts for in the windows of limits; undefined where it counts in none. */
  counted: readonly Counted[] | undefined;
}

/** An operator's command that was carried out, and what its answer is rebuilt from. */
export interface DoneCommand {
  readonly commandHash: string;
  /** Of a refund: a decimal string. */
  readonly refundedCredits: string | undefined;
}

/** Bounds on a set of reservations that say for sure what is not in it. */
export interface Marks {
  /** The latest time that a UUIDv7 among their ids carries; −1: there is none. */
  idTimeMaxMs: number;
  /** Whether an id among them is not a UUIDv7. */
  otherIds: boolean;
  /** Of the last event of any of them; −1: the set is empty. */
  revisionMax: number;
}

/** Which closed reservations an account still holds, and how to tell that it never held an id. */
export interface ReservationMemory {
  /** In the order of closing, from `head` on; one that changed after it closed is in it again. */
  readonly queue: (Reservation | undefined)[];
  head: number;
  closedCount: number;
  /** Of every reservation that has ever closed, remembered or not. */
  readonly closed: Marks;
  readonly forgotten: Marks;
}

export const noMarks = (): Marks => ({ idTimeMaxMs: -1, otherIds: false, revisionMax: -1 });

export const newMemory = (): ReservationMemory => ({
  queue: [],
  head: 0,
  closedCount: 0,
  closed: noMarks(),
  forgotten: noMarks(),
});

/**
 * One credit account. `evolve` changes it in place: a copy of every reservation for each event would be
 * the dearest thing that the service does. A caller whose append fails throws the state away and loads it again.
 */
export interface CreditAccount {
  readonly accountId: string;
  readonly memory: ReservationMemory;
  opened: boolean;
  openedBy: { readonly commandHash: string } | undefined;
  ownerUserId: string;
  tier: Tier;
  timeZone: string;
  /** Nothing may be reserved; what was reserved ends as ever. */
  frozen: boolean;
  /** Those that have not ended, in draw order: lowest priority number, earliest expiry, oldest. */
  readonly grants: Grant[];
  readonly grantsById: Map<string, Grant>;
  /** Command hashes of grants, by grant id. */
  readonly grantHashes: Map<string, string>;
  /** Those that granted nothing under their own id, by command id. */
  readonly adminCommands: Map<string, DoneCommand>;
  readonly recurringGrants: Map<string, RecurringGrant>;
  /** Undefined unless somebody wants to know what is available: most accounts pay nothing for it. */
  watch: Watch | undefined;
  /** Open ones, and those closed ones that are still remembered. */
  readonly reservations: Map<string, Reservation>;
  /** Hashes of the commands that ended or corrected a remembered reservation, by command id. */
  readonly endings: Map<string, string>;
  reservedCredits: Money;
  /** What the account owes; the events tell why. */
  debtCredits: Money;
  /** What grants paid off debts, oldest first: a lower charge found later gives it back to them. */
  repaid: GrantPart[];
  readonly limits: Limits;
  lastEventAtMs: number;
  /** Of the last event applied; −1 before the first. */
  revision: number;
}

export const newAccount = (accountId: string): CreditAccount => ({
  accountId,
  memory: newMemory(),
  opened: false,
  openedBy: undefined,
  ownerUserId: '',
  tier: 'free',
  timeZone: 'UTC',
  frozen: false,
  grants: [],
  grantsById: new Map(),
  grantHashes: new Map(),
  adminCommands: new Map(),
  recurringGrants: new Map(),
  watch: undefined,
  reservations: new Map(),
  endings: new Map(),
  reservedCredits: zero,
  debtCredits: zero,
  repaid: [],
  limits: newLimits(),
  lastEventAtMs: 0,
  revision: -1,
});

export const isUsable = (grant: Grant, atMs: number): boolean =>
  grant.effectiveAtMs <= atMs && atMs < grant.expiresAtMs;

/** What a new reservation may take: unreserved credits of grants that are in force, less what is owed. */
export const availableCredits = (account: CreditAccount, atMs: number): Money =>
  maxMoney(zero, freeCredits(account, atMs));

/** What is owed beyond that: credits that have come into force pay at the next change, and are counted as if they had. */
export const owedCredits = (account: CreditAccount, atMs: number): Money =>
  maxMoney(zero, freeCredits(account, atMs).negated());

/** Less than nothing where more is owed than there is. */
export const freeCredits = (account: CreditAccount, atMs: number): Money => {
  let total = zero;
  for (const grant of account.grants) {
    if (isUsable(grant, atMs) && !grant.available.isZero()) total = total.plus(grant.available);
  }
  return total.minus(account.debtCredits);
};

/** Granted less charged, lapsed and owed: available + reserved − owed. */
export const balanceCredits = (account: CreditAccount, atMs: number): Money =>
  freeCredits(account, atMs).plus(account.reservedCredits);
