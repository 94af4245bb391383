import type { Charge, CreditAccountEvent, CreditAccountEventOf } from '@tollkeeper/events';
import { describe, expect, it } from 'vitest';
import { given, granted, opened } from './credit-account.fixture.js';
import { CorruptStreamError } from './evolve.js';

const localDate = '2026-03-01';

type Data<T extends CreditAccountEvent['type']> = CreditAccountEventOf<T>['data'];
const event = <T extends CreditAccountEvent['type']>(type: T, data: Data<T>): CreditAccountEvent =>
  ({ type, data }) as CreditAccountEvent;

const part = (amountCredits: string, grantId = 'g1') => ({ grantId, amountCredits });

const reserved = (amountCredits: string, grantId = 'g1', reservationId = 'r1') =>
  event('Reserved', {
    reservationId,
    amountCredits,
    allocations: [part(amountCredits, grantId)],
    tier: 'pro',
    localDate,
    expiresAt: '2026-03-01T12:12:00.000Z',
    purpose: { userId: 'usr_1' },
  });

const charge: Charge = {
  tier: 'pro',
  attempts: [],
  vendorCostUsd: '0',
  policyId: 'policy@1',
  usdPerCredit: '0.01',
  creditDecimals: 4,
  rounding: 'ceil',
  chargeCredits: '1',
  roundingCredits: '0',
};

const settled = (more: Partial<Data<'Settled'>> = {}) =>
  event('Settled', {
    ...charge,
    reservationId: 'r1',
    drawn: [part('1')],
    returned: [],
    localDate,
    ...more,
  });

const settledLate = (more: Partial<Data<'SettledLate'>> = {}) =>
  event('SettledLate', { ...charge, reservationId: 'r1', drawn: [part('1')], localDate, ...more });

const released = (returned = [part('1')]) =>
  event('Released', { reservationId: 'r1', reason: 'failed', returned, localDate });

const corrected = (more: Partial<Data<'UsageCorrected'>> = {}) =>
  event('UsageCorrected', {
    ...charge,
    reservationId: 'r1',
    previousChargeCredits: '1',
    deltaCredits: '0',
    drawn: [],
    returned: [],
    localDate,
    ...more,
  });

const refunded = (more: Partial<Data<'Refunded'>> = {}) =>
  event('Refunded', {
    refundId: 'f1',
    reservationId: 'r1',
    amountCredits: '1',
    returned: [part('1')],
    reasonCode: 'goodwill',
    localDate,
    ...more,
  });

const expired = (amountCredits: string, grantId = 'g1') =>
  event('GrantExpired', { grantId, amountCredits, localDate });
const voided = (amountCredits: string, grantId = 'g1') =>
  event('GrantVoided', { grantId, amountCredits, reasonCode: 'chargeback', localDate });
const repaid = (amountCredits: string, grantId = 'g1') =>
  event('DebtRepaid', { grantId, amountCredits });

const posted = event('CreditsGranted', {
  grantId: 'monthly_2026-03',
  kind: 'promotion',
  amountCredits: '1',
  priority: 100,
  effectiveAt: '2026-03-01T00:00:00.000Z',
  recurring: { recurringId: 'monthly', period: '2026-03' },
  localDate,
});

const limitSet = (more: Partial<Data<'LimitSet'>> = {}) =>
  event('LimitSet', {
    limitId: 'l1',
    scope: { type: 'account' },
    window: 'day',
    unit: 'credits',
    amount: '5',
    mode: 'soft',
    ...more,
  });

const ten = granted('10');
const oneReserved = [opened, ten, reserved('1')];
const oneSettled = [...oneReserved, settled()];
const oneOwed = [
  opened,
  granted('1'),
  reserved('1'),
  settled({
    chargeCredits: '3',
    debt: { amountCredits: '2', cause: 'over-reservation' },
  }),
];

