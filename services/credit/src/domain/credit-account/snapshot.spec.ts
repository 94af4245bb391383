import type { Json } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  given,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
  startedAt,
} from './credit-account.fixture.js';
import { forgetClosed } from './memory.js';
import { fromSnapshot, snapshotShape, toSnapshot } from './snapshot.js';
import type { CreditAccount } from './state.js';

const id = fc.integer({ min: 0, max: 9 }).map((n) => `r${String(n)}`);
const command: fc.Arbitrary<CreditCommand> = fc.oneof(
  id.map((r) => reserveCall(r)),
  id.map((r) => reservePlain(r, '1.5')),
  fc.tuple(id, fc.integer({ min: 1, max: 400 })).map(([r, n]) => settleCall(r, { output: n * 10 })),
  id.map((r) => settlePlain(r, '2')),
  id.map((r) => release(r)),
);

const told = (commands: readonly CreditCommand[]): CreditAccount => {
  let step = given(
    opened,
    granted('6', 'g1', { expiresAt: '2026-03-01T12:01:00.000Z' }),
    granted('5', 'g2', { priority: 7 }),
  ).when(release('none'));
  for (const [n, each] of commands.entries()) {
    step = step.when(each, new Date(startedAt.getTime() + n * 5_000));
  }
  return step.account;
};

/** All that a decision looks at. */
const essence = (account: CreditAccount): object => {
  forgetClosed(account, Infinity, { closedMs: 0, closedMax: 0 });
  const { memory, ...rest } = account;
  return { ...rest, forgotten: memory.forgotten, closed: memory.closed };
};

const throughText = (account: CreditAccount): CreditAccount =>
  fromSnapshot('acc_1', JSON.parse(JSON.stringify(toSnapshot(account))) as Json);

describe('a snapshot', () => {
  it('is the account without what has closed', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const account = told(commands);
        expect(essence(throughText(account))).toEqual(essence(account));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the draw order, grants without end, and debts', () => {
    const account = told([
      reserveCall('r1'),
      settleCall('r1', { output: 100_000 }),
      reservePlain('r2', '1'),
    ]);
    const again = throughText(account);
    expect(again.grants.map((grant) => [grant.grantId, grant.expiresAtMs])).toEqual([
      ['g2', Infinity],
      ['g1', Date.parse('2026-03-01T12:01:00.000Z')],
    ]);
    expect(again.grantsById.get('g1')).toBe(again.grants[1]);
    expect([...again.debts]).toEqual([...account.debts]);
    expect(again.debtCredits.isZero()).toBe(false);
  });

  it('has a name for its shape that tells every field', () => {
    for (const field of [
      'costBasisUsd',
      'repaid',
      'periods',
      'unfulfilled',
      'quote',
      'idTimeMaxMs',
    ]) {
      expect(snapshotShape).toContain(`${field}: `);
    }
  });

  it.each([[null], [{}], [{ account: {}, open: [], forgotten: {} }], ['text']])(
    'refuses %j',
    (state) => {
      expect(() => fromSnapshot('acc_1', state)).toThrow();
    },
  );
});
