import type { DueItem, DueReply } from '@tollkeeper/contracts';
import { createLogger } from '@tollkeeper/telemetry';
import { describe, expect, it } from 'vitest';
import { CarryOutDue, type DueList } from './carry-out-due.js';
import type { Outcome, Submission } from './submission.js';

const logger = createLogger('credit-spec');
logger.level = 'silent';

const at = new Date('2026-03-01T12:00:00.000Z');
const item = (n: number, kind: DueItem['kind'] = 'reservation'): DueItem => ({
  accountId: `acc_${String(n)}`,
  kind,
  id: `r${String(n)}`,
  dueAt: new Date(at.getTime() - 1_000_000 + n).toISOString(),
});

/** What the projection would answer, in pages as long as the question allows. */
const listOf =
  (items: readonly DueItem[], asked: string[] = []): DueList =>
  ({ limit, after }): Promise<DueReply> => {
    asked.push(after?.id ?? 'start');
    const from = after ? items.findIndex((each) => each.id === after.id) + 1 : 0;
    const due = items.slice(from, from + limit);
    const next = due.length === limit ? (due.at(-1) ?? null) : null;
    return Promise.resolve({ due, next, asOf: at.toISOString() });
  };

const carryOut = (list: DueList, steady = true) => {
  const submitted: [string, Omit<Submission, 'resolve'>][] = [];
  const refused: Outcome = {
    type: 'refused',
    refusal: { reason: 'account-parked', message: '', retryable: true },
  };
  const accounts = {
    submit: (accountId: string, submission: Omit<Submission, 'resolve'>): Promise<Outcome> => {
      submitted.push([accountId, submission]);
      return Promise.resolve(refused);
    },
  };
  const clock = { now: () => at, isSteady: () => steady };
  return { submitted, due: new CarryOutDue(list, accounts, clock, logger) };
};

describe('what is due', () => {
  it('is expired in its account’s own mailbox', async () => {
    const { submitted, due } = carryOut(listOf([item(1)]));
    await due.once();
    expect(submitted).toMatchObject([
      [
        'acc_1',
        { urgent: true, command: { type: 'Release', reservationId: 'r1', reason: 'expired' } },
      ],
    ]);
  });

  it('reaches everyone, also behind thousands that their accounts refuse for good', async () => {
    const items = Array.from({ length: 25_000 }, (_, n) => item(n));
    const asked: string[] = [];
    const { submitted, due } = carryOut(listOf(items, asked));
    for (let round = 0; round < 3; round += 1) await due.once();
    expect(new Set(submitted.map(([accountId]) => accountId)).size).toBe(25_000);
    await due.once();
    expect(asked[26]).toBe('start');
  });

  it('waits while the clocks have parted', async () => {
    const { submitted, due } = carryOut(listOf([item(1)]), false);
    await due.once();
    expect(submitted).toEqual([]);
  });

  it('survives a list that cannot be had', async () => {
    const { due } = carryOut(() => Promise.reject(new Error('away')));
    await expect(due.once()).resolves.toBeUndefined();
  });
});
