import type { CreditAccountEvent } from '@tollkeeper/events';
import { InvalidDecimalError } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  attempt,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { eventsOf, forgetAll, history, secondsLater, type Timed } from './history.fixture.js';
import { call, counts, plain, setLimit } from './limits.fixture.js';
import { forgetClosed } from './memory.js';
import {
  adjust,
  charge,
  correct,
  figuresOf,
  grant,
  refund,
  voidGrant,
} from './operator.fixture.js';
import { recallReservation, reservationIdOf, type PastEvent } from './recall.js';
import type { CreditAccount, Reservation } from './state.js';
import { runsOf } from './property-runs.fixture.js';

/** 0.525 credits, as reserved, and 0.15 more. */
const usage = { input: 1000, output: 100 };
const beyond = { input: 1000, output: 200 };

const recall = (account: CreditAccount, past: readonly PastEvent[], id = 'r1'): boolean =>
  recallReservation(account, id, eventsOf(past, id));

describe('a recalled reservation', () => {
  const recalled = (...commands: Timed[]) => {
    const { step, account, past } = history([opened, granted('100')], commands);
    forgetAll(account);
    expect(account.reservations.has('r1')).toBe(false);
    expect(recall(account, past)).toBe(true);
    return step;
  };

  it.each([
    ['settle', [settleCall('r1', usage)], 'settle r1'],
    ['release', [release('r1')], 'release r1 failed'],
    ['correction', [settleCall('r1', usage)], 'c1', [correct(beyond)]],
  ] satisfies [string, Timed, string, Timed?][])(
    'knows the id of its %s again when something else comes under it',
    (_what, ending, id, later?: Timed) => {
      recalled([reserveCall('r1')], ending, ...(later ? [later] : []))
        .when(grant('5', id))
        .thenRefused('replay-mismatch');
    },
  );

  it('gives back no credit that a refund has given back already', () => {
    recalled([reserveCall('r1')], [settleCall('r1', usage)], [refund('0.5')])
      .when(refund('0.0251', 'f2'))
      .thenRefused('exceeds-charge')
      .when(refund('0.025', 'f2'))
      .then('Refunded')
      .when(refund(undefined, 'f3'))
      .thenRefused('exceeds-charge');
  });

  it('is corrected by no more than what its refunds have left of the charge', () => {
    const outcome = recalled(
      [reserveCall('r1')],
      [settleCall('r1', usage)],
      [refund('0.3')],
      [refund('0.2', 'f2')],
    ).when(correct({ input: 10 }));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      previousChargeCredits: '0.525',
      chargeCredits: '0.0038',
      deltaCredits: '-0.025',
      returned: [{ grantId: 'g1', amountCredits: '0.025' }],
    });
    expect(figuresOf(outcome.account).available).toBe('100');
  });

  it('is settled no second time, and answers each of its commands as it did', () => {
    recalled([reserveCall('r1')], [settleCall('r1', usage)], [correct(beyond)])
      .when(reserveCall('r1'))
      .thenNothing()
      .when(reserveCall('r1', 7))
      .thenRefused('replay-mismatch')
      .when(settleCall('r1', usage))
      .thenNothing()
      .when(settleCall('r1', beyond))
      .thenRefused('replay-mismatch')
      .when(correct(beyond))
      .thenNothing()
      .when(release('r1'))
      .thenRefused('reservation-closed');
  });

  it('that was released is still charged for usage that comes late', () => {
    const outcome = recalled([reserveCall('r1')], [release('r1', 'expired'), 720])
      .when(settleCall('r1', usage))
      .then('SettledLate');
    expect(figuresOf(outcome.account).available).toBe('99.475');
  });

  it('moves no credits and counts for no limit by coming back', () => {
    const { account, past } = history(
      [opened, granted('0.525')],
      [
        [setLimit({ unit: 'tokens', amount: '5000' })],
        [call('r1')],
        [settleCall('r1', beyond)],
        [refund('0.1')],
      ],
    );
    const told = () => ({ ...figuresOf(account), ...counts(account), is: account.revision });
    const before = told();
    forgetAll(account);
    expect(recall(account, past)).toBe(true);
    expect(told()).toEqual(before);
  });

  it('is none of a limit that was set after it, and a correction does not make it one', () => {
    const { step, account, past } = history(
      [opened, granted('100')],
      [
        [call('r1')],
        [setLimit({ unit: 'tokens', amount: '5000' })],
        [settleCall('r1', usage)],
        [call('r2')],
      ],
    );
    forgetAll(account);
    expect(recall(account, past)).toBe(true);
    step.when(correct(beyond)).then('UsageCorrected');
    expect(counts(account)).toEqual({ '2026-03-01': '1100' });
  });

  it('is still one of the free tier’s month, which a correction moves', () => {
    const free = { ...opened, data: { ...opened.data, tier: 'free' } } as CreditAccountEvent;
    const candidates = [{ provider: 'openai', model: 'gpt-4o-mini' }];
    const answered = { model: 'gpt-4o-mini' };
    const { step, account, past } = history(
      [free, granted('100')],
      [[reserveCall('r1', 100, { candidates })], [settleCall('r1', usage, answered)]],
    );
    const used = () => account.limits.freeMonths.get('2026-03')?.used.toString();
    expect(used()).toBe('0.042');
    forgetAll(account);
    expect(recall(account, past)).toBe(true);
    const corrected = { ...correct({}), attempts: [attempt({ input: 1000 }, answered)] };
    step.when(corrected).then('UsageCorrected');
    expect(used()).toBe('0.03');
  });

  it('leaves the mark to which an index must have read where it was', () => {
    const { account, past } = history(
      [opened, granted('100')],
      [[reserveCall('r1')], [settleCall('r1', usage)], [charge('1')], [charge('1', 'x2')]],
    );
    forgetAll(account);
    const before = { ...account.memory.forgotten };
    expect(before.revisionMax).toBe(account.revision);
    recall(account, past);
    forgetAll(account);
    expect(account.memory.forgotten).toEqual(before);
  });

  it('is forgotten again by the rule, as one that closed just now', () => {
    const { account, past } = history(
      [opened, granted('100')],
      [[reserveCall('r1')], [settleCall('r1', usage)], [charge('1'), 3_600]],
    );
    forgetAll(account);
    recall(account, past);
    const rule = { closedMs: 900_000, closedMax: 10 };
    forgetClosed(account, secondsLater(4_500).getTime() - 1, rule);
    expect(account.reservations.has('r1')).toBe(true);
    forgetClosed(account, secondsLater(4_500).getTime(), rule);
    expect(account.reservations.has('r1')).toBe(false);
  });

  interface Act {
    readonly what: string;
    readonly id: string;
    readonly amount: number;
  }
  const act: fc.Arbitrary<Act> = fc.record({
    what: fc.constantFrom('reserve', 'plain', 'settle', 'correct', 'refund', 'expire'),
    id: fc.constantFrom('r1', 'r2', 'r3'),
    amount: fc.integer({ min: 1, max: 300 }),
  });

  const commandOf = ({ what, id, amount }: Act, n: number): CreditCommand => {
    const own = `${what}${String(n)}`;
    switch (what) {
      case 'reserve':
        return call(id);
      case 'plain':
        return plain(id, '0.5');
      case 'settle':
        return amount > 250 ? settlePlain(id, '0.7') : settleCall(id, { output: amount });
      case 'correct':
        return correct({ input: amount * 5, output: amount }, own, id);
      case 'refund':
        return refund(amount > 250 ? undefined : `0.${String(amount)}`, own, id);
      default:
        return release(id, 'expired');
    }
  };

  /** All but its place in memory. */
  const told = (reservation: Reservation) => ({ ...reservation, queued: 0, closedAtMs: 0 });

  it.each(['pro', 'free'] as const)(
    'is what it was, whatever had become of it, tier %s',
    (tier) => {
      const first = { ...opened, data: { ...opened.data, tier } } as CreditAccountEvent;
      const expiresAt = '2026-03-01T14:00:00.000Z';
      const start = [first, granted('0.6', 'g1', { expiresAt }), granted('1', 'g2')];
      const limits = (['credits', 'usd', 'tokens', 'requests'] as const).map((unit): Timed => [
        setLimit({ limitId: unit, unit, amount: '100000' }),
      ]);
      fc.assert(
        fc.property(fc.array(act, { minLength: 4, maxLength: 30 }), (acts) => {
          const commands = acts.map((each, n): Timed => [commandOf(each, n), n * 600]);
          const { account, past } = history(start, [...limits, ...commands]);
          const before = [...account.reservations.values()].filter(({ state }) => state !== 'open');
          const expected = before.map(told);
          forgetAll(account);
          const after = before.map(({ reservationId }) => {
            expect(recall(account, past, reservationId)).toBe(true);
            return account.reservations.get(reservationId);
          });
          expect(after.map((each) => each && told(each))).toEqual(expected);
          expect(account.memory.closedCount).toBe(before.length);
        }),
        { numRuns: runsOf(300) },
      );
    },
  );
});

