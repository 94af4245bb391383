import type { CreditAccountEvent } from '@tollkeeper/events';
import { parseMoney, zero } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { describe, expect, it } from 'vitest';
import type { Bounds, CreditCommand, RequestedPurpose } from './commands.js';
import {
  given,
  givenPriced,
  givenUnder,
  granted,
  opened,
  priceBook,
  reserveCall,
  reservePlain,
  settleCall,
  startedAt,
} from './credit-account.fixture.js';
import { adjust, at, charge, figuresOf, grant } from './operator.fixture.js';

/** A call of gpt-4o with 1,000 input tokens; 100 output tokens come to 0.525 credits. */
const bounded = (bounds: Partial<Bounds>, id = 'r1'): CreditCommand => {
  const command = reserveCall(id);
  if (command.type !== 'ReserveCompletion') throw new Error('not a call');
  return { ...command, bounds: { ...command.bounds, ...bounds } };
};

const forPurpose = (command: CreditCommand, purpose: RequestedPurpose): CreditCommand =>
  ({ ...command, purpose }) as CreditCommand;

describe('the client’s clock', () => {
  it.each([
    ['2026-03-01T11:58:59.999Z', false],
    ['2026-03-01T11:59:00.000Z', true],
    ['2026-03-01T12:01:00.000Z', true],
    ['2026-03-01T12:01:00.001Z', false],
  ])('that says %s at noon is believed: %s', (iso, believed) => {
    const outcome = given(opened, granted('1')).when(
      reserveCall('r1', 100, { requestStartedAt: new Date(iso) }),
    );
    const quoted = outcome.event('Reserved').quote?.requestStartedAt;
    expect(quoted).toBe(believed ? iso : startedAt.toISOString());
  });
});

describe('a price that nobody knows', () => {
  const unknown = (what: string) => ({
    message: `no price is in force for ${what}`,
    details: { unpriced: what },
  });
  const call = (model: string, outputTokens = 100) =>
    reserveCall('r1', outputTokens, { candidates: [{ provider: 'openai', model }] });

  it('is refused by the name of the model', () => {
    given(opened, granted('1'))
      .when(call('no-such'))
      .thenRefused('unknown-price', unknown('openai/no-such'));
  });

  it('is refused by the model and the meter, where only that has none', () => {
    const embedding = given(opened, granted('1'))
      .when(call('embed'))
      .thenRefused('unknown-price', unknown('openai/embed (output)'));
    embedding.when(call('embed', 0)).then('Reserved');
  });

  it('is refused where no multiplier holds for the tier', () => {
    const data = { ...opened.data, tier: 'enterprise' };
    given({ ...opened, data } as CreditAccountEvent, granted('1'))
      .when(call('gpt-4o'))
      .thenRefused('unknown-price', unknown('openai/gpt-4o'));
  });

  it('is refused where a credit has no value yet', () => {
    const empty = givenPriced(new PriceBook(), opened, granted('10'));
    empty.when(call('gpt-4o')).thenRefused('unknown-price', unknown('a credit policy'));
    const message = 'no credit policy is in force';
    empty.when(reservePlain('r1', '1')).thenRefused('unknown-price', { message });
    empty.when(charge('1')).thenRefused('unknown-price', { message });
  });
});

describe('what a reservation keeps', () => {
  it('is who it is for, the owner where nobody is named', () => {
    const account = () => given(opened, granted('10'));
    const whole = { userId: 'usr_2', keyId: 'key_1', projectId: 'prj_1', taskType: 'chat' };
    expect(
      account()
        .when(forPurpose(reserveCall('r1'), whole))
        .event('Reserved').purpose,
    ).toEqual(whole);
    for (const command of [reserveCall('r1'), reservePlain('r1', '1'), charge('1')]) {
      const outcome = account().when(forPurpose(command, { keyId: 'key_1' }));
      expect(outcome.event('Reserved').purpose).toEqual({ userId: 'usr_1', keyId: 'key_1' });
    }
  });

  it('is the bound that was asked for, the service tier where one was', () => {
    const account = given(opened, granted('10'));
    const flex = account.when(bounded({ serviceTier: 'flex', choices: 2 }));
    expect(flex.event('Reserved')).toMatchObject({ amountCredits: '0.675' });
    expect(flex.event('Reserved').quote?.bound).toEqual({
      inputTokens: 1000,
      outputTokens: 100,
      choices: 2,
      serviceTier: 'flex',
    });
    const plain = account.when(bounded({}, 'r2'));
    expect(Object.keys(plain.event('Reserved').quote?.bound ?? {})).toEqual([
      'inputTokens',
      'outputTokens',
      'choices',
    ]);
  });

  it('is no quote for a plain amount', () => {
    const outcome = given(opened, granted('10')).when(reservePlain('r1', '2.5')).then('Reserved');
    expect(outcome.event('Reserved')).toEqual({
      reservationId: 'r1',
      amountCredits: '2.5',
      allocations: [{ grantId: 'g1', amountCredits: '2.5' }],
      tier: 'pro',
      localDate: '2026-03-01',
      expiresAt: '2026-03-01T12:12:00.000Z',
      purpose: { userId: 'usr_1' },
    });
    expect(outcome.event('Reserved')).not.toHaveProperty('quote');
  });

  it('is every candidate, at its own bound, in the order of the chain', () => {
    const candidates = ['gpt-4o', 'gpt-4o-mini'].map((model) => ({ provider: 'openai', model }));
    for (const chain of [candidates, candidates.toReversed()]) {
      const outcome = given(opened, granted('10')).when(
        reserveCall('r1', 100, { candidates: chain }),
      );
      const { amountCredits, quote } = outcome.event('Reserved');
      expect(amountCredits).toBe('0.525');
      expect(quote?.candidates.map(({ model, boundUsd }) => `${model} ${boundUsd}`)).toEqual(
        chain.map(({ model }) => (model === 'gpt-4o' ? 'gpt-4o 0.0035' : 'gpt-4o-mini 0.00021')),
      );
    }
  });
});

