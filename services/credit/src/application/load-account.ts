import {
  creditStream,
  eventHash,
  fromStoredCredit,
  genesisHash,
  type CreditAccountEvent,
  type Decoded,
} from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { messageOf } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import { CorruptStreamError, evolve } from '../domain/credit-account/evolve.js';
import { forgetClosed, mayBeForgotten } from '../domain/credit-account/memory.js';
import { recallReservation, type PastEvent } from '../domain/credit-account/recall.js';
import { fromSnapshot } from '../domain/credit-account/snapshot.js';
import { newAccount, type CreditAccount } from '../domain/credit-account/state.js';
import type { Past, Recall } from './recall.js';
import type { Remembering } from './recollection.js';
import type { AccountSnapshot } from './snapshots.js';

/** An account in memory, as of the last event that the store has confirmed. */
export interface LoadedAccount {
  readonly account: CreditAccount;
  revision: number | 'no-stream';
  lastHash: string;
  /** Of the snapshot that it was loaded from; −1 without one. */
  readonly snapshotRevision: number;
}

export interface LoadDependencies {
  readonly store: Pick<EventStore, 'read'>;
  readonly logger: Logger;
  readonly remembering: Remembering | undefined;
}

type Event = Decoded<CreditAccountEvent>;

/** An event about a reservation that the fold has forgotten, and nobody could say what it was. */
class ForgottenReservationError extends Error {
  override readonly name = 'ForgottenReservationError';
}

/**
 * Folds an account's stream, from its snapshot on where there is one that fits. What the rule forgets is
 * forgotten on the way, so that a load takes no more memory than the account did.
 *
 * @throws UndecodableEventError, CorruptStreamError, StoreUnavailableError
 */
export const loadAccount = async (
  accountId: string,
  with_: LoadDependencies,
): Promise<LoadedAccount> => {
  const snapshot = await with_.remembering?.snapshots.find(accountId);
  try {
    const fromThere = snapshot && (await foldFrom(snapshot, accountId, with_));
    return fromThere ?? (await foldAll(accountId, with_, with_.remembering?.recall));
  } catch (error) {
    if (!(error instanceof ForgottenReservationError)) throw error;
    with_.logger.warn({ accountId, reason: error.message }, 'the whole stream is read twice');
    return foldAll(accountId, with_, await recallFromStream(accountId, with_));
  }
};

/** Undefined when the stream is not the one that the snapshot was made of. */
const foldFrom = async (
  snapshot: AccountSnapshot,
  accountId: string,
  with_: LoadDependencies,
): Promise<LoadedAccount | undefined> => {
  const loaded = restored(snapshot, accountId, with_);
  if (!loaded) return undefined;
  const stream = creditStream(accountId);
  let known = false;
  for await (const recorded of with_.store.read(stream, { fromRevision: snapshot.revision })) {
    if (known) {
      await apply(loaded, recorded, with_, with_.remembering?.recall);
    } else if (
      recorded.revision === snapshot.revision &&
      eventHash(recorded) === snapshot.lastHash
    ) {
      known = true;
    } else break;
  }
  if (known) return loaded;
  with_.logger.warn({ stream, revision: snapshot.revision }, 'snapshot of another stream ignored');
  return undefined;
};

const restored = (
  snapshot: AccountSnapshot,
  accountId: string,
  { logger }: LoadDependencies,
): LoadedAccount | undefined => {
  const { revision, lastHash, state } = snapshot;
  try {
    const account = fromSnapshot(accountId, state);
    if (account.revision === revision)
      return { account, revision, lastHash, snapshotRevision: revision };
    logger.warn({ accountId, revision }, 'snapshot of another revision ignored');
  } catch (error) {
    logger.warn({ accountId, reason: messageOf(error) }, 'unreadable snapshot ignored');
  }
  return undefined;
};

const foldAll = async (
  accountId: string,
  with_: LoadDependencies,
  recall: Pick<Recall, 'find'> | undefined,
): Promise<LoadedAccount> => {
  const stream = creditStream(accountId);
  const loaded: LoadedAccount = {
    account: newAccount(accountId),
    revision: 'no-stream',
    lastHash: genesisHash(stream),
    snapshotRevision: -1,
  };
  for await (const recorded of with_.store.read(stream)) {
    await apply(loaded, recorded, with_, recall);
  }
  return loaded;
};

type Recorded = Parameters<typeof eventHash>[0] & { readonly revision: number };

const apply = async (
  loaded: LoadedAccount,
  recorded: Recorded,
  { remembering }: LoadDependencies,
  recall: Pick<Recall, 'find'> | undefined,
): Promise<void> => {
  const { account } = loaded;
  const event = fromStoredCredit(recorded);
  if (event.metadata.prevHash !== loaded.lastHash) {
    throw new CorruptStreamError(
      `${creditStream(account.accountId)}@${String(recorded.revision)}: broken hash chain`,
    );
  }
  const lacking = forgottenBy(account, event);
  if (lacking !== undefined) await recallFor(account, lacking, recall);
  evolve(account, event, event.metadata);
  loaded.revision = recorded.revision;
  loaded.lastHash = eventHash(recorded);
  if (remembering) forgetClosed(account, account.lastEventAtMs, remembering.rule);
};

/** The reservation that an event changes, where the fold has forgotten it. */
const forgottenBy = (account: CreditAccount, event: Event): string | undefined => {
  if (event.type === 'Reserved' || !('reservationId' in event.data)) return undefined;
  const { reservationId } = event.data;
  return account.reservations.has(reservationId) || !mayBeForgotten(account.memory, reservationId)
    ? undefined
    : reservationId;
};

const recallFor = async (
  account: CreditAccount,
  reservationId: string,
  recall: Pick<Recall, 'find'> | undefined,
): Promise<void> => {
  const needed = account.memory.forgotten.revisionMax;
  const past = await recall?.find(account.accountId, reservationId, needed);
  // The index may have seen events that the fold comes to later.
  const events = past?.events.filter((each) => each.revision <= account.revision) ?? [];
  if (
    !past ||
    past.indexedRevision < needed ||
    !recallReservation(account, reservationId, events)
  ) {
    throw new ForgottenReservationError(`no events of reservation ${reservationId}`);
  }
};

/** Without an index: reads the stream once for the reservations that changed after they had closed. */
const recallFromStream = async (
  accountId: string,
  { store }: LoadDependencies,
): Promise<Pick<Recall, 'find'>> => {
  const stream = creditStream(accountId);
  const changed = new Map<string, PastEvent[]>();
  for await (const recorded of store.read(stream)) {
    const id = reservationIdIn(fromStoredCredit(recorded));
    if (id !== undefined && !closing.has(recorded.type)) changed.set(id, []);
  }
  let indexedRevision = -1;
  for await (const recorded of store.read(stream)) {
    indexedRevision = recorded.revision;
    const { metadata, ...event } = fromStoredCredit(recorded);
    const id = reservationIdIn(event);
    if (id === undefined) continue;
    changed.get(id)?.push({ event, meta: metadata, revision: recorded.revision });
  }
  return {
    find: (_, reservationId): Promise<Past> =>
      Promise.resolve({ events: changed.get(reservationId) ?? [], indexedRevision }),
  };
};

const closing = new Set(['Reserved', 'Settled', 'Released']);

const reservationIdIn = ({ data }: CreditAccountEvent): string | undefined =>
  'reservationId' in data ? data.reservationId : undefined;
