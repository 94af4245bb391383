import type { LimitScope, LimitUnit, LimitWindow } from '@tollkeeper/events';
import { describe, expect, it } from 'vitest';
import {
  attempt,
  given,
  givenPriced,
  granted,
  opened,
  priceBook,
  release,
  reserveCall,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import type { CreditCommand } from './commands.js';
import { limitsMax } from './set-limit.js';
import type { Refusal, Verdict } from './verdict.js';
import {
  call,
  charge,
  correct,
  counts,
  mine,
  others,
  plain,
  removeLimit,
  setLimit,
} from './limits.fixture.js';

const account = () => given(opened, granted('1000'));
const at = (iso: string): Date => new Date(iso);

const refusalOf = (verdict: Verdict): Refusal => {
  if (verdict.type !== 'refuse') throw new Error('was not refused');
  return verdict.refusal;
};

const scopes: readonly LimitScope[] = [
  { type: 'account' },
  { type: 'key', id: 'key_1' },
  { type: 'user', id: 'usr_1' },
  { type: 'project', id: 'prj_1' },
];
/** One call of 1,000 and 100 tokens. */
const ofOneCall: Readonly<Record<LimitUnit, string>> = {
  credits: '0.525',
  usd: '0.0035',
  tokens: '1100',
  requests: '1',
};
/** At noon of 1 March in UTC: when the window is over in Berlin, and the last moment before. */
const windowEnds: readonly (readonly [LimitWindow, string | undefined])[] = [
  ['minute', '2026-03-01T12:01:00.000Z'],
  ['hour', '2026-03-01T13:00:00.000Z'],
  ['day', '2026-03-01T23:00:00.000Z'],
  ['month', '2026-03-31T22:00:00.000Z'],
  ['total', undefined],
];
const cases = scopes.flatMap((scope) =>
  windowEnds.flatMap(([window, end]) =>
    (Object.keys(ofOneCall) as LimitUnit[]).map(
      (unit) => [scope.type, window, unit, scope, end] as const,
    ),
  ),
);

describe('a hard limit', () => {
  it.each(cases)(
    'on %s, by the %s, in %s admits what it allows and not one call more',
    (_name, window, unit, scope, end) => {
      const amount = ofOneCall[unit];
      const reached = account()
        .when(setLimit({ scope, window, unit, amount }))
        .then('LimitSet')
        .when(call('r1'))
        .then('Reserved')
        .when(call('r2'))
        .thenRefused('limit-reached');
      expect(refusalOf(reached.verdict)).toMatchObject({ retryable: false });
      expect(refusalOf(reached.verdict).details).toEqual({
        limitId: 'lim_1',
        scope,
        window,
        unit,
        amount,
        used: amount,
        required: amount,
        ...(end === undefined ? {} : { resetsAt: end }),
      });
      const others_ = reached.when(call('r3', { purpose: others }));
      if (scope.type === 'account') others_.thenRefused('limit-reached');
      else others_.then('Reserved');
      const endMs = end === undefined ? Date.UTC(2030, 0, 1) : Date.parse(end);
      const stillIn = others_.when(call('r4'), new Date(endMs - 1)).thenRefused('limit-reached');
      const next = stillIn.when(call('r5'), new Date(endMs));
      if (end === undefined) next.thenRefused('limit-reached');
      else next.then('Reserved');
    },
  );

  it('of nothing admits nothing', () => {
    account()
      .when(setLimit({ unit: 'requests', amount: '0' }))
      .when(call('r1'))
      .thenRefused('limit-reached');
  });

  it('counts the owner’s calls that name no user as the owner’s', () => {
    account()
      .when(setLimit({ scope: { type: 'user', id: 'usr_1' }, unit: 'requests', amount: '1' }))
      .when(call('r1', { purpose: {} }))
      .then('Reserved')
      .when(call('r2', { purpose: {} }))
      .thenRefused('limit-reached');
  });

  it('is one of several: whichever is reached refuses, and a refusal counts nowhere', () => {
    const outcome = account()
      .when(
        setLimit({ limitId: 'wide', scope: { type: 'account' }, unit: 'requests', amount: '5' }),
      )
      .when(setLimit({ limitId: 'narrow', unit: 'tokens', window: 'hour', amount: '1100' }))
      .when(call('r1'))
      .when(call('r2'))
      .thenRefused('limit-reached');
    expect(refusalOf(outcome.verdict).details).toMatchObject({ limitId: 'narrow' });
    expect(counts(outcome.account, 'wide')).toEqual({ '2026-03-01': '1' });
  });

  it('that more was used of than it allows lets through what it does not count', () => {
    account()
      .when(setLimit({ unit: 'tokens', amount: '1200' }))
      .when(call('r1'))
      .when(settleCall('r1', { input: 1000, output: 400 }))
      .when(call('r2', { outputMayShrink: true }))
      .thenRefused('limit-reached')
      .when(plain('r3', '1'))
      .then('Reserved');
  });

  it('in dollars reserves the dearest candidate’s, wherever it stands in the chain', () => {
    const models = ['gpt-4o', 'gpt-4o-mini'].map((model) => ({ provider: 'openai', model }));
    for (const candidates of [models, models.toReversed()]) {
      const step = account()
        .when(setLimit({ unit: 'usd', amount: '0.0035' }))
        .when({ ...reserveCall('r1', 100, { candidates }), purpose: mine } as CreditCommand)
        .then('Reserved');
      expect(counts(step.account)).toEqual({ '2026-03-01': '0.0035' });
    }
  });

  it('that becomes a rate, or was one, begins its count anew', () => {
    const perMinute = { window: 'minute' as const, unit: 'requests' as const, amount: '1' };
    const step = account()
      .when(setLimit(perMinute))
      .when(call('r1'))
      .when(setLimit({ ...perMinute, mode: 'rate' }))
      .then('LimitSet')
      .when(call('r2'))
      .then('Reserved');
    expect(counts(step.account)).toEqual({});
    const hardAgain = { ...setLimit(perMinute), commandId: 'hard-again' };
    const again = step.when(hardAgain).when(release('r1')).when(call('r3')).then('Reserved');
    expect(counts(again.account)).toEqual({ '2026-03-01T12:00': '1' });
    again.when(call('r4')).thenRefused('limit-reached');
  });

  it('on a key or a project that is named like nothing binds no call without one', () => {
    for (const type of ['key', 'project'] as const) {
      account()
        .when(setLimit({ scope: { type, id: 'undefined' }, unit: 'requests', amount: '0' }))
        .when(call('r1', { purpose: {} }))
        .then('Reserved');
    }
  });

  it('leaves a shrinking call what the tighter of two leaves, whichever was set first', () => {
    const amounts = ['1050', '1030'];
    for (const [first = '', second = ''] of [amounts, amounts.toReversed()]) {
      const outcome = account()
        .when(setLimit({ limitId: 'a', unit: 'tokens', amount: first }))
        .when(setLimit({ limitId: 'b', unit: 'tokens', amount: second }))
        .when(call('r1', { outputMayShrink: true }));
      expect(outcome.event('Reserved').quote?.bound.outputTokens).toBe(30);
    }
  });

  it('that is soft, or a rate, leaves a call as it is', () => {
    const rate = { mode: 'rate' as const, window: 'minute' as const, unit: 'tokens' as const };
    const outcome = account()
      .when(setLimit({ limitId: 'a', mode: 'soft', unit: 'tokens', amount: '1' }))
      .when(setLimit({ limitId: 'b', ...rate, amount: '1' }))
      .when(call('r1', { outputMayShrink: true }))
      .then('Reserved');
    expect(outcome.event('Reserved').quote?.bound.outputTokens).toBe(100);
    expect(counts(outcome.account, 'b')).toEqual({});
  });

  it('never hides that the balance is short', () => {
    given(opened, granted('0.1'))
      .when(setLimit({ amount: '0.05' }))
      .when(call('r1'))
      .thenRefused('insufficient-credits');
  });

  it('gives a repeated reserve its first answer when it has been reached since', () => {
    account()
      .when(setLimit({ unit: 'requests', amount: '1' }))
      .when(call('r1'))
      .then('Reserved')
      .when(call('r1'))
      .thenNothing();
  });
});

describe('plain amounts', () => {
  it('count in credits and requests, not in dollars and tokens', () => {
    const outcome = account()
      .when(setLimit({ limitId: 'c', unit: 'credits' }))
      .when(setLimit({ limitId: 'r', unit: 'requests' }))
      .when(setLimit({ limitId: 'u', unit: 'usd', amount: '0' }))
      .when(setLimit({ limitId: 't', unit: 'tokens', amount: '0' }))
      .when(plain('r1', '3'))
      .then('Reserved')
      .when(charge('c1', '2'))
      .then('Reserved', 'Settled');
    expect(['c', 'r', 'u', 't'].map((id) => counts(outcome.account, id)['2026-03-01'])).toEqual([
      '5',
      '2',
      '0',
      '0',
    ]);
  });

  it('are refused beyond a limit, reserved or charged at once', () => {
    account()
      .when(setLimit({ amount: '5' }))
      .when(charge('c1', '4'))
      .then('Reserved', 'Settled')
      .when(charge('c2', '1.0001'))
      .thenRefused('limit-reached')
      .when(plain('r1', '1.0001'))
      .thenRefused('limit-reached')
      .when(plain('r2', '1'))
      .then('Reserved');
  });
});

describe('a call whose output may shrink', () => {
  it.each([
    ['credits', '0.45', 50],
    ['usd', '0.003', 50],
    ['tokens', '1050', 50],
    ['tokens', '1016', 16],
  ] as const)('is cut down to what a limit in %s leaves', (unit, amount, outputTokens) => {
    const outcome = account()
      .when(setLimit({ unit, amount }))
      .when(call('r1', { outputMayShrink: true }))
      .then('Reserved');
    expect(outcome.event('Reserved').quote?.bound.outputTokens).toBe(outputTokens);
    expect(counts(outcome.account)['2026-03-01']).toBe(
      { credits: '0.45', usd: '0.003', tokens: String(1000 + outputTokens) }[unit],
    );
  });

  it('is cut down to the tightest of the balance and all limits', () => {
    const outcome = given(opened, granted('0.48'))
      .when(setLimit({ limitId: 'usd', unit: 'usd', amount: '0.003' }))
      .when(setLimit({ limitId: 'tokens', unit: 'tokens', amount: '1040' }))
      .when(setLimit({ limitId: 'credits', unit: 'credits', amount: '0.465' }))
      .when(call('r1', { outputMayShrink: true }));
    expect(outcome.event('Reserved').quote?.bound.outputTokens).toBe(40);
  });

  it('shares what is left of its choices', () => {
    const four = call('r1', { outputMayShrink: true });
    if (four.type !== 'ReserveCompletion') throw new Error();
    const outcome = account()
      .when(setLimit({ unit: 'tokens', amount: '1203' }))
      .when({ ...four, bounds: { ...four.bounds, choices: 4 } });
    expect(outcome.event('Reserved').quote?.bound).toMatchObject({ outputTokens: 50, choices: 4 });
    expect(counts(outcome.account)).toEqual({ '2026-03-01': '1200' });
  });

  it.each([
    ['credits', '0.3'],
    ['usd', '0.002'],
    ['tokens', '1015'],
    ['tokens', '900'],
    ['requests', '0'],
  ] as const)('is refused where a limit in %s of %s leaves no useful output', (unit, amount) => {
    account()
      .when(setLimit({ unit, amount }))
      .when(call('r1', { outputMayShrink: true }))
      .thenRefused('limit-reached');
  });

  it('is told the balance where that, and not the limit, is too small', () => {
    given(opened, granted('0.3'))
      .when(setLimit({ amount: '0.5' }))
      .when(call('r1', { outputMayShrink: true }))
      .thenRefused('insufficient-credits');
  });
});

describe('the count', () => {
  const units = ['credits', 'usd', 'tokens', 'requests'] as const;
  const counted = () =>
    units.reduce(
      (step, unit) => step.when(setLimit({ limitId: unit, unit, amount: '100000' })),
      account().when(setLimit({ limitId: 'month', window: 'month', amount: '100000' })),
    );
  const used = (step: ReturnType<typeof counted>, day = '2026-03-01') =>
    units.map((unit) => counts(step.account, unit)[day]);

  it('of an open reservation is what it reserved', () => {
    expect(used(counted().when(call('r1')))).toEqual(['0.525', '0.0035', '1100', '1']);
  });

  it('of a settled one is what was used', () => {
    const step = counted()
      .when(call('r1'))
      .when(settleCall('r1', { input: 900, cache_read: 100, output: 50 }));
    expect(used(step)).toEqual(['0.4313', '0.002875', '1050', '1']);
  });

  it('of one whose usage nobody knows is its bound', () => {
    const step = counted()
      .when(call('r1'))
      .when(settleCall('r1', {}, { provenance: 'unknown' }));
    expect(used(step)).toEqual(['0.525', '0.0035', '1100', '1']);
  });

  it('of one that used more than it reserved passes the limit, and blocks the next', () => {
    account()
      .when(setLimit({ unit: 'tokens', amount: '1200' }))
      .when(call('r1'))
      .when(settleCall('r1', { input: 1000, output: 400 }))
      .then('Settled')
      .when(call('r2'))
      .thenRefused('limit-reached');
  });

  it.each(['failed', 'cancelled', 'expired'] as const)('of a %s one is given back', (reason) => {
    const step = counted()
      .when(call('r1'))
      .when(release('r1', reason), at('2026-03-01T13:00:00.000Z'));
    expect(used(step)).toEqual(['0', '0', '0', '0']);
  });

  it('of usage that came after the expiry is added again, in the reservation’s window', () => {
    const step = counted()
      .when(call('r1'))
      .when(release('r1', 'expired'), at('2026-03-01T13:00:00.000Z'))
      .when(settleCall('r1', { input: 1000, output: 50 }), at('2026-03-01T23:30:00.000Z'))
      .then('SettledLate');
    expect(used(step)).toEqual(['0.45', '0.003', '1050', '1']);
  });

  it('of a correction moves by the difference, up and down', () => {
    const settled = counted()
      .when(call('r1'))
      .when(settleCall('r1', { input: 1000, output: 50 }));
    const more = settled.when(correct('r1', { input: 1000, output: 90 }, 'c1'));
    expect(used(more)).toEqual(['0.51', '0.0034', '1090', '1']);
    const less = more.when(correct('r1', { input: 1000, output: 10 }, 'c2'));
    expect(used(less)).toEqual(['0.39', '0.0026', '1010', '1']);
  });

  it('in tokens counts no fee by the call', () => {
    const prices = priceBook();
    prices.apply({
      type: 'VendorPricePublished',
      data: {
        priceVersion: 'openai:search@1',
        provider: 'openai',
        model: 'search',
        effectiveFrom: '2020-01-01T00:00:00.000Z',
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rateUsd: '1' },
          { meter: 'output', unit: 'token', per: '1000000', rateUsd: '1' },
          { meter: 'request', unit: 'call', per: '1', rateUsd: '0.01' },
        ],
        source: { name: 'test' },
      },
    });
    const candidates = [{ provider: 'openai', model: 'search' }];
    const step = givenPriced(prices, opened, granted('1000'))
      .when(setLimit({ unit: 'tokens', amount: '100000' }))
      .when({ ...reserveCall('r1', 100, { candidates }), purpose: mine } as CreditCommand)
      .when(settleCall('r1', { input: 900, output: 50 }, { model: 'search' }));
    expect(step.event('Settled').attempts[0]?.lines.map(({ unit }) => unit)).toContain('call');
    expect(counts(step.account)).toEqual({ '2026-03-01': '950' });
  });

  it('of all attempts that billed is their sum', () => {
    const settle = settleCall('r1', { input: 1000, output: 10 });
    if (settle.type !== 'Settle') throw new Error();
    const failed = attempt({ input: 500 }, { provenance: 'estimated', failure: 'cut' });
    const unbilled = attempt({}, { billed: false, failure: 'status-500' });
    const step = counted()
      .when(call('r1'))
      .when({ ...settle, attempts: [unbilled, failed, ...settle.attempts] });
    expect(used(step)[2]).toBe('1510');
  });

  it('of a settle after midnight is in the day of its reservation', () => {
    const lateEvening = at('2026-03-01T22:59:00.000Z');
    const afterMidnight = at('2026-03-01T23:01:00.000Z');
    const step = counted()
      .when(call('r1'), lateEvening)
      .when(call('r2'), afterMidnight)
      .when(settleCall('r1', { input: 1000, output: 50 }), afterMidnight);
    expect(counts(step.account, 'tokens')).toEqual({ '2026-03-01': '1050', '2026-03-02': '1100' });
  });

  it('of a plain reservation becomes what it was settled at', () => {
    const step = counted().when(plain('r1', '5')).when(settlePlain('r1', '2'));
    expect(used(step)).toEqual(['2', '0', '0', '1']);
  });

  it('by the day follows the clocks of the account on the days that they change', () => {
    const short = account()
      .when(setLimit({ unit: 'requests', amount: '1' }))
      .when(call('r1'), at('2026-03-28T23:00:00.000Z'))
      .then('Reserved')
      .when(call('r2'), at('2026-03-29T21:59:59.999Z'))
      .thenRefused('limit-reached');
    expect(refusalOf(short.verdict).details).toMatchObject({
      resetsAt: '2026-03-29T22:00:00.000Z',
    });
    short
      .when(call('r3'), at('2026-03-29T22:00:00.000Z'))
      .then('Reserved')
      .when(call('r4'), at('2026-10-24T22:00:00.000Z'))
      .then('Reserved')
      .when(call('r5'), at('2026-10-25T22:59:59.999Z'))
      .thenRefused('limit-reached')
      .when(call('r6'), at('2026-10-25T23:00:00.000Z'))
      .then('Reserved');
  });

  it('begins when the limit is set: what was reserved before is none of its', () => {
    const step = account()
      .when(call('r0'))
      .when(setLimit({ unit: 'requests', amount: '1' }))
      .when(settleCall('r0', { input: 1000, output: 50 }))
      .when(call('r1'))
      .then('Reserved');
    expect(counts(step.account)).toEqual({ '2026-03-01': '1' });
  });

  it('does not grow with time: windows that are over and have nothing open are dropped', () => {
    let step = account().when(setLimit({ window: 'minute', unit: 'requests', amount: '9' }));
    for (let minute = 0; minute < 50; minute++) {
      const now = new Date(Date.UTC(2026, 2, 1, 12, minute));
      step = step.when(call(`r${String(minute)}`), now);
      if (minute !== 3) step = step.when(release(`r${String(minute)}`), now);
    }
    expect(counts(step.account)).toEqual({ '2026-03-01T12:03': '1', '2026-03-01T12:49': '0' });
    const ended = step.when(release('r3')).when(call('last'), at('2026-03-01T13:30:00.000Z'));
    expect(counts(ended.account)).toEqual({ '2026-03-01T13:30': '1' });
  });

  it('costs an account without limits nothing', () => {
    const step = account().when(call('r1'));
    expect(step.account.reservations.get('r1')?.counted).toBeUndefined();
  });
});

