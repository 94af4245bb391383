import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Asker } from './asker.js';
import { settingsOf } from './connect-options.js';
import { SettlementPendingError, SettlementRefusedError } from './errors.js';
import { NatsClient } from './nats-client.js';
import type { OpenReservation, Work } from './open-reservation.js';
import type { ReserveRequest } from './requests.js';
import { refused, ScriptedLink, silence, type Answer, type Sent } from './scripted-link.fixture.js';

import { elapse, resumeTime, stopTime } from './virtual-time.fixture.js';

beforeEach(stopTime);
afterEach(resumeTime);

const gpt = { provider: 'openai', model: 'gpt-4o' };
const mini = { provider: 'openai', model: 'gpt-4o-mini' };
const completion: ReserveRequest = {
  candidates: [gpt, mini],
  bounds: { inputTokens: 1000, outputTokens: 100 },
};
const attempts = [{ ...gpt, usage: { input: 900, output: 50 } }];
const settled = { status: 'accepted', reservationId: 'r1', chargeCredits: '3', costUsd: '0.02' };

/** Answers as the credit service would, unless told otherwise about endings. */
const service = (ending: (sent: Sent) => Answer = () => settled) =>
  new ScriptedLink([
    (sent) =>
      sent.subject.startsWith('credit.v1.reserve.')
        ? {
            status: 'accepted',
            reservationId: sent.headers['Toll-Command-Id'],
            amountCredits: '10',
            expiresAt: '2026-01-01T00:12:00.000Z',
            outputTokens: 100,
          }
        : ending(sent),
  ]);

const run = async <T>(
  work: (reservation: OpenReservation) => Promise<Work<T>>,
  {
    link = service(),
    request = completion,
    signal,
  }: {
    link?: ScriptedLink;
    request?: ReserveRequest;
    signal?: AbortSignal;
  } = {},
) => {
  const settings = settingsOf({ timeoutMs: 40, retry: { firstPauseMs: 1, maxPauseMs: 4 } });
  const client = new NatsClient(new Asker(link, settings), link);
  const options = { commandId: 'r1', ...(signal ? { signal } : {}) };
  const outcome = await elapse(
    client.withReservation('acc_1', request, work, options).then(
      (done) => ({ done, error: undefined }),
      (error: unknown) => ({ done: undefined, error }),
    ),
  );
  const verbs = link.sent.map(({ subject }) => subject.split('.')[2]);
  return { ...outcome, link, verbs, last: link.sent.at(-1)?.body };
};

const failure = new Error('the vendor hung up');
const fails = (): Promise<never> => Promise.reject(failure);

