import type { DueItem, DueReply } from '@tollkeeper/contracts';
import { createLogger } from '@tollkeeper/telemetry';
import { afterEach, describe, expect, it, vi } from 'vitest';
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

const carryOut = (list: DueList, steady = true, hanging: ReadonlySet<string> = new Set()) => {
  const submitted: [string, Omit<Submission, 'resolve'>][] = [];
  const answer: (() => void)[] = [];
  const refused: Outcome = {
    type: 'refused',
    refusal: { reason: 'account-parked', message: '', retryable: true },
  };
  const accounts = {
    submit: (accountId: string, submission: Omit<Submission, 'resolve'>): Promise<Outcome> => {
      submitted.push([accountId, submission]);
      if (!hanging.has(accountId)) return Promise.resolve(refused);
      return new Promise((resolve) => {
        answer.push(() => {
          resolve(refused);
        });
      });
    },
  };
  const clock = { now: () => at, isSteady: () => steady };
  return { submitted, answer, due: new CarryOutDue(list, accounts, clock, logger) };
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

  describe('at an account whose append is not answered', () => {
    afterEach(() => {
      vi.useRealTimers();
    });
    const ofAccount = (n: number, some: readonly (readonly [string, unknown])[]): number =>
      some.filter(([accountId]) => accountId === `acc_${String(n)}`).length;
    const round = async ({ due }: ReturnType<typeof carryOut>): Promise<void> => {
      const once = due.once();
      await vi.advanceTimersByTimeAsync(60_000);
      await once;
    };

    it('keeps nobody else waiting, and is not asked for twice', async () => {
      vi.useFakeTimers();
      const items = Array.from({ length: 2_500 }, (_, n) => item(n));
      const service = carryOut(listOf(items), true, new Set(['acc_7']));
      for (let n = 0; n < 3; n += 1) await round(service);
      const { submitted } = service;
      expect(ofAccount(2_499, submitted)).toBe(3);
      expect(ofAccount(7, submitted)).toBe(1);
      for (const each of service.answer) each();
      await vi.advanceTimersByTimeAsync(1);
      await round(service);
      expect(ofAccount(7, submitted)).toBe(2);
    });

    it('fills no memory where nothing at all is answered', async () => {
      vi.useFakeTimers();
      const items = Array.from({ length: 25_000 }, (_, n) => item(n));
      const service = carryOut(listOf(items), true, new Set(items.map((each) => each.accountId)));
      for (let n = 0; n < 5; n += 1) await round(service);
      expect(service.submitted).toHaveLength(1_000);
    });
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