describe('a soft limit', () => {
  const soft = (more: Parameters<typeof setLimit>[0] = {}) =>
    setLimit({ mode: 'soft', unit: 'credits', amount: '10', ...more });

  it('warns once when what is charged passes it, and refuses nothing', () => {
    const step = account().when(soft()).when(charge('x1', '10')).then('Reserved', 'Settled');
    const passed = step.when(charge('x2', '0.5')).then('Reserved', 'Settled', 'LimitWarned');
    expect(passed.event('LimitWarned')).toEqual({
      limitId: 'lim_1',
      period: '2026-03-01',
      used: '10.5',
      amount: '10',
    });
    passed.when(charge('x3', '5')).then('Reserved', 'Settled');
  });

  it('is passed by what calls cost, not by what they may cost', () => {
    account()
      .when(soft())
      .when(plain('r1', '30'))
      .then('Reserved')
      .when(settlePlain('r1', '4'))
      .then('Settled')
      .when(plain('r2', '30'))
      .then('Reserved')
      .when(release('r2'))
      .then('Released')
      .when(plain('r3', '30'))
      .then('Reserved')
      .when(settlePlain('r3', '6.1'))
      .then('Settled', 'LimitWarned');
  });

  it('is passed by a reservation that is charged whole', () => {
    account()
      .when(soft())
      .when(plain('r1', '10.1'))
      .then('Reserved')
      .when(settlePlain('r1', '10.1'))
      .then('Settled', 'LimitWarned');
  });

  it('warns again when it is passed again after it was raised', () => {
    account()
      .when(soft())
      .when(charge('x1', '11'))
      .then('Reserved', 'Settled', 'LimitWarned')
      .when(soft({ amount: '11' }))
      .then('LimitSet')
      .when(charge('x2', '0.1'))
      .then('Reserved', 'Settled', 'LimitWarned');
  });

  it('warns no second time when it was raised and is still passed', () => {
    account()
      .when(soft())
      .when(charge('x1', '12'))
      .then('Reserved', 'Settled', 'LimitWarned')
      .when(soft({ amount: '11.5' }))
      .then('LimitSet')
      .when(charge('x2', '1'))
      .then('Reserved', 'Settled');
  });

  it('warns again when a correction has brought it back, and a late settle passes it', () => {
    account()
      .when(soft({ unit: 'tokens', amount: '1500' }))
      .when(call('r1'))
      .when(call('r2'))
      .when(release('r2', 'expired'), at('2026-03-01T12:12:00.000Z'))
      .when(settleCall('r1', { input: 1000, output: 501 }))
      .then('Settled', 'LimitWarned')
      .when(correct('r1', { input: 1000, output: 500 }))
      .then('UsageCorrected')
      .when(settleCall('r2', { input: 1, output: 0 }))
      .then('SettledLate', 'LimitWarned');
  });

  it('counts a call when it has ended, where calls are counted', () => {
    account()
      .when(soft({ unit: 'requests', amount: '1' }))
      .when(call('r1'))
      .when(call('r2'))
      .when(call('r3'))
      .then('Reserved')
      .when(release('r1'))
      .then('Released')
      .when(settleCall('r2', { input: 1, output: 1 }))
      .then('Settled')
      .when(settleCall('r3', { input: 1, output: 1 }))
      .then('Settled', 'LimitWarned');
  });

  it('warns anew in the next window', () => {
    account()
      .when(soft({ amount: '0' }))
      .when(charge('x1', '1'))
      .then('Reserved', 'Settled', 'LimitWarned')
      .when(charge('x2', '1'), at('2026-03-01T23:00:00.000Z'))
      .then('Reserved', 'Settled', 'LimitWarned');
  });

  it('warns where the settle, and not the reservation, passes it', () => {
    const step = account()
      .when(soft({ unit: 'tokens', amount: '1100' }))
      .when(call('r1'))
      .then('Reserved')
      .when(settleCall('r1', { input: 1000, output: 101 }))
      .then('Settled', 'LimitWarned');
    expect(step.event('LimitWarned').used).toBe('1101');
  });

  it('warns of the window of the reservation when its settle comes in the next', () => {
    const step = account()
      .when(soft({ unit: 'tokens', amount: '1100' }))
      .when(call('r1'), at('2026-03-01T22:59:59.000Z'))
      .when(settleCall('r1', { input: 1000, output: 200 }), at('2026-03-01T23:00:01.000Z'))
      .then('Settled', 'LimitWarned');
    expect(step.event('LimitWarned').period).toBe('2026-03-01');
  });

  it('warns at once when it is lowered below what is charged, and when a hard one becomes soft there', () => {
    account()
      .when(soft({ amount: '20' }))
      .when(charge('x1', '11'))
      .when(soft())
      .then('LimitSet', 'LimitWarned');
    account()
      .when(setLimit({ amount: '20' }))
      .when(charge('x1', '11'))
      .when(setLimit())
      .then('LimitSet')
      .when(soft())
      .then('LimitSet', 'LimitWarned');
  });

  it('that was removed warns of nothing that ends later', () => {
    account()
      .when(soft({ unit: 'tokens', amount: '1100' }))
      .when(call('r1'))
      .when(removeLimit())
      .when(settleCall('r1', { input: 1000, output: 500 }))
      .then('Settled');
  });
});

