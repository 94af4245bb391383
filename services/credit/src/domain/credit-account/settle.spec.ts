import { parseMoney } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { describe, expect, it } from 'vitest';
import type { Attempt, CreditCommand } from './commands.js';
import {
  attempt,
  given,
  givenLoaded,
  givenPrices,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { at, charge, figuresOf, grant } from './operator.fixture.js';

const late = at('2026-03-01T12:30:00.000Z');
const expiry = at('2026-03-01T12:12:00.000Z');

const settleBy = (...attempts: readonly Attempt[]): CreditCommand =>
  ({ ...settleCall('r1', {}), attempts }) as CreditCommand;

const answered = { input: 1000, output: 100 };

/** What a charge of gpt-4o tells of its price. */
const priced = {
  provider: 'openai',
  model: 'gpt-4o',
  priceVersion: 'openai:gpt-4o@1',
  multiplier: '1.5',
  multiplierRule: 'pro@1',
  multiplierLevel: 'tier',
};
const policy = { policyId: 'policy@1', usdPerCredit: '0.01', creditDecimals: 4, rounding: 'ceil' };
const boundLine = { meter: 'bound', quantity: '1', unit: 'call', per: '1', rateUsd: '0.0035' };

const reserved = () => given(opened, granted('100')).when(reserveCall('r1'));
const settledBy = (...attempts: readonly Attempt[]) =>
  reserved()
    .when(settleBy(...attempts))
    .event('Settled');

describe('a settle', () => {
  it('tells all that its charge is computed from', () => {
    const outcome = reserved().when(settleCall('r1', answered)).then('Settled');
    expect(outcome.event('Settled')).toStrictEqual({
      reservationId: 'r1',
      tier: 'pro',
      ...policy,
      attempts: [
        {
          ...priced,
          vendorRequestId: 'chatcmpl-1',
          billed: true,
          provenance: 'exact',
          lines: [
            { meter: 'input', quantity: '1000', unit: 'token', per: '1000000', rateUsd: '2.5' },
            { meter: 'output', quantity: '100', unit: 'token', per: '1000000', rateUsd: '10' },
          ],
          costUsd: '0.0035',
        },
      ],
      vendorCostUsd: '0.0035',
      chargeCredits: '0.525',
      roundingCredits: '0',
      drawn: [{ grantId: 'g1', amountCredits: '0.525' }],
      returned: [],
      localDate: '2026-03-01',
    });
  });

  it('of a plain amount tells that no vendor was asked', () => {
    const outcome = given(opened, granted('1', 'a'), granted('9', 'b'))
      .when(reservePlain('r1', '5'))
      .when(settlePlain('r1', '2.5'))
      .then('Settled');
    expect(outcome.event('Settled')).toStrictEqual({
      reservationId: 'r1',
      tier: 'pro',
      ...policy,
      attempts: [],
      vendorCostUsd: '0',
      chargeCredits: '2.5',
      roundingCredits: '0',
      drawn: [
        { grantId: 'a', amountCredits: '1' },
        { grantId: 'b', amountCredits: '1.5' },
      ],
      returned: [{ grantId: 'b', amountCredits: '2.5' }],
      localDate: '2026-03-01',
    });
  });

  it('beyond the reservation draws from every grant in force, then owes', () => {
    const outcome = given(opened, granted('0.525', 'a'))
      .when(reserveCall('r1'))
      .when(grant('0.1', 'b'))
      .when(grant('0.02', 'c'))
      .when(settleCall('r1', { input: 1000, output: 200 }))
      .then('Settled');
    expect(outcome.event('Settled')).toMatchObject({
      drawn: [{ grantId: 'a', amountCredits: '0.525' }],
      drawnBeyond: [
        { grantId: 'b', amountCredits: '0.1' },
        { grantId: 'c', amountCredits: '0.02' },
      ],
      debt: { amountCredits: '0.03', cause: 'over-reservation' },
    });
    expect(figuresOf(outcome.account)).toMatchObject({ available: '0', debt: '0.03' });
  });

  it('of nothing gives all back', () => {
    const settled = given(opened, granted('9'))
      .when(reservePlain('r1', '5'))
      .when(settlePlain('r1', '0'))
      .event('Settled');
    expect(settled).toMatchObject({
      drawn: [],
      returned: [{ grantId: 'g1', amountCredits: '5' }],
    });
  });

  it.each<[string, CreditCommand, string]>([
    [
      'less than nothing',
      settlePlain('p1', '-1'),
      'a reserved plain amount is settled by amountCredits',
    ],
    [
      'attempts',
      settleCall('p1', { input: 1 }),
      'a reserved plain amount is settled by amountCredits',
    ],
    ['more decimals than a credit has', settlePlain('p1', '0.00001'), 'credits have 4 decimals'],
  ])('of a plain amount by %s is refused', (_what, command, message) => {
    given(opened, granted('9'))
      .when(reservePlain('p1', '5'))
      .when(command)
      .thenRefused('invalid-request', { message });
  });

  it('of a call by an amount is refused', () => {
    const message = 'a reserved completion is settled by its attempts';
    reserved().when(settlePlain('r1', '0.1')).thenRefused('invalid-request', { message });
  });

  it('refused says of which reservation', () => {
    reserved()
      .when(settleCall('r9', answered))
      .thenRefused('unknown-reservation', { message: 'no reservation r9' })
      .when(settleCall('r1', answered))
      .when({ ...settleCall('r1', { input: 1 }), commandId: 'another' })
      .thenRefused('replay-mismatch', { message: 'r1 was settled with other figures' });
  });
});

describe('usage that comes late', () => {
  it('is drawn anew, and flagged beside its other flags', () => {
    const outcome = given(opened, granted('0.4', 'a'), granted('0.025', 'b'))
      .when(reservePlain('p1', '0.1'))
      .when(release('p1', 'expired'), expiry);
    const settled = given(opened, granted('0.525', 'a'))
      .when(reserveCall('r1'))
      .when(release('r1', 'expired'), expiry)
      .when(charge('0.425'), expiry)
      .when(settleBy(attempt({})), late)
      .then('SettledLate');
    expect(settled.event('SettledLate')).toEqual({
      reservationId: 'r1',
      tier: 'pro',
      ...policy,
      attempts: [
        {
          ...priced,
          vendorRequestId: 'chatcmpl-1',
          billed: true,
          provenance: 'unknown',
          lines: [boundLine],
          costUsd: '0.0035',
        },
      ],
      vendorCostUsd: '0.0035',
      chargeCredits: '0.525',
      roundingCredits: '0',
      flags: ['usage-missing', 'late'],
      drawn: [{ grantId: 'a', amountCredits: '0.1' }],
      debt: { amountCredits: '0.425', cause: 'late-usage' },
      localDate: '2026-03-01',
    });
    const plain = outcome.when(settlePlain('p1', '0.1'), late).event('SettledLate');
    expect(plain).toMatchObject({
      flags: ['late'],
      drawn: [{ grantId: 'a', amountCredits: '0.1' }],
    });
    expect(plain.debt).toBeUndefined();
  });
});

describe('an attempt', () => {
  it('that was not billed costs nothing, and is told', () => {
    const settled = settledBy(
      attempt(
        { input: 500 },
        { billed: false, provenance: 'estimated', vendorRequestId: undefined },
      ),
      attempt(answered),
    );
    expect(settled.attempts[0]).toStrictEqual({
      ...priced,
      billed: false,
      provenance: 'estimated',
      lines: [],
      costUsd: '0',
    });
    expect(settled).toMatchObject({ vendorCostUsd: '0.0035', chargeCredits: '0.525' });
  });

  it('that billed is charged beside the one that answered', () => {
    const settled = settledBy(attempt({ input: 100 }, { failure: 'cut' }), attempt(answered));
    expect(settled.attempts.map(({ costUsd }) => costUsd)).toEqual(['0.00025', '0.0035']);
    expect(settled).toMatchObject({ vendorCostUsd: '0.00375', chargeCredits: '0.5625' });
  });

  it.each<[string, Partial<Attempt>]>([
    ['reported no usage', { usage: {} }],
    ['reported nothing but zeros', { usage: { input: 0, output: 0 } }],
    ['is of unknown usage, whatever figures came', { usage: { input: 1 }, provenance: 'unknown' }],
  ])('that %s is charged at its bound, marked', (_what, more) => {
    const settled = settledBy(attempt({}, more));
    expect(settled.attempts[0]).toMatchObject({
      provenance: 'unknown',
      lines: [boundLine],
      costUsd: '0.0035',
    });
    expect(settled).toMatchObject({ chargeCredits: '0.525', flags: ['usage-missing'] });
  });

  it('with some zeros is charged for the rest', () => {
    const settled = settledBy(
      attempt({ input: 0, output: 100 }, { provenance: 'vendor-reported' }),
    );
    expect(settled).toMatchObject({
      chargeCredits: '0.15',
      attempts: [{ provenance: 'vendor-reported' }],
    });
    expect(settled.flags).toBeUndefined();
  });

  it('with a meter that has no rate is charged at its bound, and names the meter', () => {
    const settled = settledBy(attempt({ input: 10, video_seconds: 3 }));
    expect(settled).toMatchObject({
      flags: ['unpriced-meter:video_seconds'],
      attempts: [{ provenance: 'unknown', lines: [boundLine], costUsd: '0.0035' }],
    });
  });

  it('at a service tier without rates is charged the standard ones, flagged', () => {
    const settled = settledBy(attempt(answered, { serviceTier: 'priority' }));
    expect(settled).toMatchObject({
      chargeCredits: '0.525',
      flags: ['service-tier-unpriced'],
      attempts: [{ serviceTier: 'priority' }],
    });
  });

  it('is told each flag once', () => {
    expect(settledBy(attempt({}), attempt({})).flags).toEqual(['usage-missing']);
  });
});

describe('the model that answered', () => {
  const chain = ['gpt-4o', 'gpt-4o-mini'].map((model) => ({ provider: 'openai', model }));
  const settledOf = (more: Partial<Attempt>, candidates = chain) =>
    given(opened, granted('100'))
      .when(reserveCall('r1', 100, { candidates }))
      .when(settleBy(attempt({ input: 1000 }, more)))
      .event('Settled');
  const [first, second] = [{ costUsd: '0.0025' }, { costUsd: '0.00015' }];

  it.each<[string, Partial<Attempt>, object, readonly string[] | undefined]>([
    ['the first of the chain', { model: 'gpt-4o' }, first, undefined],
    ['the second of the chain', { model: 'gpt-4o-mini' }, second, undefined],
    ['one called by its alias', { model: 'cheap-sounding' }, first, undefined],
    ['one outside the quote', { model: 'embed' }, first, ['model-mismatch']],
    ['one that nobody knows', { model: 'o9' }, first, ['model-mismatch']],
    ['the same of another vendor', { provider: 'azure' }, first, ['model-mismatch']],
    ['one that says so', { answeredModel: 'gpt-4o' }, first, undefined],
    ['one that says its alias', { answeredModel: 'cheap-sounding' }, first, undefined],
    ['one that says a dated name', { answeredModel: 'gpt-4o-2024-08-06' }, first, undefined],
    ['one that says another model', { answeredModel: 'gpt-4o-mini' }, first, ['model-mismatch']],
  ])('is %s', (_what, more, price, flags) => {
    const settled = settledOf(more);
    expect(settled.attempts[0]).toMatchObject(price);
    expect(settled.flags).toEqual(flags);
  });

  it('is told where the vendor names it otherwise, and only there', () => {
    expect(settledOf({ answeredModel: 'gpt-4o' }).attempts[0]).not.toHaveProperty('answeredModel');
    expect(settledOf({ answeredModel: 'gpt-4o-2024-08-06' }).attempts[0]).toMatchObject({
      model: 'gpt-4o',
      answeredModel: 'gpt-4o-2024-08-06',
    });
    const alias = settledOf({ model: 'cheap-sounding' });
    expect(alias.attempts[0]).toMatchObject({ model: 'gpt-4o' });
  });
});

describe('a quote that the price book does not hold', () => {
  it.each([
    ['policy@9', { policyId: 'policy@9' }],
    ['openai:gpt-4o@9', { priceVersion: 'openai:gpt-4o@9' }],
    ['pro@9', { multiplierRule: 'pro@9' }],
    ['a candidate', { none: true }],
  ])('stops the charge: %s', (name, { policyId, none, ...more }: Record<string, unknown>) => {
    const { account, ...step } = reserved();
    const reservation = account.reservations.get('r1');
    if (!reservation?.quote) throw new Error('no quote');
    const candidates = none
      ? []
      : reservation.quote.candidates.map((each) => ({ ...each, ...more }));
    const quote = { ...reservation.quote, candidates, policyId: policyId ?? 'policy@1' };
    account.reservations.set('r1', { ...reservation, quote: quote as typeof reservation.quote });
    expect(() => step.when(settleCall('r1', answered))).toThrow(
      new Error(`the price book does not hold ${name}`),
    );
  });
});

describe('a plain amount at a time when credits have no value', () => {
  it('stops its settle', () => {
    const { account } = given(opened, granted('9')).when(reservePlain('r1', '5'));
    expect(() => givenLoaded(account, new PriceBook()).when(settlePlain('r1', '5'))).toThrow(
      new Error('the price book does not hold a credit policy'),
    );
  });
});

describe('a plain reservation that outlives its credit policy', () => {
  const coarser = {
    type: 'CreditPolicySet' as const,
    data: {
      policyId: 'policy@2',
      usdPerCredit: '0.02',
      decimals: 0,
      rounding: 'ceil' as const,
      effectiveFrom: '2026-03-01T12:05:00.000Z',
    },
  };
  const reserved = () =>
    givenPrices([coarser], {}, opened, granted('10')).when(reservePlain('r1', '0.5'));
  const later = at('2026-03-01T12:06:00.000Z');

  it('is settled by the policy that was in force when it was reserved', () => {
    const settled = reserved().when(settlePlain('r1', '0.25'), later).then('Settled');
    expect(settled.event('Settled')).toMatchObject(policy);
  });

  it('is settled by it late, too', () => {
    const settled = reserved()
      .when(release('r1', 'expired'), late)
      .when(settlePlain('r1', '0.5'), late)
      .then('SettledLate');
    expect(settled.event('SettledLate')).toMatchObject(policy);
  });

  it('is not charged finer than that', () => {
    reserved().when(settlePlain('r1', '0.00001'), later).thenRefused('invalid-request');
  });
});

describe('a charge at once', () => {
  it('is a reservation that is settled whole', () => {
    const outcome = given(opened, granted('1', 'a'), granted('9', 'b')).when(charge('2.5'));
    const drawn = [
      { grantId: 'a', amountCredits: '1' },
      { grantId: 'b', amountCredits: '1.5' },
    ];
    expect(outcome.events).toEqual([
      {
        type: 'Reserved',
        data: {
          reservationId: 'x1',
          amountCredits: '2.5',
          allocations: drawn,
          tier: 'pro',
          localDate: '2026-03-01',
          expiresAt: '2026-03-01T12:12:00.000Z',
          purpose: { userId: 'usr_1' },
        },
      },
      {
        type: 'Settled',
        data: {
          reservationId: 'x1',
          tier: 'pro',
          ...policy,
          attempts: [],
          vendorCostUsd: '0',
          chargeCredits: '2.5',
          roundingCredits: '0',
          drawn,
          returned: [],
          localDate: '2026-03-01',
        },
      },
    ]);
    expect(outcome.account.reservations.get('x1')?.charged?.answer).toEqual({
      chargeCredits: '2.5',
      costUsd: '0',
      priceVersion: undefined,
      multiplier: undefined,
      provenance: undefined,
      debtCredits: undefined,
      late: false,
      changed: true,
    });
  });
});

describe('the first answer to a settle', () => {
  const answerOf = (command: CreditCommand, isLate = false) => {
    const step = given(opened, granted('0.525')).when(reserveCall('r1'));
    const before = isLate ? step.when(release('r1', 'expired'), expiry) : step;
    const outcome = before.when(command, late);
    return outcome.account.reservations.get('r1')?.settled?.answer;
  };
  const answer = {
    chargeCredits: '0.675',
    costUsd: '0.0045',
    priceVersion: 'openai:gpt-4o@1',
    multiplier: '1.5',
    provenance: 'exact',
    debtCredits: '0.15',
    late: false,
    changed: true,
  };
  const beyond = { input: 1000, output: 200 };

  it('tells the charge, what is owed, and how both are known', () => {
    expect(answerOf(settleCall('r1', beyond))).toEqual(answer);
    expect(answerOf(settleCall('r1', beyond), true)).toEqual({ ...answer, late: true });
    expect(answerOf(settleCall('r1', answered))).toMatchObject({
      chargeCredits: '0.525',
      debtCredits: undefined,
    });
  });

  it('is of the last attempt that billed, of the last at all where none did', () => {
    const failed = attempt({}, { billed: false, provenance: 'estimated', failure: 'status-500' });
    expect(answerOf(settleBy(attempt(beyond), failed))).toMatchObject({ provenance: 'exact' });
    expect(answerOf(settleBy(failed, attempt(beyond)))).toMatchObject({ provenance: 'exact' });
    const none = { ...failed, provenance: 'vendor-reported' as const };
    expect(answerOf(settleBy(failed, failed, none))).toMatchObject({
      chargeCredits: '0',
      provenance: 'vendor-reported',
    });
  });

  it('is kept when the charge is corrected', () => {
    const outcome = reserved()
      .when(settleCall('r1', answered))
      .when({
        type: 'CorrectUsage',
        commandId: 'c1',
        commandHash: 'c1',
        reservationId: 'r1',
        attempts: [attempt({ input: 10 })],
      });
    const reservation = outcome.account.reservations.get('r1');
    expect(reservation?.settled?.answer.chargeCredits).toBe('0.525');
    expect(reservation?.charged?.answer.chargeCredits).toBe('0.0038');
    expect(parseMoney(outcome.event('UsageCorrected').deltaCredits).isNegative()).toBe(true);
  });
});