describe('a shortfall', () => {
  it('tells what there is, what is required, and both ways out of it', () => {
    given(opened, granted('0.5'))
      .when(reservePlain('p1', '0.2'))
      .when(reserveCall('r1'))
      .thenRefused('insufficient-credits', {
        message: '0.525 credits are required and 0.3 are available',
        details: {
          balance: '0.5',
          available: '0.3',
          required: '0.525',
          balanceUsd: '0.005',
          availableUsd: '0.003',
          requiredUsd: '0.00525',
          suggestions: [
            { action: 'top-up', credits: '0.225', usd: '0.00225' },
            { action: 'lower-max-tokens', credits: '0.3', usd: '0.003' },
          ],
        },
      });
  });

  it('suggests no lower limit where there is nothing', () => {
    given(opened)
      .when(reserveCall('r1'))
      .thenRefused('insufficient-credits', {
        details: expect.objectContaining({
          suggestions: [{ action: 'top-up', credits: '0.525', usd: '0.00525' }],
        }) as never,
      });
  });

  it('of an account that owes adds the debt to what is lacking', () => {
    const owing = given(opened, granted('1')).when(adjust('-3', { bookDebt: true }));
    for (const command of [reserveCall('r1', 50), reservePlain('r1', '0.45'), charge('0.45')]) {
      owing.when(command).thenRefused('debt-outstanding', {
        message: 'the account owes 2 credits',
        details: {
          balance: '-2',
          available: '0',
          required: '0.45',
          balanceUsd: '-0.02',
          availableUsd: '0',
          requiredUsd: '0.0045',
          suggestions: [{ action: 'top-up', credits: '2.45', usd: '0.0245' }],
        },
      });
    }
  });

  it('asks only once for a debt that credits which have come into force will pay', () => {
    const due = at('2026-03-01T13:00:00.000Z');
    const owing = given(opened, granted('1'))
      .when(grant('8', 'g2', { effectiveAt: due }))
      .when(adjust('-6', { bookDebt: true }));
    owing.when(reservePlain('r1', '10'), due).thenRefused('insufficient-credits', {
      details: expect.objectContaining({
        balance: '3',
        available: '3',
        suggestions: [
          { action: 'top-up', credits: '7', usd: '0.07' },
          { action: 'lower-max-tokens', credits: '3', usd: '0.03' },
        ],
      }) as never,
    });
    owing.when(grant('7', 'g3'), due).when(reservePlain('r1', '10'), due).then('Reserved');
  });

  it('never suggests to lower a limit to more than is required', () => {
    given(opened, granted('10'))
      .when(adjust('-12', { bookDebt: true }))
      .when(reservePlain('r1', '20'))
      .thenRefused('debt-outstanding');
    const outcome = given(opened, granted('10')).when(reservePlain('r1', '10.0001'));
    outcome.thenRefused('insufficient-credits', {
      message: '10.0001 credits are required and 10 are available',
    });
  });
});

describe('what is owed', () => {
  /** 2 credits are owed, and a grant that begins in May could pay them. */
  const owing = (excessPolicy: 'allow' | 'charge-available-then-debt') =>
    givenUnder({ excessPolicy }, opened, granted('1'))
      .when(adjust('-3', { bookDebt: true }))
      .when(grant('5', 'may', { effectiveAt: new Date('2026-05-01T00:00:00.000Z') }));
  const may = new Date('2026-05-01T00:00:00.000Z');

  it('blocks every reservation, even of nothing', () => {
    owing('charge-available-then-debt')
      .when(reservePlain('r1', '0'))
      .thenRefused('debt-outstanding')
      .when(reserveCall('r1'))
      .thenRefused('debt-outstanding');
  });

  it('blocks none that credits which came into force since can pay beside it', () => {
    for (const command of [reservePlain('r1', '3'), reserveCall('r1')]) {
      owing('charge-available-then-debt').when(command, may).then('Reserved', 'DebtRepaid');
    }
    owing('charge-available-then-debt')
      .when(reservePlain('r1', '3.0001'), may)
      .thenRefused('insufficient-credits');
  });

  it('blocks nothing by itself under allow', () => {
    owing('allow').when(reservePlain('r1', '0')).then('Reserved');
    owing('allow').when(reserveCall('r1')).thenRefused('insufficient-credits');
  });
});