describe('setting a limit', () => {
  it('tells the whole of it', () => {
    const outcome = account().when(setLimit({ amount: '10.50' }));
    expect(outcome.event('LimitSet')).toEqual({
      limitId: 'lim_1',
      scope: { type: 'key', id: 'key_1' },
      window: 'day',
      unit: 'credits',
      amount: '10.5',
      mode: 'hard',
    });
    expect(outcome.when(removeLimit()).event('LimitRemoved')).toEqual({ limitId: 'lim_1' });
  });

  it('again with another amount keeps the count', () => {
    account()
      .when(setLimit({ unit: 'requests', amount: '1' }))
      .when(call('r1'))
      .when(setLimit({ unit: 'requests', amount: '2' }))
      .then('LimitSet')
      .when(call('r2'))
      .then('Reserved')
      .when(call('r3'))
      .thenRefused('limit-reached');
  });

  it('below what is used refuses all that comes, and gives nothing back', () => {
    account()
      .when(setLimit({ amount: '10' }))
      .when(plain('r1', '6'))
      .when(setLimit({ amount: '5' }))
      .when(plain('r2', '0.0001'))
      .thenRefused('limit-reached')
      .when(settlePlain('r1', '4'))
      .when(plain('r3', '1'))
      .then('Reserved');
  });

  it.each([
    ['scope', setLimit({ scope: { type: 'key', id: 'key_2' } })],
    ['scope', setLimit({ scope: { type: 'user', id: 'key_1' } })],
    ['window', setLimit({ window: 'month' })],
    ['unit', setLimit({ unit: 'usd' })],
  ])('of the same id for another %s is refused', (_what, command) => {
    account().when(setLimit()).when(command).thenRefused('invalid-request');
  });

  it.each([
    ['a rate by the hour', setLimit({ mode: 'rate', window: 'hour', unit: 'requests' })],
    ['a rate in total', setLimit({ mode: 'rate', window: 'total', unit: 'tokens' })],
    ['a rate in credits', setLimit({ mode: 'rate', window: 'minute', unit: 'credits' })],
    ['a rate in dollars', setLimit({ mode: 'rate', window: 'minute', unit: 'usd' })],
    ['half a request', setLimit({ unit: 'requests', amount: '0.5' })],
    ['half a token', setLimit({ unit: 'tokens', amount: '1.5' })],
    ['less than nothing', setLimit({ amount: '-1' })],
  ])('to %s is refused', (_what, command) => {
    account().when(command).thenRefused('invalid-request');
  });

  it('twice by the same command is one event; other fields under its id are refused', () => {
    const command = setLimit();
    account()
      .when(command)
      .then('LimitSet')
      .when(command)
      .thenNothing()
      .when({ ...command, commandHash: 'other' })
      .thenRefused('replay-mismatch');
  });

  it('beyond so many is refused', () => {
    let step = account().when(setLimit());
    for (let n = 1; n < limitsMax; n++) step = step.when(setLimit({ limitId: `l${String(n)}` }));
    step.when(setLimit({ limitId: 'one-more' })).thenRefused('invalid-request', {
      message: `an account has at most ${String(limitsMax)} limits`,
    });
    step.when(setLimit({ amount: '11' })).then('LimitSet');
  });
});

