import { settleReply } from '@tollkeeper/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Asker, type Question } from './asker.js';
import { settingsOf, type ConnectOptions } from './connect-options.js';
import { TollkeeperUnavailableError, UnexpectedAnswerError } from './errors.js';
import {
  InsufficientCreditsError,
  RefusedError,
  ReplayMismatchError,
  UnknownAccountError,
} from './refusals.js';
import type { CallOptions } from './requests.js';
import {
  noResponder,
  refused,
  ScriptedLink,
  silence,
  type Answer,
} from './scripted-link.fixture.js';

import { elapse, resumeTime, stopTime } from './virtual-time.fixture.js';

beforeEach(stopTime);
afterEach(resumeTime);

const charged = {
  status: 'accepted',
  reservationId: 'r1',
  chargeCredits: '5',
  costUsd: '0.05',
} as const;
const question: Question<Extract<ReturnType<typeof settleReply.parse>, { status: 'accepted' }>> = {
  subject: 'credit.v1.charge.acc_1',
  accountId: 'acc_1',
  body: { amountCredits: '5' },
  reply: settleReply,
  type: 'change',
};

const quick = { timeoutMs: 400, retry: { firstPauseMs: 1, maxPauseMs: 4 }, name: 'spec' };

const asking = (script: readonly Answer[], options: CallOptions = {}, settings: object = {}) => {
  const link = new ScriptedLink(script);
  const asker = new Asker(link, settingsOf({ ...quick, ...settings }), () => 0);
  const outcome = elapse(
    asker.ask(question, options).then(
      (answer) => ({ answer, error: undefined }),
      (error: unknown) => ({ answer: undefined, error }),
    ),
  );
  return { link, outcome };
};

describe('a command', () => {
  it('carries its id, correlation, actor and deadline', async () => {
    const before = Date.now();
    const { link, outcome } = asking([charged], { commandId: 'c1', correlationId: 'req-1' });
    expect(await outcome).toMatchObject({ answer: charged });
    const [sent] = link.sent;
    expect(sent?.headers).toEqual({
      'Toll-Command-Id': 'c1',
      'Toll-Correlation-Id': 'req-1',
      'Toll-Actor': 'spec',
    });
    const deadlineMs = Date.parse(String(sent?.body['deadlineAt']));
    expect(deadlineMs).toBeGreaterThanOrEqual(before + 400);
    expect(deadlineMs).toBeLessThanOrEqual(Date.now() + 400);
  });

  it.each<[string, Answer[]]>([
    ['gets no answer', [silence()]],
    ['has no responder', [noResponder()]],
    ['meets an overloaded service', [refused('overloaded', true)]],
    ['meets a store that is away', [refused('store-unavailable', true), silence(), noResponder()]],
  ])('that %s is sent again as it was, under the same id', async (_, troubles) => {
    const { link, outcome } = asking([...troubles, charged]);
    expect(await outcome).toMatchObject({ answer: charged });
    expect(link.sent).toHaveLength(troubles.length + 1);
    expect(new Set(link.sent.map((sent) => JSON.stringify(sent))).size).toBe(1);
    expect(link.sent[0]?.headers['Toll-Command-Id']).toMatch(/^[0-9a-f-]{14}7/);
  });

  it.each(['insufficient-credits', 'replay-mismatch', 'too-late', 'newer-than-this-client'])(
    'that is refused as %s is not sent again',
    async (reason) => {
      const { link, outcome } = asking([refused(reason), charged]);
      expect((await outcome).error).toBeInstanceOf(Error);
      expect(link.sent).toHaveLength(1);
    },
  );

  it('is sent once where retries are off', async () => {
    const { link, outcome } = asking([silence(), charged], {}, { retry: false });
    expect((await outcome).error).toMatchObject({ kind: 'unavailable', outcome: 'unknown' });
    expect(link.sent).toHaveLength(1);
  });

  it('waits as long as the service asks, and not where that is beyond the deadline', async () => {
    const { outcome } = asking([refused('rate-limited', true, { retryAfterMs: 60_000 }), charged]);
    expect((await outcome).error).toMatchObject({
      kind: 'refused',
      name: 'LimitReachedError',
      retryable: true,
    });
    const started = performance.now();
    const later = asking([refused('overloaded', true, { retryAfterMs: 60 }), charged]);
    expect(await later.outcome).toMatchObject({ answer: charged });
    expect(performance.now() - started).toBeGreaterThanOrEqual(60);
  });

  it.each<[string, Answer[], 'unknown' | 'not-carried-out']>([
    ['nobody served it', [noResponder()], 'not-carried-out'],
    ['one attempt may have arrived', [silence(), noResponder()], 'unknown'],
    ['the service failed on it', [refused('internal', true), noResponder()], 'unknown'],
    ['it was taken up too late', [refused('too-late')], 'not-carried-out'],
    ['it was too late to ask what became of it', [silence(), refused('too-late')], 'unknown'],
  ])('without an answer is an error that says whether %s', async (_, script, whether) => {
    const { error } = await asking(script, { commandId: 'c1', timeoutMs: 60 }).outcome;
    expect(error).toBeInstanceOf(TollkeeperUnavailableError);
    expect(error).toMatchObject({ kind: 'unavailable', commandId: 'c1', outcome: whether });
  });

  it.each<[string, Answer[], 'unknown' | 'not-carried-out']>([
    ['surely nothing was done', [silence(), refused('insufficient-credits')], 'not-carried-out'],
    ['all attempts met a busy service', [refused('overloaded', true)], 'not-carried-out'],
    ['its account moved all the time', [refused('not-owner', true)], 'not-carried-out'],
    ['an earlier attempt is in doubt', [silence(), refused('overloaded', true)], 'unknown'],
    ['it is in doubt though the account moved', [silence(), refused('not-owner', true)], 'unknown'],
    ['the service failed on it', [refused('internal', true)], 'unknown'],
    ['the store may have it', [refused('store-unavailable', true)], 'unknown'],
    ['the account cannot be read', [refused('account-parked', true)], 'unknown'],
    ['it may have been stored long ago', [refused('index-behind', true)], 'unknown'],
    ['it was in doubt', [refused('account-parked', true), refused('overloaded', true)], 'unknown'],
  ])('that is refused says that %s', async (_, script, whether) => {
    const { error } = await asking(script, { timeoutMs: 60 }).outcome;
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ outcome: whether });
  });

  it('whose answer is outside the contract is an error, never a yes', async () => {
    const { error } = await asking([{ status: 'accepted', chargeCredits: 5 }]).outcome;
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
  });

  it('ends with the signal’s reason, before it is sent as while it waits', async () => {
    const reason = new Error('the client hung up');
    const early = asking([charged], { signal: AbortSignal.abort(reason) });
    expect(await early.outcome).toMatchObject({ error: reason });
    expect(early.link.sent).toHaveLength(0);

    const controller = new AbortController();
    const waiting = asking([refused('overloaded', true, { retryAfterMs: 300 })], {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(reason), 5);
    expect(await waiting.outcome).toMatchObject({ error: reason });
  });
});