describe('a plain amount', () => {
  it('has no more decimals than a credit', () => {
    const account = given(opened, granted('10'));
    const message = 'credits have 4 decimals';
    account.when(reservePlain('r1', '0.00001')).thenRefused('amount-not-chargeable', { message });
    account.when(reservePlain('r1', '0.0001')).then('Reserved');
  });

  it('may be all that is available', () => {
    const outcome = given(opened, granted('10')).when(reservePlain('r1', '10')).then('Reserved');
    expect(figuresOf(outcome.account)).toMatchObject({ available: '0', reserved: '10' });
  });

  it('under a known id is refused with other fields, whatever it is', () => {
    const message = 'r1 was sent with other fields';
    given(opened, granted('10'))
      .when(reservePlain('r1', '1'))
      .when(reservePlain('r1', '1'))
      .thenNothing()
      .when(reservePlain('r1', '2'))
      .thenRefused('replay-mismatch', { message })
      .when(reserveCall('r1'))
      .thenRefused('replay-mismatch', { message })
      .when(charge('1', 'r1'))
      .thenRefused('replay-mismatch', { message });
  });
});

describe('a call whose output may shrink', () => {
  const shrinking = (outputTokens: number, more: Partial<Bounds> = {}) =>
    bounded({ outputTokens, outputMayShrink: true, ...more });
  const outputOf = (credits: string, command: CreditCommand) => {
    const outcome = given(opened, granted(credits)).when(command).then('Reserved');
    return outcome.event('Reserved');
  };

  it.each([
    // 1,000 input tokens take 0.375 credits, each output token 0.0015.
    ['0.399', 8192, 16],
    ['0.5', 8192, 83],
    ['0.525', 100, 100],
    ['0.5249', 100, 99],
    ['0.383', 5, 5],
    ['0.375', 0, 0],
  ])('with %s credits and a limit of %i gets %i', (credits, limit, expected) => {
    const reserved = outputOf(credits, shrinking(limit));
    expect(reserved.quote?.bound.outputTokens).toBe(expected);
    expect(parseMoney(reserved.amountCredits).lte(credits)).toBe(true);
  });

  it.each([
    ['0.3989', 8192],
    ['0.3989', 16],
    ['0.3824', 5],
    ['0.3749', 8192],
    ['0.3749', 0],
  ])('with %s credits and a limit of %i is refused: too little is of no use', (credits, limit) => {
    given(opened, granted(credits)).when(shrinking(limit)).thenRefused('insufficient-credits');
  });

  it('shrinks to what each of its choices can have of its dearest candidate', () => {
    const both = ['gpt-4o-mini', 'gpt-4o'].map((model) => ({ provider: 'openai', model }));
    for (const candidates of [both, both.toReversed()]) {
      const command = { ...shrinking(8192, { choices: 4 }), candidates } as CreditCommand;
      const reserved = outputOf('0.5', command);
      expect(reserved.quote?.bound).toMatchObject({ outputTokens: 20, choices: 4 });
      expect(reserved.amountCredits).toBe('0.495');
    }
  });

  it('does not shrink where the caller forbids it', () => {
    given(opened, granted('0.5'))
      .when(bounded({ outputTokens: 8192 }))
      .thenRefused('insufficient-credits');
  });
});

describe('an account that has spent all', () => {
  it('reserves a call that costs nothing', () => {
    const prices = priceBook();
    prices.apply({
      type: 'VendorPricePublished',
      data: {
        priceVersion: 'local:llama@1',
        provider: 'local',
        model: 'llama',
        effectiveFrom: '2020-01-01T00:00:00.000Z',
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rateUsd: '0' },
          { meter: 'output', unit: 'token', per: '1000000', rateUsd: '0' },
        ],
        source: { name: 'test' },
      },
    });
    const candidates = [{ provider: 'local', model: 'llama' }];
    const outcome = givenPriced(prices, opened).when(reserveCall('r1', 100, { candidates }));
    expect(outcome.event('Reserved')).toMatchObject({ amountCredits: '0', allocations: [] });
    const settled = outcome.when(
      settleCall('r1', { input: 1000, output: 100 }, { provider: 'local', model: 'llama' }),
    );
    expect(settled.event('Settled')).toMatchObject({ chargeCredits: '0', drawn: [] });
    expect(settled.account.debtCredits).toEqual(zero);
  });
});