describe('removing a limit', () => {
  it('stops it', () => {
    account()
      .when(setLimit({ unit: 'requests', amount: '0' }))
      .when(removeLimit())
      .then('LimitRemoved')
      .when(call('r1'))
      .then('Reserved');
  });

  it('that was the last one makes the account as cheap as one without', () => {
    const { limits } = account().when(setLimit()).when(removeLimit()).account;
    expect([limits.byId.size, limits.counting.size, limits.rates.size]).toEqual([0, 0, 0]);
  });

  it('leaves the others of its scope', () => {
    account()
      .when(setLimit({ limitId: 'a', unit: 'requests', amount: '0' }))
      .when(setLimit({ limitId: 'b', unit: 'requests', amount: '0' }))
      .when(removeLimit('a'))
      .when(call('r1'))
      .thenRefused('limit-reached');
  });

  it('that does not exist is refused; twice by the same command is one event', () => {
    account()
      .when(removeLimit())
      .thenRefused('unknown-limit')
      .when(setLimit())
      .when(removeLimit())
      .then('LimitRemoved')
      .when(removeLimit())
      .thenNothing()
      .when(removeLimit('lim_1', 'again'))
      .thenRefused('unknown-limit');
  });

  it('and setting it anew begins a new count, which earlier reservations do not move', () => {
    const anew = account()
      .when(setLimit({ unit: 'requests', amount: '2' }))
      .when(call('r1'))
      .when(removeLimit())
      .when({ ...setLimit({ unit: 'requests', amount: '2' }), commandId: 'anew' })
      .then('LimitSet')
      .when(call('r2'))
      .when(release('r1'))
      .when(call('r3', { purpose: mine }))
      .then('Reserved')
      .when(call('r4'))
      .thenRefused('limit-reached');
    expect(counts(anew.account)).toEqual({ '2026-03-01': '2' });
  });
});
