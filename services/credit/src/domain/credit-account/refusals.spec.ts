import type { CreditAccountEvent } from '@tollkeeper/events';
import { Money } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { describe, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  given,
  givenAt,
  givenPriced,
  givenUnder,
  granted,
  opened,
  reserveCall,
  reservePlain,
  settleCall,
} from './credit-account.fixture.js';
import { call, removeLimit, setLimit } from './limits.fixture.js';
import {
  adjust,
  at,
  changeTier,
  charge,
  expireGrant,
  freeze,
  grant,
  post,
  recur,
  refund,
  setTopUpRule,
  voidGrant,
} from './operator.fixture.js';
import { defaultRules } from './rules.js';
import type { Refusal } from './verdict.js';

type Step = ReturnType<typeof given>;

const open = (
  more: Partial<Extract<CreditCommand, { type: 'OpenAccount' }>> = {},
): CreditCommand => ({
  type: 'OpenAccount',
  commandId: 'o1',
  commandHash: 'o1',
  kind: undefined,
  ownerUserId: 'usr_1',
  tier: 'pro',
  timeZone: 'UTC',
  ...more,
});

const free = { ...opened, data: { ...opened.data, tier: 'free' } } as CreditAccountEvent;
const freeTier = { ...defaultRules.freeTier, monthlyBudgetCredits: new Money('5') };
const expiresAt = '2026-03-01T12:05:00.000Z';
const account = () => given(opened, granted('10'));

type Case = readonly [Refusal['reason'], string, () => Step, CreditCommand];

const cases: readonly Case[] = [
  ['unknown-account', 'no account acc_1', () => given(), grant('1')],
  ['account-exists', 'account acc_1 is open already', account, open()],
  [
    'account-frozen',
    'account acc_1 is frozen',
    () => account().when(freeze('Freeze', 'f1')),
    reservePlain('r1', '1'),
  ],
  [
    'invalid-request',
    "personal_usr_1 is kept for its user's personal account",
    () => givenAt('personal_usr_1'),
    open({ ownerUserId: 'usr_2' }),
  ],
  [
    'replay-mismatch',
    'g9 was sent with other fields',
    () => account().when(grant('1')),
    grant('2'),
  ],
  [
    'invalid-request',
    "monthly_2026-09 is the id of a recurring grant's month",
    () => account().when(recur('5')),
    grant('1', 'monthly_2026-09'),
  ],
  [
    'invalid-request',
    "monthly_2026-09 is the id of a recurring grant's month",
    () => account().when(recur('5')),
    adjust('1', { id: 'monthly_2026-09' }),
  ],
  [
    'invalid-request',
    'a grant must not expire before it takes effect',
    account,
    grant('1', 'g9', { expiresAt: at('2026-03-01T12:00:00.000Z') }),
  ],
  [
    'invalid-request',
    'a grant must not expire before it takes effect',
    account,
    grant('1', 'g9', {
      effectiveAt: at('2026-04-01T00:00:00.000Z'),
      expiresAt: at('2026-04-01T00:00:00.000Z'),
    }),
  ],
  [
    'invalid-request',
    'topup_7 was not requested, or has been granted already',
    account,
    grant('1', 'g9', { topUpId: 'topup_7' }),
  ],
  ['unknown-grant', 'no grant g7', account, voidGrant('g7')],
  [
    'grant-ended',
    'grant g1 has expired or been voided',
    () => account().when(voidGrant('g1')),
    voidGrant('g1', 'v2'),
  ],
  ['unknown-grant', 'no grant g7', account, expireGrant('g7')],
  [
    'invalid-request',
    'g1 has not expired',
    () => given(opened, granted('10', 'g1', { expiresAt })),
    expireGrant('g1'),
  ],
  ['invalid-request', 'nothing to adjust', account, adjust('0')],
  [
    'insufficient-credits',
    '10.0001 credits are required and 10 are available',
    account,
    adjust('-10.0001'),
  ],
  [
    'insufficient-credits',
    'less is available than is to be taken',
    () => givenPriced(new PriceBook(), opened, granted('10')),
    adjust('-10.0001'),
  ],
  ['unknown-reservation', 'r1 has not been settled', account, refund()],
  [
    'exceeds-charge',
    '0.525 credits of the charge are left',
    () =>
      account()
        .when(reserveCall('r1'))
        .when(settleCall('r1', { input: 1000, output: 100 })),
    refund('0.5251'),
  ],
  [
    'invalid-request',
    'a recurringId must leave room for a month in 64 characters',
    account,
    recur('1', { recurringId: 'r'.repeat(57) }),
  ],
  ['unknown-grant', 'no recurring grant monthly', account, post()],
  ['invalid-request', 'monthly is not due', () => account().when(recur('5')), post()],
  [
    'invalid-request',
    'the monthly cap is below the amount of one top-up',
    account,
    setTopUpRule({ cap: '49' }),
  ],
  ['unknown-limit', 'no limit lim_1', account, removeLimit()],
  [
    'replay-mismatch',
    'remove-lim_1 was sent with other fields',
    () => account().when(setLimit()).when(removeLimit()),
    { ...removeLimit(), commandHash: 'other' },
  ],
  [
    'invalid-request',
    'a rate is of requests or tokens a minute',
    account,
    setLimit({ mode: 'rate', window: 'hour', unit: 'requests' }),
  ],
  ['invalid-request', 'amount: must not be negative', account, setLimit({ amount: '-1' })],
  [
    'invalid-request',
    'amount: tokens are whole',
    account,
    setLimit({ unit: 'tokens', amount: '1.5' }),
  ],
  [
    'invalid-request',
    'scope, window and unit of limit lim_1 stay as they are; set another limit',
    () => account().when(setLimit()),
    setLimit({ window: 'month' }),
  ],
  ...(['minute', 'hour', 'day', 'month'] as const).map((window): Case => [
    'limit-reached',
    `limit lim_1 allows 5 credits a ${window}: 4 are used and 1.5 are required`,
    () =>
      account()
        .when(setLimit({ window, amount: '5', scope: { type: 'account' } }))
        .when(charge('4')),
    charge('1.5', 'x2'),
  ]),
  [
    'limit-reached',
    'limit lim_1 allows 1 requests in total: 1 are used and 1 are required',
    () =>
      account()
        .when(setLimit({ window: 'total', unit: 'requests', amount: '1' }))
        .when(call('r1')),
    call('r2'),
  ],
  [
    'free-tier-budget',
    'the free tier has 5 credits a month: 4 are used and 1.5 are required',
    () => givenUnder({ freeTier }, free, granted('10')).when(charge('4')),
    charge('1.5', 'x2'),
  ],
  [
    'model-not-in-tier',
    'the tier free may not call openai/gpt-4o',
    () => givenUnder({ freeTier }, free, granted('10')),
    reserveCall('r1'),
  ],
  [
    'replay-mismatch',
    'tier free was sent with other fields',
    () => account().when(changeTier('free')),
    changeTier('pro', 'tier free'),
  ],
];

describe('a refusal tells whoever reads it what is wrong', () => {
  it.each(cases)('%s: %s', (reason, message, step, command) => {
    step().when(command).thenRefused(reason, { message });
  });

  it('and that a later month’s credits came otherwise', () => {
    const july = at('2026-07-10T00:00:00.000Z');
    const message = 'monthly_2026-07 has been granted otherwise';
    given(opened)
      .when(grant('3', 'monthly_2026-07'))
      .when(recur('5'))
      .when(post('p1'), july)
      .thenRefused('invalid-request', { message });
  });
});