describe('events that are not all those of one closed reservation', () => {
  const commands: readonly Timed[] = [
    [reserveCall('open')],
    [reserveCall('r1')],
    [grant('1', 'g2')],
    [reserveCall('r2')],
    [settleCall('r1', usage)],
    [settleCall('r2', usage)],
  ];

  it.each<[string, string, (past: readonly PastEvent[]) => readonly PastEvent[]]>([
    ['none', 'r1', () => []],
    ['those of one that is open', 'open', (past) => eventsOf(past, 'open')],
    ['those of another', 'r1', (past) => eventsOf(past, 'r2')],
    ['another’s besides', 'r1', (past) => [...eventsOf(past, 'r1'), ...eventsOf(past, 'r2')]],
    ['one that is of none', 'r1', (past) => [...past.slice(2, 3), ...eventsOf(past, 'r1')]],
    ['its end without its beginning', 'r1', (past) => eventsOf(past, 'r1').slice(1)],
    ['its end twice', 'r1', (past) => [...eventsOf(past, 'r1'), ...eventsOf(past, 'r1').slice(1)]],
  ])('(%s) recall nothing and change nothing', (_what, id, choose) => {
    const { account, past } = history([opened, granted('100')], commands);
    forgetAll(account);
    expect(recallReservation(account, id, choose(past))).toBe(false);
    expect([...account.reservations.keys()]).toEqual(['open']);
    expect(account.memory.closedCount).toBe(0);
  });

  it('are a fault of the store where they cannot be read', () => {
    const { account, past } = history([opened, granted('100')], commands);
    const spoiled = eventsOf(past, 'r1').map((each) => ({
      ...each,
      event: { ...each.event, data: { ...each.event.data, amountCredits: 'many' } },
    })) as readonly PastEvent[];
    expect(() => recallReservation(account, 'r1', spoiled)).toThrow(InvalidDecimalError);
  });
});

describe('the reservation that has to be remembered', () => {
  it.each<[CreditCommand, string | undefined]>([
    [reserveCall('r1'), 'r1'],
    [reservePlain('r1', '1'), 'r1'],
    [charge('1', 'x1'), 'x1'],
    [settleCall('r1', usage), 'r1'],
    [release('r1'), 'r1'],
    [correct(usage, 'c1', 'r1'), 'r1'],
    [refund('1', 'f1', 'r1'), 'r1'],
    [grant('1', 'g1'), undefined],
    [voidGrant('g1'), undefined],
    [adjust('1'), undefined],
  ])('for $0.type is the one that it makes or is about', (command, id) => {
    expect(reservationIdOf(command)).toBe(id);
  });
});