describe('work with a reservation', () => {
  it('is given the reservation, and settled by what it returns', async () => {
    const { done, verbs, last } = await run((reservation) => {
      const { accountId, reservationId, amountCredits, outputTokens } = reservation;
      expect({ accountId, reservationId, amountCredits, outputTokens }).toEqual({
        accountId: 'acc_1',
        reservationId: 'r1',
        amountCredits: '10',
        outputTokens: 100,
      });
      return Promise.resolve({ value: 'hello', attempts });
    });
    const { status: _, ...settlement } = settled;
    expect(done).toEqual({ value: 'hello', settlement });
    expect(verbs).toEqual(['reserve', 'settle']);
    expect(last).toEqual({ reservationId: 'r1', attempts });
  });

  it('is not begun where the reservation is refused or unanswered', async () => {
    for (const answer of [refused('insufficient-credits'), silence()]) {
      let begun = false;
      const work = (): Promise<Work<null>> => {
        begun = true;
        return Promise.resolve({ value: null, attempts });
      };
      const { error } = await run(work, { link: new ScriptedLink([answer]) });
      expect(error).toBeInstanceOf(Error);
      expect(begun).toBe(false);
    }
  });

  it('that fails before the vendor was called is released', async () => {
    const { error, verbs, last } = await run(fails);
    expect(error).toBe(failure);
    expect(verbs).toEqual(['reserve', 'release']);
    expect(last).toEqual({ reservationId: 'r1', reason: 'failed' });
  });

  it('that its signal cancelled before the vendor was called is released as cancelled', async () => {
    const controller = new AbortController();
    const work = (): Promise<never> => {
      controller.abort(failure);
      return fails();
    };
    const { error, last } = await run(work, { signal: controller.signal });
    expect(error).toBe(failure);
    expect(last).toMatchObject({ reason: 'cancelled' });
  });

  it('that fails after the vendor billed is settled by the usage that it reported', async () => {
    const { error, verbs, last } = await run((reservation) => {
      reservation.vendorCalled(gpt);
      reservation.report({ attempts });
      return fails();
    });
    expect(error).toBe(failure);
    expect(verbs).toEqual(['reserve', 'settle']);
    expect(last).toEqual({ reservationId: 'r1', attempts });
  });

  it.each<[string, ReserveRequest, object]>([
    ['a completion', completion, { attempts: [{ ...mini, provenance: 'unknown' }] }],
    ['a plain amount', { amountCredits: '10' }, { amountCredits: '10' }],
  ])(
    'that fails after the vendor was called, usage unknown, is charged at the bound: %s',
    async (_, request, spending) => {
      const work = (reservation: OpenReservation): Promise<never> => {
        reservation.vendorCalled(mini);
        return fails();
      };
      const { error, last } = await run(work, { request });
      expect(error).toBe(failure);
      expect(last).toEqual({ reservationId: 'r1', ...spending });
    },
  );

  it('that says nothing of its usage is not free', async () => {
    const { last } = await run(() => Promise.resolve({ value: 1 }));
    expect(last).toMatchObject({ attempts: [{ ...gpt, provenance: 'unknown' }] });
  });

  it('may settle or release by itself, and nothing is sent after that', async () => {
    const settling = await run(async (reservation) => {
      await reservation.settle({ attempts });
      return { value: 1 };
    });
    expect(settling.verbs).toEqual(['reserve', 'settle']);
    expect(settling.done?.settlement).toMatchObject({ chargeCredits: '3' });

    const link = service(() => ({ status: 'accepted' }));
    const releasing = await run(
      async (reservation) => {
        await reservation.release('cancelled');
        return { value: 1 };
      },
      { link },
    );
    expect(releasing.verbs).toEqual(['reserve', 'release']);
    expect(releasing.done).toEqual({ value: 1, settlement: undefined });
  });

  it('whose settle gets no answer ends as pending, with all it takes to send it later', async () => {
    const link = service(silence);
    const { error } = await run(() => Promise.resolve({ value: 'hello', attempts }), { link });
    expect(error).toBeInstanceOf(SettlementPendingError);
    const settles = link.sent.slice(1);
    expect(settles.length).toBeGreaterThan(1);
    const ids = new Set(settles.map(({ headers }) => headers['Toll-Command-Id']));
    expect(ids.size).toBe(1);
    const pending = error as SettlementPendingError;
    expect(pending).toMatchObject({ value: 'hello', workError: undefined });
    expect(pending.settlement).toEqual({
      accountId: 'acc_1',
      commandId: [...ids][0],
      request: { reservationId: 'r1', attempts },
    });

    link.says(settled);
    const { accountId, request, commandId } = JSON.parse(
      JSON.stringify(pending.settlement),
    ) as typeof pending.settlement;
    const client = new NatsClient(new Asker(link, settingsOf({})), link);
    expect(await client.settle(accountId, request, { commandId })).toMatchObject({
      chargeCredits: '3',
    });
    expect(link.sent.at(-1)).toEqual(settles[0]);
  });

  it('that settled by itself without an answer is settled again, under the same id', async () => {
    const link = service();
    const { done } = await run(
      async (reservation) => {
        link.says(silence());
        await expect(reservation.settle({ attempts })).rejects.toThrow('no answer');
        link.says(settled);
        return { value: 1 };
      },
      { link },
    );
    expect(done?.settlement).toMatchObject({ chargeCredits: '3' });
    const ids = link.sent.slice(1).map(({ headers }) => headers['Toll-Command-Id']);
    expect(new Set(ids).size).toBe(1);
  });

  it('whose settle is refused says so, and gives back both the value and the figures', async () => {
    const link = service(() => refused('replay-mismatch'));
    const { error } = await run(() => Promise.resolve({ value: 'hello', attempts }), { link });
    expect(error).toBeInstanceOf(SettlementRefusedError);
    expect(error).toMatchObject({
      kind: 'settlement-refused',
      value: 'hello',
      settlement: { request: { attempts } },
      cause: { reason: 'replay-mismatch' },
    });
  });

  it('whose settle cannot be sent, now or later, says that it needs a person', async () => {
    const link = service(() => new TypeError('larger than a message'));
    const { error, verbs } = await run(() => Promise.resolve({ value: 1, attempts }), { link });
    expect(error).toBeInstanceOf(SettlementRefusedError);
    expect(error).toMatchObject({ value: 1, cause: { message: 'larger than a message' } });
    expect(verbs).toEqual(['reserve', 'settle']);
  });

  it('that failed and is not settled names both failures', async () => {
    const work = (reservation: OpenReservation): Promise<never> => {
      reservation.report({ attempts });
      return fails();
    };
    const { error } = await run(work, { link: service(silence) });
    expect(error).toBeInstanceOf(SettlementPendingError);
    expect(error).toMatchObject({ workError: failure, settlement: { request: { attempts } } });
  });

  it('that failed throws its own error though the release gets no answer: it expires by itself', async () => {
    expect((await run(fails, { link: service(silence) })).error).toBe(failure);
  });

  it.each<[string, unknown, unknown]>([
    ['nothing', undefined, undefined],
    ['null', null, null],
    ['a text', 'hello', 'hello'],
    ['an amount that is a number', { value: 'hello', amountCredits: 5 }, 'hello'],
    ['attempts that are no list', { value: 'hello', attempts: 'three' }, 'hello'],
    ['attempts that are no JSON', { value: 'hello', attempts: [{ usage: 5n }] }, 'hello'],
  ])('that returns %s is settled as far as it is known, then told', async (_, returned, value) => {
    const work = (): Promise<Work<unknown>> => Promise.resolve(returned as Work<unknown>);
    const unknown = await run(work);
    expect(unknown.error).toBeInstanceOf(TypeError);
    expect(unknown.verbs).toEqual(['reserve', 'settle']);
    expect(unknown.last).toMatchObject({ attempts: [{ ...gpt, provenance: 'unknown' }] });

    const reported = await run((reservation) => {
      reservation.report({ attempts });
      return work();
    });
    expect(reported.error).toBeInstanceOf(TypeError);
    expect(reported.last).toEqual({ reservationId: 'r1', attempts });

    const { error } = await run(work, { link: service(silence) });
    expect(error).toBeInstanceOf(SettlementPendingError);
    expect(error).toMatchObject({ value, workError: expect.any(TypeError) as unknown });
  });

  it('that reports a number of credits learns at once that it is no amount, and is not free for that', async () => {
    const { error, verbs, last } = await run((reservation) => {
      // @ts-expect-error -- a JS number never holds money
      reservation.report({ amountCredits: 5 });
      return Promise.resolve({ value: 1, attempts });
    });
    expect(error).toBeInstanceOf(TypeError);
    expect(verbs).toEqual(['reserve', 'settle']);
    expect(last).toMatchObject({ attempts: [{ ...gpt, provenance: 'unknown' }] });
  });

  it('whose own settle is refused is not released for that, whether it throws or not', async () => {
    let refusals = 1;
    const settling = async (reservation: OpenReservation): Promise<Work<number>> => {
      refusals = 1;
      await reservation.settle({ attempts });
      return { value: 1 };
    };
    const link = service(() => (refusals-- > 0 ? refused('invalid-request') : settled));
    const throwing = await run(settling, { link });
    expect(throwing.error).toMatchObject({ reason: 'invalid-request' });
    expect(throwing.verbs).toEqual(['reserve', 'settle', 'settle']);
    expect(throwing.last).toMatchObject({ attempts: [{ ...gpt, provenance: 'unknown' }] });

    const going = await run((open) => settling(open).catch(() => ({ value: 1, attempts })), {
      link,
    });
    expect(going.done?.settlement).toMatchObject({ chargeCredits: '3' });
    expect(going.last).toEqual({ reservationId: 'r1', attempts });
  });

  describe.each<[string, () => Answer]>([
    ['gets no answer', silence],
    ['is refused', () => refused('reservation-closed')],
  ])('whose own release %s', (_, answer) => {
    const releasing = async (
      end: (reservation: OpenReservation) => Promise<Work<unknown>>,
    ): ReturnType<typeof run> => {
      const isRelease = ({ subject }: Sent): boolean => subject.includes('.release.');
      const link = service((sent) => (isRelease(sent) ? answer() : settled));
      return run(
        async (reservation) => {
          reservation.vendorCalled(gpt);
          await expect(reservation.release('cancelled')).rejects.toBeInstanceOf(Error);
          return end(reservation);
        },
        { link },
      );
    };

    it('is not charged at the bound for that, and is released again under the same id', async () => {
      const returning = await releasing(() => Promise.resolve({ value: 1 }));
      expect(returning.done).toEqual({ value: 1, settlement: undefined });
      const throwing = await releasing(fails);
      expect(throwing.error).toBe(failure);
      for (const { link, verbs, last } of [returning, throwing]) {
        expect(new Set(verbs)).toEqual(new Set(['reserve', 'release']));
        const ids = link.sent.slice(1).map(({ headers }) => headers['Toll-Command-Id']);
        expect(ids.length).toBeGreaterThan(1);
        expect(new Set(ids).size).toBe(1);
        expect(last).toEqual({ reservationId: 'r1', reason: 'cancelled' });
      }
    });

    it('is charged for what it uses after that', async () => {
      const returning = await releasing(() => Promise.resolve({ value: 1, attempts }));
      expect(returning.last).toEqual({ reservationId: 'r1', attempts });
      const wrong = { value: 1, amountCredits: 5 } as unknown as Work<number>;
      const mistaken = await releasing(() => Promise.resolve(wrong));
      expect(mistaken.error).toBeInstanceOf(TypeError);
      expect(mistaken.last).toMatchObject({ attempts: [{ ...gpt, provenance: 'unknown' }] });
      const calling = await releasing((reservation) => {
        reservation.vendorCalled(mini);
        return fails();
      });
      expect(calling.last).toMatchObject({ attempts: [{ ...mini, provenance: 'unknown' }] });
    });
  });

  it('is waited for though its signal aborts: only it knows what it used', async () => {
    const controller = new AbortController();
    const { done, last } = await run(
      async (reservation) => {
        reservation.vendorCalled(gpt);
        controller.abort(failure);
        await new Promise((resolve) => setTimeout(resolve, 500));
        return { value: 'late', attempts };
      },
      { signal: controller.signal },
    );
    expect(done).toMatchObject({ value: 'late', settlement: { chargeCredits: '3' } });
    expect(last).toEqual({ reservationId: 'r1', attempts });
  });
});
