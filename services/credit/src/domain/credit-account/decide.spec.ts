import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import {
  attempt,
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
import type { CreditCommand } from './commands.js';
import { availableCredits, balanceCredits, type CreditAccount } from './state.js';

const figures = (account: CreditAccount, at = startedAt) => ({
  available: formatMoney(availableCredits(account, at.getTime())),
  balance: formatMoney(balanceCredits(account, at.getTime())),
  reserved: formatMoney(account.reservedCredits),
  debt: formatMoney(account.debtCredits),
});

const open: CreditCommand = {
  type: 'OpenAccount',
  commandId: 'o1',
  commandHash: 'o1',
  kind: 'personal',
  ownerUserId: 'usr_1',
  tier: 'pro',
  timeZone: 'UTC',
};
const grant = (amount: string, id = 'g9', more: { expiresAt?: Date } = {}): CreditCommand => ({
  type: 'GrantCredits',
  commandId: id,
  commandHash: `grant ${id} ${amount}`,
  kind: 'purchase',
  amountCredits: parseMoney(amount),
  priority: 100,
  effectiveAt: undefined,
  expiresAt: more.expiresAt,
  costBasisUsd: undefined,
  externalReference: undefined,
});
const correct = (usage: Record<string, number>, id = 'c1'): CreditCommand => ({
  type: 'CorrectUsage',
  commandId: id,
  commandHash: `correct ${id} ${JSON.stringify(usage)}`,
  reservationId: 'r1',
  attempts: [attempt(usage)],
});

describe('an account', () => {
  it('opens once; the same command again changes nothing, another is refused', () => {
    given()
      .when(open)
      .then('AccountOpened')
      .when(open)
      .thenNothing()
      .when({ ...open, commandHash: 'other' })
      .thenRefused('account-exists');
  });

  it('that was never opened refuses everything else', () => {
    given().when(reserveCall('r1')).thenRefused('unknown-account');
    given().when(grant('5')).thenRefused('unknown-account');
  });

  it('takes a grant once per id', () => {
    given(opened)
      .when(grant('5'))
      .then('CreditsGranted')
      .when(grant('5'))
      .thenNothing()
      .when(grant('6'))
      .thenRefused('replay-mismatch');
  });

  it('refuses a grant that expires before it takes effect', () => {
    given(opened)
      .when(grant('5', 'g1', { expiresAt: startedAt }))
      .thenRefused('invalid-request');
  });
});

describe('reserve', () => {
  it('reserves exactly the bound of the call and records who, what and the quote', () => {
    const outcome = given(opened, granted('100')).when(reserveCall('r1')).then('Reserved');
    expect(outcome.event('Reserved')).toEqual({
      reservationId: 'r1',
      amountCredits: '0.525',
      allocations: [{ grantId: 'g1', amountCredits: '0.525' }],
      tier: 'pro',
      localDate: '2026-03-01',
      expiresAt: '2026-03-01T12:12:00.000Z',
      purpose: { userId: 'usr_1' },
      quote: {
        policyId: 'policy@1',
        requestStartedAt: '2026-03-01T12:00:00.000Z',
        candidates: [
          {
            provider: 'openai',
            model: 'gpt-4o',
            priceVersion: 'openai:gpt-4o@1',
            multiplierRule: 'pro@1',
            boundUsd: '0.0035',
          },
        ],
        bound: { inputTokens: 1000, outputTokens: 100, choices: 1 },
      },
    });
    expect(figures(outcome.account)).toEqual({
      available: '99.475',
      balance: '100',
      reserved: '0.525',
      debt: '0',
    });
  });

  it('takes the last credit and refuses the next with what is lacking', () => {
    const outcome = given(opened, granted('0.525'))
      .when(reserveCall('r1'))
      .then('Reserved')
      .when(reserveCall('r2'))
      .thenRefused('insufficient-credits');
    expect(outcome.verdict).toMatchObject({
      refusal: {
        details: {
          balance: '0.525',
          available: '0',
          required: '0.525',
          requiredUsd: '0.00525',
          suggestions: [{ action: 'top-up', credits: '0.525', usd: '0.00525' }],
        },
      },
    });
  });

  it('refuses when one ten-thousandth of a credit is lacking', () => {
    given(opened, granted('0.5249')).when(reserveCall('r1')).thenRefused('insufficient-credits');
  });

  it('reserves the dearest candidate of a fallback chain', () => {
    const candidates = [
      { provider: 'openai', model: 'gpt-4o-mini' },
      { provider: 'openai', model: 'gpt-4o' },
    ];
    const outcome = given(opened, granted('100')).when(reserveCall('r1', 100, { candidates }));
    expect(outcome.event('Reserved').amountCredits).toBe('0.525');
  });

  it('refuses a model without a price, also as a fallback', () => {
    const candidates = [
      { provider: 'openai', model: 'gpt-4o' },
      { provider: 'openai', model: 'no-such' },
    ];
    given(opened, granted('100'))
      .when(reserveCall('r1', 100, { candidates }))
      .thenRefused('unknown-price');
  });

  it('lowers the output limit to what is affordable where the caller lets it', () => {
    const outcome = given(opened, granted('0.5'))
      .when(reserveCall('r1', 8192, { outputMayShrink: true }))
      .then('Reserved');
    const reserved = outcome.event('Reserved');
    expect(reserved.quote?.bound.outputTokens).toBe(83);
    expect(parseMoney(reserved.amountCredits).lte('0.5')).toBe(true);
  });

  it('does not lower the limit below what is of any use', () => {
    given(opened, granted('0.38'))
      .when(reserveCall('r1', 8192, { outputMayShrink: true }))
      .thenRefused('insufficient-credits');
  });

  it('gives a repeated command its first answer, and refuses the same id with other fields', () => {
    given(opened, granted('1'))
      .when(reserveCall('r1'))
      .then('Reserved')
      .when(reserveCall('r1'))
      .thenNothing()
      .when(reserveCall('r1', 200))
      .thenRefused('replay-mismatch');
  });

  it('draws lowest priority number first, then earliest expiry, then oldest', () => {
    const outcome = given(
      opened,
      granted('0.2', 'oldest'),
      granted('0.2', 'expiring', { expiresAt: '2026-12-31T00:00:00.000Z' }),
      granted('0.1', 'first', { priority: 1 }),
    ).when(reserveCall('r1', 10));
    expect(outcome.event('Reserved').allocations).toEqual([
      { grantId: 'first', amountCredits: '0.1' },
      { grantId: 'expiring', amountCredits: '0.2' },
      { grantId: 'oldest', amountCredits: '0.09' },
    ]);
  });

  it('does not touch a grant that has expired or has not begun', () => {
    given(
      opened,
      granted('100', 'gone', { expiresAt: '2026-02-01T00:00:00.000Z' }),
      granted('100', 'later', { effectiveAt: '2026-04-01T00:00:00.000Z' }),
    )
      .when(reserveCall('r1'))
      .thenRefused('insufficient-credits');
  });

  it('writes the day in the account’s reporting zone', () => {
    const outcome = given(opened, granted('1')).when(
      reserveCall('r1'),
      new Date('2026-03-01T23:30:00.000Z'),
    );
    expect(outcome.event('Reserved').localDate).toBe('2026-03-02');
  });

  it('does not believe a start that is more than a minute off', () => {
    const outcome = given(opened, granted('1')).when(
      reserveCall('r1', 100, { requestStartedAt: new Date('2019-01-01T00:00:00.000Z') }),
    );
    expect(outcome.event('Reserved').quote?.requestStartedAt).toBe(startedAt.toISOString());
  });
});

describe('settle', () => {
  const reserved = () => given(opened, granted('100')).when(reserveCall('r1'));

  it('charges what was used and returns the rest to where it came from', () => {
    const outcome = reserved()
      .when(settleCall('r1', { input: 900, output: 50 }))
      .then('Settled');
    expect(outcome.event('Settled')).toMatchObject({
      vendorCostUsd: '0.00275',
      chargeCredits: '0.4125',
      roundingCredits: '0',
      drawn: [{ grantId: 'g1', amountCredits: '0.4125' }],
      returned: [{ grantId: 'g1', amountCredits: '0.1125' }],
      attempts: [
        {
          priceVersion: 'openai:gpt-4o@1',
          multiplier: '1.5',
          multiplierRule: 'pro@1',
          multiplierLevel: 'tier',
          costUsd: '0.00275',
          lines: [
            { meter: 'input', quantity: '900', unit: 'token', per: '1000000', rateUsd: '2.5' },
            { meter: 'output', quantity: '50', unit: 'token', per: '1000000', rateUsd: '10' },
          ],
        },
      ],
    });
    expect(figures(outcome.account)).toEqual({
      available: '99.5875',
      balance: '99.5875',
      reserved: '0',
      debt: '0',
    });
  });

  it('rounds the charge up once and says what that added', () => {
    const settled = reserved()
      .when(settleCall('r1', { input: 1 }))
      .event('Settled');
    expect(settled).toMatchObject({ chargeCredits: '0.0004', roundingCredits: '0.000025' });
  });

  it('is done once: again is the first answer, other figures are a mismatch', () => {
    reserved()
      .when(settleCall('r1', { input: 900 }))
      .then('Settled')
      .when(settleCall('r1', { input: 900 }))
      .thenNothing()
      .when(settleCall('r1', { input: 901 }))
      .thenRefused('replay-mismatch');
  });

  it('takes what the vendor billed beyond the bound from what is available', () => {
    const outcome = given(opened, granted('0.6'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1000, output: 140 }));
    expect(outcome.event('Settled')).toMatchObject({
      chargeCredits: '0.585',
      drawn: [{ grantId: 'g1', amountCredits: '0.525' }],
      drawnBeyond: [{ grantId: 'g1', amountCredits: '0.06' }],
    });
    expect(outcome.event('Settled').debt).toBeUndefined();
  });

  it('records as debt what nothing covers, which blocks the next reserve until a grant repays it', () => {
    const outcome = given(opened, granted('0.525'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1000, output: 200 }));
    expect(outcome.event('Settled').debt).toEqual({
      amountCredits: '0.15',
      cause: 'over-reservation',
    });
    expect(figures(outcome.account)).toMatchObject({ balance: '-0.15', available: '0' });
    const repaid = outcome
      .when(reserveCall('r2', 1))
      .thenRefused('debt-outstanding')
      .when(grant('1'))
      .then('CreditsGranted', 'DebtRepaid');
    expect(figures(repaid.account)).toEqual({
      available: '0.85',
      balance: '0.85',
      reserved: '0',
      debt: '0',
    });
  });

  it('never takes missing usage for zero: it charges the bound, marked unknown', () => {
    const outcome = reserved().when(settleCall('r1', {}));
    expect(outcome.event('Settled')).toMatchObject({
      chargeCredits: '0.525',
      flags: ['usage-missing'],
      attempts: [{ provenance: 'unknown', costUsd: '0.0035' }],
    });
  });

  it('charges the bound for a meter without a rate, flagged', () => {
    const settled = reserved()
      .when(settleCall('r1', { input: 10, video_seconds: 3 }))
      .event('Settled');
    expect(settled).toMatchObject({
      chargeCredits: '0.525',
      flags: ['unpriced-meter:video_seconds'],
    });
  });

  it('settles an answer by a model outside the quote at the quote, flagged', () => {
    const settled = reserved()
      .when(settleCall('r1', { input: 1000 }, { answeredModel: 'gpt-4o-mini' }))
      .event('Settled');
    expect(settled).toMatchObject({ vendorCostUsd: '0.0025', flags: ['model-mismatch'] });
  });

  it('does not flag a dated name of the quoted model', () => {
    const settled = reserved()
      .when(settleCall('r1', { input: 1000 }, { answeredModel: 'gpt-4o-2024-08-06' }))
      .event('Settled');
    expect(settled.flags).toBeUndefined();
    expect(settled.attempts[0]?.answeredModel).toBe('gpt-4o-2024-08-06');
  });

  it('lets credits of a grant that has expired meanwhile lapse, visibly', () => {
    const outcome = given(opened, granted('1', 'g1', { expiresAt: '2026-03-01T12:05:00.000Z' }))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 900, output: 50 }), new Date('2026-03-01T12:06:00.000Z'));
    expect(outcome.event('Settled')).toMatchObject({
      returned: [],
      lapsed: [{ grantId: 'g1', amountCredits: '0.1125' }],
    });
  });

  it('refuses a reservation that never was, and attempts for a plain amount', () => {
    reserved()
      .when(settleCall('r9', { input: 1 }))
      .thenRefused('unknown-reservation');
    given(opened, granted('5'))
      .when(reservePlain('p1', '2'))
      .then('Reserved')
      .when(settleCall('p1', { input: 1 }))
      .thenRefused('invalid-request')
      .when(settlePlain('p1', '1.5'))
      .then('Settled');
  });
});