describe('a wrong argument', () => {
  it.each<[string, CallOptions]>([
    ['a correlation id with a line break', { correlationId: 'a\nToll-Actor: b' }],
    ['a correlation id that is long', { correlationId: 'x'.repeat(129) }],
    ['a correlation id that is none', { correlationId: 5 as unknown as string }],
    ['a command id with a line break', { commandId: 'a\r\nb' }],
    ['a command id with a space', { commandId: 'a b' }],
    ['an endless timeout', { timeoutMs: Infinity }],
    ['a timeout that no timer has', { timeoutMs: 2 ** 31 }],
    ['no timeout', { timeoutMs: 0 }],
    ['a timeout that is no number', { timeoutMs: NaN }],
  ])('is a TypeError before anything is sent: %s', async (_, options) => {
    const { link, outcome } = asking([charged], options);
    expect((await outcome).error).toBeInstanceOf(TypeError);
    expect(link.sent).toEqual([]);
  });

  it.each<[string, Partial<ConnectOptions>]>([
    ['a name with a line break', { name: 'a\nb' }],
    ['an endless timeout', { timeoutMs: Infinity }],
    ['a pause that is no number', { retry: { maxPauseMs: NaN } }],
  ])('of the connection is a TypeError: %s', (_, options) => {
    expect(() => settingsOf(options)).toThrow(TypeError);
  });
});

describe('a signal', () => {
  it('may be for any number of calls at once', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { signal } = new AbortController();
    const calls = Array.from({ length: 20 }, () => asking([charged], { signal }).outcome);
    for (const outcome of await Promise.all(calls))
      expect(outcome).toMatchObject({ answer: charged });
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });
});

describe('a command that ends a reservation', () => {
  it('has no deadline, since it is wanted however late', async () => {
    const link = new ScriptedLink([charged]);
    await new Asker(link, settingsOf(quick)).ask({ ...question, type: 'ending' });
    expect(link.sent[0]?.body).toEqual({ amountCredits: '5' });
  });
});

describe('a query', () => {
  it('has neither id nor deadline', async () => {
    const link = new ScriptedLink([charged]);
    await new Asker(link, settingsOf(quick)).ask({ ...question, type: 'query', body: {} });
    expect(link.sent[0]?.body).toEqual({});
    expect(link.sent[0]?.headers).toEqual({ 'Toll-Actor': 'spec' });
  });
});

describe('a refusal', () => {
  it.each([
    ['insufficient-credits', 'InsufficientCreditsError'],
    ['debt-outstanding', 'DebtOutstandingError'],
    ['limit-reached', 'LimitReachedError'],
    ['rate-limited', 'LimitReachedError'],
    ['free-tier-budget', 'LimitReachedError'],
    ['replay-mismatch', 'ReplayMismatchError'],
    ['unknown-account', 'UnknownAccountError'],
    ['unknown-reservation', 'UnknownReservationError'],
    ['unknown-price', 'UnknownPriceError'],
    ['account-frozen', 'AccountFrozenError'],
    ['exceeds-charge', 'RefusedError'],
    ['toString', 'RefusedError'],
  ])('as %s is a %s', async (reason, name) => {
    const { error } = await asking([refused(reason, false, { figure: '1' })]).outcome;
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      name,
      reason,
      kind: 'refused',
      message: `it is ${reason}`,
      details: { figure: '1' },
      accountId: 'acc_1',
    });
  });

  it('for lack of credits says what there is, what it takes, and what would help', async () => {
    const suggestions = [{ action: 'top-up', credits: '3', usd: '0.03' }];
    const figures = { balance: '2', available: '2', required: '5', suggestions };
    const { error } = await asking([refused('insufficient-credits', false, figures)]).outcome;
    expect(error).toBeInstanceOf(InsufficientCreditsError);
    expect(error).not.toBeInstanceOf(ReplayMismatchError);
    expect(error).not.toBeInstanceOf(UnknownAccountError);
    expect(error).toMatchObject(figures);
  });
});
