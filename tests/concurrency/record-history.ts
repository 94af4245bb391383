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
 * settle and release each other's reservations, ask again, and look at the balance in between.
 */
export const recordHistory = async (
  ledger: LedgerPort,
  accountId: string,
  random: Random,
  { clients, operations, persistence }: HistoryOptions = defaultHistory,
): Promise<CreditOperation[]> => {
  const history: CreditOperation[] = [];
  const reservations: string[] = [];
  const record = async (command: LedgerCommand): Promise<void> => {
    const invokedAt = performance.now();
    const reply = await sendUntilAnswered(ledger, accountId, command, persistence);
    const returnedAt = reply === undefined ? Infinity : performance.now();
    history.push({ command, invokedAt, returnedAt, reply });
  };
  await record({ verb: 'open', id: 'open', body: { ownerUserId: 'usr_1', tier: 'pro' } });
  await record({ verb: 'grant', id: 'grant', body: { amountCredits: '10' } });
  let left = operations - 2;
  const client = async (): Promise<void> => {
    while (left-- > 0) await record(nextCommand(random, reservations, left));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return history;
};

const nextCommand = (random: Random, reservations: string[], place: number): LedgerCommand => {
  const amountCredits = String(random.int(1, 6));
  const kind = random.int(0, 99);
  if (kind < 40 || reservations.length === 0) {
    // Now and then two clients make the same reservation.
    const again = kind < 5 && reservations.length > 0;
    const id = again ? random.pick(reservations) : `r${String(place)}`;
    if (!again) reservations.push(id);
    return { verb: 'reserve', id, body: { amountCredits } };
  }
  const reservationId = random.pick(reservations);
  if (kind < 60) {
    const id = `s${String(place)}`;
    return { verb: 'settle', id, body: { reservationId, amountCredits } };
  }
  if (kind < 75) {
    const id = `l${String(place)}`;
    return { verb: 'release', id, body: { reservationId, reason: 'failed' } };
  }
  if (kind < 82) return { verb: 'charge', id: `c${String(place)}`, body: { amountCredits } };
  if (kind < 86) return { verb: 'grant', id: `g${String(place)}`, body: { amountCredits: '2' } };
  return { verb: 'balance' };
};