describe('release', () => {
  const reserved = () => given(opened, granted('100')).when(reserveCall('r1'));

  it('gives everything back, once', () => {
    const outcome = reserved()
      .when(release('r1'))
      .then('Released')
      .when(release('r1'))
      .thenNothing();
    expect(figures(outcome.account)).toMatchObject({ available: '100', reserved: '0' });
  });

  it('does not undo a settle', () => {
    reserved()
      .when(settleCall('r1', { input: 1 }))
      .when(release('r1'))
      .thenRefused('reservation-closed');
  });

  it('does not expire a reservation before its time', () => {
    reserved()
      .when(release('r1', 'expired'))
      .thenRefused('invalid-request')
      .when(release('r1', 'expired'), new Date('2026-03-01T12:12:00.000Z'))
      .then('Released');
  });

  it('leaves room for one late settle, which is charged and flagged', () => {
    const late = new Date('2026-03-01T12:30:00.000Z');
    const outcome = reserved()
      .when(release('r1', 'expired'), new Date('2026-03-01T12:12:00.000Z'))
      .when(settleCall('r1', { input: 900, output: 50 }), late)
      .then('SettledLate');
    expect(outcome.event('SettledLate')).toMatchObject({
      chargeCredits: '0.4125',
      drawn: [{ grantId: 'g1', amountCredits: '0.4125' }],
      flags: ['late'],
    });
    outcome
      .when(settleCall('r1', { input: 900, output: 50 }), late)
      .thenNothing()
      .when(settleCall('r1', { input: 1 }), late)
      .thenRefused('replay-mismatch');
  });
});

