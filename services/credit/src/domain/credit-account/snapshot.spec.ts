import { parseMoney as money, type Json } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  givenLoaded,
  granted,
  opened,
  release,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { eventsOf, forgetAll, history, type Timed } from './history.fixture.js';
import { call, removeLimit, setLimit } from './limits.fixture.js';
import {
  adjust,
  changeTier,
  correct,
  expireGrant,
  figuresOf,
  freeze,
  grant,
  post,
  recur,
  refund,
  setAlerts,
  setTopUpRule,
  voidGrant,
} from './operator.fixture.js';
import { recallReservation } from './recall.js';
import { fromSnapshot, snapshotShape, toSnapshot } from './snapshot.js';
import type { CreditAccount } from './state.js';
import { runsOf } from './property-runs.fixture.js';

const n = (max: number) => fc.integer({ min: 1, max });
const id = n(4).map((each) => `r${String(each)}`);
const grantId = fc.constantFrom('g1', 'g2', 'g3');
const credits = n(400).map((each) => `0.${String(each)}`);
const own = n(1_000_000).map((each) => `own-${String(each)}`);

/** Whatever changes an account: a field that a snapshot loses is one that some of these has set. */
const command: fc.Arbitrary<CreditCommand> = fc.oneof(
  { arbitrary: id.map((r) => call(r)), weight: 4 },
  id.map((r) => reservePlain(r, '0.5')),
  { arbitrary: fc.tuple(id, n(4000)).map(([r, output]) => settleCall(r, { output })), weight: 3 },
  id.map((r) => settlePlain(r, '2')),
  id.map((r) => release(r, 'expired')),
  fc.tuple(id, own, n(4000)).map(([r, as, output]) => correct({ output }, as, r)),
  fc.tuple(id, own, credits).map(([r, as, amount]) => refund(amount, as, r)),
  fc.tuple(credits, own).map(([amount, as]) => grant(amount, as, { costBasisUsd: money('0.4') })),
  fc.tuple(credits, own).map(([amount, as]) => adjust(`-${amount}`, { id: as, bookDebt: true })),
  grantId.map((g) => voidGrant(g)),
  grantId.map((g) => expireGrant(g)),
  fc
    .tuple(n(28), credits)
    .map(([dayOfMonth, cap]) => recur('5', { dayOfMonth, rolloverCapCredits: money(cap) })),
  own.map((as) => post(as)),
  fc
    .tuple(own, fc.subarray(['0.3', '1', '2']))
    .map(([as, thresholds]) => setAlerts(thresholds, as)),
  own.map((as) => setTopUpRule({ id: as })),
  fc
    .tuple(fc.constantFrom('soft' as const, 'hard' as const), n(3).map(String))
    .map(([mode, limitId]) => setLimit({ limitId, mode, window: 'month', amount: '1' })),
  n(3).map((limitId) => removeLimit(String(limitId), `remove ${String(limitId)}`)),
  fc
    .tuple(fc.constantFrom('Freeze' as const, 'Unfreeze' as const), own)
    .map(([type, as]) => freeze(type, as)),
  fc
    .tuple(fc.constantFrom('free' as const, 'pro' as const), own)
    .map(([tier, as]) => changeTier(tier, as)),
);

const waitSeconds = fc.constantFrom(60, 300, 864_000);

const told = (commands: readonly (readonly [CreditCommand, number])[]): CreditAccount => {
  const first = [
    opened,
    granted('1.2', 'g1', { expiresAt: '2026-03-01T12:10:00.000Z' }),
    granted('1', 'g2', { priority: 7 }),
  ];
  let seconds = 0;
  const timed = commands.map(([each, wait]): Timed => [each, (seconds += wait)]);
  return history(first, [[release('none')], ...timed]).account;
};

/** All that a decision looks at. */
const essence = (account: CreditAccount): object => {
  forgetAll(account);
  const { memory, ...rest } = account;
  return { ...rest, forgotten: memory.forgotten, closed: memory.closed };
};

const throughText = (account: CreditAccount): CreditAccount =>
  fromSnapshot('acc_1', JSON.parse(JSON.stringify(toSnapshot(account))) as Json);

describe('a snapshot', () => {
  it('is the account without what has closed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(command, waitSeconds), { maxLength: 40 }), (commands) => {
        const account = told(commands);
        expect(essence(throughText(account))).toEqual(essence(account));
      }),
      { numRuns: runsOf(500) },
    );
  });

  it('keeps the draw order, grants without end, and debts', () => {
    const account = told([
      [call('r1'), 0],
      [settleCall('r1', { output: 100_000 }), 5],
      [reservePlain('r2', '1'), 5],
    ]);
    const again = throughText(account);
    expect(again.grants.map((grant) => [grant.grantId, grant.expiresAtMs])).toEqual([
      ['g2', Infinity],
      ['g1', Date.parse('2026-03-01T12:10:00.000Z')],
    ]);
    expect(again.grantsById.get('g1')).toBe(again.grants[1]);
    expect(again.debtCredits.isZero()).toBe(false);
    expect(again.debtCredits).toEqual(account.debtCredits);
  });

  it('keeps what grants have repaid, so that a refund gives it back to them', () => {
    const { account, past } = history(
      [opened, granted('0.525')],
      [[call('r1')], [settleCall('r1', { input: 1000, output: 200 })], [grant('1', 'g2')]],
    );
    const loaded = throughText(account);
    expect(recallReservation(loaded, 'r1', eventsOf(past, 'r1'))).toBe(true);
    const outcome = givenLoaded(loaded).when(refund());
    expect(outcome.event('Refunded')).toMatchObject({
      amountCredits: '0.675',
      returned: [
        { grantId: 'g1', amountCredits: '0.525' },
        { grantId: 'g2', amountCredits: '0.15' },
      ],
    });
    expect(figuresOf(outcome.account).available).toBe('1.525');
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
