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
import { eventsOf, forgetAll, history, type Timed } from './history.fixture.js';
import { forgetClosed } from './memory.js';
import { adjust, correct, grant, refund } from './operator.fixture.js';
import { recallReservation } from './recall.js';

const account = () => given(opened, granted('100'));
const under = (commandId: string, command: CreditCommand): CreditCommand => ({
  ...command,
  commandId,
});

describe('a release', () => {
  it('is told that it released, also when usage has come late since', () => {
    account()
      .when(reservePlain('r1', '5'))
      .when(release('r1'))
      .then('Released')
      .when(settlePlain('r1', '2'))
      .then('SettledLate')
      .when(release('r1'))
      .thenNothing()
      .when(under('another', release('r1')))
      .thenRefused('reservation-closed');
  });

  it('with another reason under the same id is told the same, and none of another reservation is', () => {
    account()
      .when(reservePlain('r1', '5'))
      .when(reservePlain('r2', '5'))
      .when(release('r1'))
      .when(under('release r1 failed', release('r1', 'cancelled')))
      .thenNothing()
      .when(under('release r1 failed', release('r2')))
      .thenRefused('replay-mismatch');
  });
});

describe('an id that two commands came to share while memory had forgotten the first', () => {
  const plain = (id: string): Timed[] => [[reservePlain(id, '5')], [settlePlain(id, '5')]];
  const first = [opened, granted('100')];

  it('is answered to each by what it did: a reserve and a refund', () => {
    const { step, account, past } = history(first, [...plain('x'), ...plain('r1')]);
    forgetAll(account);
    recallReservation(account, 'r1', eventsOf(past, 'r1'));
    const refunded = step.when(refund('1', 'x', 'r1')).then('Refunded');
    recallReservation(account, 'x', eventsOf(past, 'x'));
    refunded
      .when(reservePlain('x', '5'))
      .thenNothing()
      .when(refund('1', 'x', 'r1'))
      .thenNothing()
      .when(under('x', grant('1')))
      .thenRefused('replay-mismatch');
  });

  it('is answered to each by what it did: two settles', () => {
    const by = (reservationId: string) => under('s', settlePlain(reservationId, '1'));
    const { step, account, past } = history(first, [[reservePlain('r1', '1')], [by('r1')]]);
    forgetAll(account);
    const second = step.when(reservePlain('r2', '1')).when(by('r2')).then('Settled');
    recallReservation(account, 'r1', eventsOf(past, 'r1'));
    second.when(by('r1')).thenNothing().when(by('r2')).thenNothing();
  });
});

describe('the id of a command that was carried out', () => {
  const lived = () =>
    account()
      .when(reserveCall('r1'))
      .when(reservePlain('r2', '5'))
      .when(reservePlain('r3', '5'))
      .when(under('settle', settleCall('r1', { input: 10 })))
      .when(under('correct', correct({ input: 20 })))
      .when(under('release', release('r2')))
      .when(under('grant', grant('1')))
      .when(under('adjust', adjust('1')));

  it.each(['r1', 'settle', 'correct', 'release', 'grant', 'adjust'])(
    'is not taken for something else: %s',
    (id) => {
      const step = lived();
      const others: readonly CreditCommand[] = [
        settlePlain('r3', '5'),
        release('r3'),
        reservePlain('r9', '1'),
        correct({ input: 30 }),
        grant('2'),
        refund('1'),
      ];
      for (const other of others) step.when(under(id, other)).thenRefused('replay-mismatch');
      step.when(settlePlain('r3', '5')).then('Settled');
    },
  );

  it('is not lent to a settle that another one carried out', () => {
    lived()
      .when(under('grant', settleCall('r1', { input: 10 })))
      .thenRefused('replay-mismatch')
      .when(under('another', settleCall('r1', { input: 10 })))
      .thenNothing();
  });

  it('is forgotten with its reservation, and nothing else is', () => {
    const step = lived();
    const later = startedAt.getTime() + 3_600_000;
    forgetClosed(step.account, later, { closedMs: 0, closedMax: 0 });
    expect([...step.account.endings.keys()]).toEqual([]);
    expect([...step.account.reservations.keys()]).toEqual(['r3']);
    step.when(under('adjust', release('r3'))).thenRefused('replay-mismatch');
  });
});