describe('charge', () => {
  const charge = (amount: string): CreditCommand => ({
    type: 'Charge',
    commandId: 'x1',
    commandHash: `charge ${amount}`,
    purpose: {},
    amountCredits: parseMoney(amount),
  });

  it('reserves and settles a plain amount in one append', () => {
    const outcome = given(opened, granted('5')).when(charge('2')).then('Reserved', 'Settled');
    expect(figures(outcome.account)).toMatchObject({ available: '3', reserved: '0' });
    outcome.when(charge('2')).thenNothing().when(charge('3')).thenRefused('replay-mismatch');
  });

  it('refuses more than there is, and more decimals than a credit has', () => {
    given(opened, granted('5')).when(charge('5.0001')).thenRefused('insufficient-credits');
    given(opened, granted('5')).when(charge('0.00001')).thenRefused('amount-not-chargeable');
  });
});

describe('a correction', () => {
  const estimated = () =>
    given(opened, granted('100'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1000, output: 100 }, { provenance: 'estimated' }));

  it('gives back what the exact usage did not cost', () => {
    const outcome = estimated()
      .when(correct({ input: 900, output: 50 }))
      .then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({
      previousChargeCredits: '0.525',
      chargeCredits: '0.4125',
      deltaCredits: '-0.1125',
      returned: [{ grantId: 'g1', amountCredits: '0.1125' }],
    });
    expect(figures(outcome.account).available).toBe('99.5875');
  });

  it('takes what it cost more', () => {
    const outcome = estimated().when(correct({ input: 1000, output: 200 }));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      deltaCredits: '0.15',
      drawn: [{ grantId: 'g1', amountCredits: '0.15' }],
    });
  });

  it('is done once by its id, and the settle’s own retry still gets its first answer', () => {
    estimated()
      .when(correct({ input: 900 }))
      .then('UsageCorrected')
      .when(correct({ input: 900 }))
      .thenNothing()
      .when(correct({ input: 901 }))
      .thenRefused('replay-mismatch')
      .when(settleCall('r1', { input: 1000, output: 100 }, { provenance: 'estimated' }))
      .thenNothing();
  });

  it('cancels what is owed before it gives anything back', () => {
    const outcome = given(opened, granted('0.525'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1000, output: 200 }))
      .when(correct({ input: 1000, output: 50 }));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      deltaCredits: '-0.225',
      debtCancelledCredits: '0.15',
      returned: [{ grantId: 'g1', amountCredits: '0.075' }],
    });
    expect(figures(outcome.account)).toMatchObject({ balance: '0.075', debt: '0' });
  });

  it('gives back last drawn first, again and again', () => {
    const later = '2026-03-02T00:00:00.000Z';
    const outcome = given(opened, granted('0.6', 'kept'))
      .when(reserveCall('r1'))
      .when(grant('0.1', 'g9', { expiresAt: new Date(later) }))
      .when(settleCall('r1', { input: 1000, output: 200 }))
      .when(correct({ input: 1000, output: 180 }, 'c1'))
      .when(correct({ input: 1000, output: 120 }, 'c2'));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      deltaCredits: '-0.09',
      returned: [
        { grantId: 'kept', amountCredits: '0.02' },
        { grantId: 'g9', amountCredits: '0.07' },
      ],
    });
  });

  it('gives back what had paid another call’s debt', () => {
    const outcome = given(opened, granted('1.2'))
      .when(reserveCall('r2'))
      .when(reserveCall('r1'))
      .when(settleCall('r2', { input: 1000, output: 100 }))
      .when(settleCall('r1', { input: 1000, output: 1000 }))
      .when({ ...correct({ input: 1000, output: 50 }, 'c2'), reservationId: 'r2' } as CreditCommand)
      .when(correct({ input: 10 }));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      deltaCredits: '-1.8712',
      debtCancelledCredits: '1.125',
      returned: [
        { grantId: 'g1', amountCredits: '0.15' },
        { grantId: 'g1', amountCredits: '0.525' },
        { grantId: 'g1', amountCredits: '0.0712' },
      ],
    });
    expect(figures(outcome.account)).toMatchObject({ balance: '0.7462', debt: '0' });
  });

  it('gives credits that repaid a debt back to the grant that did', () => {
    const outcome = given(opened, granted('0.525'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1000, output: 200 }))
      .when(grant('1'))
      .when(correct({ input: 10 }));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      returned: [
        { grantId: 'g1', amountCredits: '0.525' },
        { grantId: 'g9', amountCredits: '0.1462' },
      ],
    });
    expect(figures(outcome.account)).toMatchObject({ balance: '1.5212', available: '1.5212' });
  });

  it('refuses a reservation that was never charged', () => {
    given(opened, granted('1'))
      .when(reserveCall('r1'))
      .when(correct({ input: 1 }))
      .thenRefused('unknown-reservation');
  });
});
