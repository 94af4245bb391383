import type { Pool } from '@tollkeeper/postgres';
import { eventHash } from '@tollkeeper/events';
import type { Position, RecordedEvent } from '@tollkeeper/event-store';
import { saveBalances, toBalanceRow } from '../balances/balances.store.js';
import { insertTransactions } from '../credit-transactions/credit-transactions.store.js';
import { sumDays } from '../daily-summaries/daily-summaries.projection.js';
import { addDays } from '../daily-summaries/daily-summaries.store.js';
import { sumMargins } from '../margin-by-tier/margin-by-tier.projection.js';
import { addMargins } from '../margin-by-tier/margin-by-tier.store.js';
import { grantedRows, movedGrantRows } from '../grants/grants.projection.js';
import { insertGrants, moveGrants } from '../grants/grants.store.js';
import { journalDayRows } from '../journal/journal-days.projection.js';
import { addJournalDays } from '../journal/journal-days.store.js';
import type { Limits } from '../limits/limits.projection.js';
import { deleteLimits, saveLimits } from '../limits/limits.store.js';
import { deleteDoneWork, saveDueWork } from '../due-work/due-work.store.js';
import {
  deleteClosed,
  insertOpened,
  insertReleased,
} from '../open-reservations/open-reservations.store.js';
import { correctUsage, insertUsage, refundUsage } from '../usage-log/usage-log.store.js';
import { moveCheckpoint, projectionName } from './checkpoint.store.js';
import { accountIdOf } from './decode-event.js';
import { insertParked } from './parked-accounts.store.js';
import type { BatchChanges } from './project-batch.js';

/** Somebody else moved the checkpoint since this projector read it: nothing was changed. */
export class CheckpointMovedError extends Error {
  override readonly name = 'CheckpointMovedError';
}

const writes: readonly ((rows: string) => string)[] = [
  insertParked,
  saveBalances,
  insertOpened,
  deleteClosed,
  insertReleased,
  insertUsage,
  correctUsage,
  refundUsage,
  insertTransactions,
  addMargins,
  addDays,
  insertGrants,
  moveGrants,
  saveLimits,
  deleteLimits,
  addJournalDays,
  saveDueWork,
  deleteDoneWork,
];

/**
 * One statement, hence one transaction and one round trip: every write joins `moved`, so that all of
 * them happen or, when the checkpoint is not where it was expected, none.
 */
const statement = `WITH moved AS (${moveCheckpoint})${writes
  .map((write, place) => `,\nw${String(place)} AS (${write(`$${String(place + 7)}`)})`)
  .join('')}
SELECT FROM moved`;

export interface BatchPlace {
  readonly storeId: string;
  readonly after: Position | undefined;
  readonly events: readonly RecordedEvent[];
}

const keyOf = ({ account_id, reservation_id }: { account_id: string; reservation_id: string }) => ({
  account_id,
  reservation_id,
});

/** An account's row is bound to the bytes of the last event that made it, parked events excluded. */
const balanceRows = (changes: BatchChanges, events: readonly RecordedEvent[]): unknown[] => {
  const byPlace = new Map<string, RecordedEvent>();
  for (const event of events) {
    const accountId = accountIdOf(event.stream);
    if (changes.balances.get(accountId)?.revision === event.revision) {
      byPlace.set(accountId, event);
    }
  }
  return [...changes.balances.values()].map((balance) => {
    const head = byPlace.get(balance.accountId);
    if (!head) throw new Error(`no event made the balance of ${balance.accountId}`);
    return toBalanceRow(balance, eventHash(head));
  });
};

const removedLimits = (limits: Limits): unknown[] =>
  [...limits].flatMap(([key, limit]) => {
    if (limit) return [];
    const place = key.indexOf('/');
    return [{ account_id: key.slice(0, place), limit_id: key.slice(place + 1) }];
  });

const rowsOf = (changes: BatchChanges, events: readonly RecordedEvent[]): unknown[][] => [
  changes.parked,
  balanceRows(changes, events),
  [...changes.opened.values()],
  [...changes.closed.values()].map(keyOf),
  [...changes.released.values()],
  [...changes.usage.values()],
  [...changes.corrections.values()],
  [...changes.refunds.values()],
  changes.transactions,
  sumMargins(changes.margins),
  sumDays(changes.days),
  grantedRows(changes.grants),
  movedGrantRows(changes.grants),
  [...changes.limits.values()].filter((limit) => limit !== undefined),
  removedLimits(changes.limits),
  journalDayRows(changes.journal),
  [...changes.due.values()],
  [...changes.due.values()].filter((row) => row.due_at === null),
];

/**
 * The batch as the database gets it, to be sent when the one before is saved.
 *
 * @throws CheckpointMovedError when nothing was changed
 */
export const prepareSave = (
  { storeId, after, events }: BatchPlace,
  changes: BatchChanges,
): ((pool: Pool) => Promise<void>) => {
  const last = events.at(-1);
  if (!last) return () => Promise.resolve();
  const values = [
    projectionName,
    storeId,
    after ?? null,
    last.position,
    last.recordedAt,
    events.length,
    ...rowsOf(changes, events).map((rows) => JSON.stringify(rows)),
  ];
  return async (pool) => {
    const { rowCount } = await pool.query({ name: 'save-batch', text: statement, values });
    if (rowCount === 1) return;
    throw new CheckpointMovedError('the checkpoint was moved by another projector');
  };
};