describe('a stream that contradicts itself', () => {
  it('is known by the name of its error', () => {
    expect(new CorruptStreamError('why').name).toBe('CorruptStreamError');
  });

  it.each<[string, readonly CreditAccountEvent[]]>([
    ['CreditsGranted: not opened', [ten]],
    ['AccountOpened: opened twice', [opened, opened]],
    ['g1: granted twice', [opened, ten, ten]],
    ['monthly: posted, but never set', [opened, posted]],

    ['r1: reserved twice', [...oneReserved, reserved('1')]],
    ['g9: drawn, but never granted', [opened, ten, reserved('1', 'g9')]],
    ['g1: overdrawn', [opened, ten, reserved('10.0001')]],
    ['g1: overdrawn', [opened, ten, reserved('6'), reserved('4.0001', 'g1', 'r2')]],

    ['r1: never reserved', [opened, ten, settled()]],
    ['r1: never reserved', [opened, ten, released()]],
    ['r1: never reserved', [opened, ten, settledLate()]],
    ['r1: never reserved', [opened, ten, corrected()]],
    ['r1: ended twice', [...oneSettled, settled()]],
    ['r1: ended twice', [...oneSettled, released()]],
    ['r1: ended twice', [...oneReserved, released(), released()]],
    ['r1: ended twice', [...oneReserved, released(), settled()]],
    ['r1: settled late without a release, or twice', [...oneReserved, settledLate()]],
    ['r1: settled late without a release, or twice', [...oneSettled, settledLate()]],
    [
      'r1: settled late without a release, or twice',
      [...oneReserved, released(), settledLate(), settledLate()],
    ],
    ['r1: corrected before it was charged', [...oneReserved, corrected()]],
    ['r1: corrected before it was charged', [...oneReserved, released(), corrected()]],
    ['r1: refunded before it was charged', [...oneReserved, refunded()]],
    ['r1: refunded before it was charged', [opened, ten, refunded()]],

    [
      'g9: returned to, but never granted',
      [...oneReserved, settled({ drawn: [], returned: [part('1', 'g9')] })],
    ],
    ['g1: returned to, but it has ended', [...oneReserved, voided('9'), released()]],
    ['g1: overdrawn', [...oneReserved, settled({ drawnBeyond: [part('9.0001')] })]],
    ['g1: overdrawn', [...oneReserved, released(), settledLate({ drawn: [part('10.0001')] })]],
    ['g1: overdrawn', [...oneSettled, corrected({ drawn: [part('9.0001')] })]],

    ['debt: repaid more than is owed', [opened, ten, repaid('1')]],
    ['debt: repaid more than is owed', [...oneOwed, granted('5', 'g2'), repaid('2.0001', 'g2')]],
    ['g2: overdrawn', [...oneOwed, granted('1', 'g2'), repaid('2', 'g2')]],
    [
      'debt: repaid more than is owed',
      [...oneOwed, refunded({ amountCredits: '3', debtCancelledCredits: '3', returned: [] })],
    ],

    ['g1: expired with another amount than was left', [...oneReserved, expired('10')]],
    ['g9: ended, but never granted', [opened, expired('0', 'g9')]],
    ['g9: ended, but never granted', [opened, voided('0', 'g9')]],
    ['g1: ended twice', [opened, ten, expired('10'), expired('0')]],
    ['g1: ended twice', [opened, ten, voided('10'), voided('0')]],
    ['g1: overdrawn', [...oneReserved, voided('9.0001')]],

    [
      'LimitSet: l1 was set for something else',
      [opened, limitSet(), limitSet({ window: 'month' })],
    ],
    ['LimitRemoved: l1 was never set', [opened, event('LimitRemoved', { limitId: 'l1' })]],
    [
      'LimitWarned: l1 counts nothing in 2026-03-01',
      [
        opened,
        limitSet(),
        event('LimitWarned', { limitId: 'l1', period: localDate, used: '6', amount: '5' }),
      ],
    ],
  ])('is not applied, and says why: %s', (why, events) => {
    const last = events.length - 1;
    expect(() => given(...events.slice(0, last))).not.toThrow();
    expect(() => given(...events)).toThrow(new CorruptStreamError(`credit-acc_1: ${why}`));
  });
});
