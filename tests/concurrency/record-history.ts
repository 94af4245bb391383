import type { Operation, Random } from '@tollkeeper/testing';
import {
  sendUntilAnswered,
  type LedgerCommand,
  type LedgerPort,
  type LedgerReply,
  type Persistence,
} from '../support/ledger-port.js';

export type CreditOperation = Operation<LedgerCommand, LedgerReply>;

export interface HistoryOptions {
  readonly clients: number;
  /** Of all clients together; the checker's cost grows with it. */
  readonly operations: number;
  readonly persistence: Persistence;
}

export const defaultHistory: HistoryOptions = {
  clients: 8,
  operations: 60,
  persistence: { tryMs: 5_000, giveUpAfterMs: 30_000 },
};

/**
 * Some clients who work on one small account at the same time: what each asked, when, and what it was told. They
 * end, refund and void each other's, ask again, and look at the balance in between.
 */
export const recordHistory = async (
  ledger: LedgerPort,
  accountId: string,
  random: Random,
  { clients, operations, persistence }: HistoryOptions = defaultHistory,
): Promise<CreditOperation[]> => {
  const history: CreditOperation[] = [];
  const record = async (command: LedgerCommand): Promise<void> => {
    const invokedAt = performance.now();
    let tries = 0;
    const counting: LedgerPort = {
      ...ledger,
      send: (...asked) => {
        tries++;
        return ledger.send(...asked);
      },
    };
    const answer = await sendUntilAnswered(counting, accountId, command, persistence);
    const returnedAt = answer === undefined ? Infinity : performance.now();
    const reply = answer && tries > 1 && command.verb !== 'balance' ? lasting(answer) : answer;
    history.push({ command, invokedAt, returnedAt, reply });
  };
  await record({ verb: 'open', id: 'open', body: { ownerUserId: 'usr_1', tier: 'pro' } });
  await record({ verb: 'grant', id: 'grant', body: { amountCredits: '10' } });
  const known: Known = { reservations: [], charges: [], grants: ['grant'] };
  let left = operations - 2;
  const client = async (): Promise<void> => {
    while (left-- > 0) await record(nextCommand(random, known, left));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return history;
};

/** What was asked for more than once may have been done long before it was answered: only what it did is told for sure. */
const lasting = (reply: LedgerReply): LedgerReply =>
  Object.fromEntries(
    Object.entries(reply).filter(([name]) => !['available', 'debt', 'details'].includes(name)),
  );

/** Ids that the clients share. */
interface Known {
  readonly reservations: string[];
  readonly charges: string[];
  readonly grants: string[];
}

const reasonCode = 'goodwill';

const nextCommand = (random: Random, known: Known, place: number): LedgerCommand => {
  const { reservations, charges, grants } = known;
  const amountCredits = String(random.int(1, 6));
  const n = String(place);
  const kind = random.int(0, 99);
  if (kind < 30 || reservations.length === 0) {
    // Now and then two clients make the same reservation.
    const again = kind < 5 && reservations.length > 0;
    const id = again ? random.pick(reservations) : `r${n}`;
    if (!again) reservations.push(id);
    return { verb: 'reserve', id, body: { amountCredits } };
  }
  const reservationId = random.pick(reservations);
  if (kind < 47) {
    charges.push(reservationId);
    return { verb: 'settle', id: `s${n}`, body: { reservationId, amountCredits } };
  }
  if (kind < 57) {
    return { verb: 'release', id: `l${n}`, body: { reservationId, reason: 'failed' } };
  }
  if (kind < 63) {
    charges.push(`c${n}`);
    return { verb: 'charge', id: `c${n}`, body: { amountCredits } };
  }
  if (kind < 70 && charges.length > 0) {
    const part = random.int(0, 1) === 0 ? {} : { amountCredits: String(random.int(1, 3)) };
    const body = { reservationId: random.pick(charges), reasonCode, ...part };
    return { verb: 'refund', id: `f${n}`, body };
  }
  if (kind < 75) {
    const body = { reasonCode, bookDebt: random.int(0, 2) === 0 };
    const sign = random.int(0, 2) === 0 ? '' : '-';
    return { verb: 'adjust', id: `a${n}`, body: { ...body, amountCredits: sign + amountCredits } };
  }
  if (kind < 82) {
    // Two clients who make the same grant mean the same by it.
    const again = kind === 75;
    const id = again ? random.pick(grants) : `g${n}`;
    if (!again) grants.push(id);
    return { verb: 'grant', id, body: { amountCredits: id === 'grant' ? '10' : '3' } };
  }
  if (kind < 85) {
    return { verb: 'void', id: `v${n}`, body: { grantId: random.pick(grants), reasonCode } };
  }
  return { verb: 'balance' };
};
