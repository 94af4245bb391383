import { uuidv7 } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evolve } from './evolve.js';
import { forgetClosed, mayBeForgotten, rememberClosed } from './memory.js';
import { newAccount, type CreditAccount } from './state.js';
import { runsOf } from './property-runs.fixture.js';

const close = (account: CreditAccount, reservationId: string, atMs: number): void => {
  const known = account.reservations.get(reservationId);
  const meta = { commandId: 'c', commandHash: 'h', occurredAt: new Date(atMs).toISOString() };
  if (known) {
    account.revision += 1;
    account.lastEventAtMs = atMs;
    rememberClosed(account, known);
    return;
  }
  const localDate = '2026-03-01';
  const purpose = { userId: 'u' };
  const reserved = { reservationId, amountCredits: '0', allocations: [], purpose, localDate };
  evolve(
    account,
    { type: 'Reserved', data: { ...reserved, tier: 'pro', expiresAt: meta.occurredAt } },
    meta,
  );
  evolve(
    account,
    { type: 'Released', data: { reservationId, reason: 'failed', returned: [], localDate } },
    meta,
  );
};

const openAccount = (): CreditAccount => {
  const account = newAccount('a');
  account.opened = true;
  return account;
};

describe('the memory of closed reservations', () => {
  it('holds what changed last, by the rule, whatever changes again', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 400 }));
    fc.assert(
      fc.property(fc.array(change), fc.integer({ min: 0, max: 4 }), (changes, closedMax) => {
        const account = openAccount();
        const model = new Map<string, { atMs: number; revision: number }>();
        let forgottenRevision = -1;
        let atMs = 1_000;
        for (const [n, waitMs] of changes) {
          atMs += waitMs;
          const id = `r${String(n)}`;
          close(account, id, atMs);
          model.delete(id);
          model.set(id, { atMs, revision: account.revision });
          for (const [each, last] of model) {
            if (model.size <= closedMax && last.atMs > atMs - 1_000) break;
            model.delete(each);
            forgottenRevision = last.revision;
          }
          forgetClosed(account, atMs, { closedMs: 1_000, closedMax });
          expect(new Set(account.reservations.keys())).toEqual(new Set(model.keys()));
          expect(account.memory.closedCount).toBe(model.size);
          expect(account.memory.forgotten.revisionMax).toBe(forgottenRevision);
        }
      }),
      { numRuns: runsOf(500) },
    );
  });

  it('takes no more room than what it holds', () => {
    const account = openAccount();
    for (let n = 0; n < 10_000; n += 1) {
      close(account, `r${String(n)}`, n);
      forgetClosed(account, n, { closedMs: Infinity, closedMax: 100 });
    }
    expect(account.memory.queue.length).toBeLessThan(2_500);
    expect(account.reservations.size).toBe(100);
  });

  it.each([
    [10, 9],
    [4_000, 1],
  ])('of %i moves them seldom: %i times in 10,000', (closedMax, times) => {
    const account = openAccount();
    let moved = 0;
    for (let n = 0; n < 10_000; n += 1) {
      close(account, `r${String(n)}`, n);
      const before = account.memory.head;
      forgetClosed(account, n, { closedMs: Infinity, closedMax });
      if (account.memory.head < before) moved += 1;
    }
    expect(moved).toBe(times);
  });

  it('says for sure what it never forgot', () => {
    const account = openAccount();
    expect(mayBeForgotten(account.memory, 'order-1')).toBe(false);
    close(account, uuidv7(5_000), 1);
    close(account, uuidv7(4_000), 2);
    forgetClosed(account, 2, { closedMs: 0, closedMax: 0 });
    expect(mayBeForgotten(account.memory, uuidv7(5_000))).toBe(true);
    expect(mayBeForgotten(account.memory, uuidv7(5_001))).toBe(false);
    expect(mayBeForgotten(account.memory, 'order-1')).toBe(false);
    close(account, 'order-2', 3);
    forgetClosed(account, 3, { closedMs: 0, closedMax: 0 });
    expect(mayBeForgotten(account.memory, 'order-1')).toBe(true);
    expect(mayBeForgotten(account.memory, uuidv7(5_001))).toBe(false);
  });
});
