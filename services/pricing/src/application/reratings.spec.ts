import type { ChargedCall, ChargedCallsQuery } from '@tollkeeper/contracts';
import { describe, expect, test } from 'vitest';
import { bookOf, chargedCall, version } from '../domain/simulation/charged-calls.fixture.js';
import { eachCall, rangeOf, type ReadChargedCalls } from './charged-calls.js';
import { Reratings, type PostRerating, type RerateOrder } from './reratings.js';

const book = bookOf({
  type: 'VendorPricePublished',
  data: version(
    'openai',
    'gpt-4o',
    { input: '5', output: '20' },
    { priceVersion: 'openai:gpt-4o@2', effectiveFrom: '2099-01-01T00:00:00.000Z' },
  ),
});
const at = new Date('2026-06-08T00:00:00.000Z');

const call = (reservationId: string, more: Partial<ChargedCall> = {}): ChargedCall =>
  chargedCall(
    book,
    {
      provider: 'openai',
      model: 'gpt-4o',
      tier: 'pro',
      pools: { input: 1000, output: 100 },
      at: new Date('2026-06-02T00:00:00.000Z'),
    },
    { reservationId, ...more },
  );

const dearer = book.version('openai:gpt-4o@2');
if (!dearer) throw new Error('no such version');

const order = (more: Partial<RerateOrder> = {}): RerateOrder => ({
  runId: 'run_1',
  version: dearer,
  days: 7,
  post: false,
  reason: 'the vendor billed more',
  list: 10,
  actor: 'ann',
  ...more,
});

/** Pages of two, as whoever keeps the calls gives them; and an owner that books what it is told. */
const ledgerOf = (calls: readonly ChargedCall[], refusing?: string) => {
  const stored = new Map(calls.map((each) => [each.reservationId, each]));
  const asked: ChargedCallsQuery[] = [];
  const posted: string[] = [];
  const read: ReadChargedCalls = (query) => {
    asked.push(query);
    const all = [...stored.values()];
    const first = all.findIndex((each) => each.reservationId === query.after?.reservationId) + 1;
    const page = all.slice(first, first + 2);
    const last = page.at(-1);
    const next = last && first + 2 < all.length ? last : null;
    return Promise.resolve({ calls: page, next, asOf: at.toISOString(), stale: false });
  };
  const post: PostRerating = (_accountId, { reservationId, priceVersion, commandId }) => {
    if (reservationId === refusing) {
      const message = 'not now';
      return Promise.resolve({ status: 'refused', reason: 'overloaded', message, retryable: true });
    }
    const before = stored.get(reservationId);
    if (!before) throw new Error('unknown');
    const attempts = before.attempts.map((attempt) => ({ ...attempt, priceVersion }));
    stored.set(reservationId, {
      ...before,
      attempts,
      vendorCostUsd: '0.007',
      chargeCredits: '1.05',
    });
    posted.push(commandId);
    return Promise.resolve({
      status: 'accepted',
      reservationId,
      changed: true,
      chargeCredits: '1.05',
      costUsd: '0.007',
    });
  };
  return { reratings: new Reratings(read, post, book), asked, posted };
};

describe('a re-rating of a range', () => {
  test('lists what would change, and posts nothing unless it is told to', async () => {
    const { reratings, asked, posted } = ledgerOf([call('r1'), call('r2'), call('r3')]);
    const view = await reratings.run(order({ list: 1 }), at);
    expect(view).toMatchObject({
      usages: 3,
      differences: 3,
      deltaCostUsd: '0.0105',
      deltaCredits: '1.575',
      posted: 0,
      list: [
        {
          reservationId: 'r1',
          beforeCostUsd: '0.0035',
          afterCostUsd: '0.007',
          beforeCredits: '0.525',
          afterCredits: '1.05',
        },
      ],
    });
    expect(view.list).toHaveLength(1);
    expect(posted).toEqual([]);
    expect(asked[0]).toMatchObject({
      from: '2026-06-01T00:00:00.000Z',
      to: '2026-06-08T00:00:00.000Z',
      of: { provider: 'openai', model: 'gpt-4o' },
    });
  });

  test('posts each difference once, and a second run none', async () => {
    const { reratings, posted } = ledgerOf([call('r1'), call('r2'), call('r3')]);
    expect(await reratings.run(order({ post: true }), at)).toMatchObject({ posted: 3 });
    expect(new Set(posted).size).toBe(3);
    const second = await reratings.run(order({ post: true, runId: 'run_2' }), at);
    expect(second).toMatchObject({ usages: 3, differences: 0, posted: 0, list: [] });
  });

  test('names what was refused, and the next run tries it again', async () => {
    const { reratings } = ledgerOf([call('r1'), call('r2')], 'r2');
    const view = await reratings.run(order({ post: true }), at);
    expect(view).toMatchObject({
      posted: 1,
      failed: [{ accountId: 'acc_1', reservationId: 'r2', reason: 'overloaded' }],
    });
    expect(await reratings.run(order(), at)).toMatchObject({ differences: 1 });
  });

  test('leaves usage that nobody knows', async () => {
    const known = call('r1');
    const attempts = known.attempts.map((attempt) => ({
      ...attempt,
      provenance: 'unknown',
      lines: [['bound', '1'] as [string, string]],
    }));
    const { reratings } = ledgerOf([{ ...known, attempts }]);
    expect(await reratings.run(order(), at)).toMatchObject({ differences: 0, unknownUsage: 1 });
  });
});

describe('a range', () => {
  test('is the last days, or from one moment to another', () => {
    expect(rangeOf({ days: 30 }, at)).toEqual({
      from: '2026-05-09T00:00:00.000Z',
      to: '2026-06-08T00:00:00.000Z',
    });
    expect(rangeOf({ from: '2026-01-01T01:00:00+01:00' }, at)).toEqual({
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-06-08T00:00:00.000Z',
    });
  });

  test('is read to its end although a page is not answered at first', async () => {
    const failures = [undefined, new Error('no reply'), undefined, new Error('no reply')];
    const pages: (string | undefined)[] = [];
    await eachCall(
      ({ after }) => {
        const failure = failures.shift();
        if (failure) return Promise.reject(failure);
        const reservationId = `r${String(pages.length)}`;
        pages.push(after?.reservationId);
        const next = { requestedAt: 'x', accountId: 'acc_1', reservationId };
        return Promise.resolve({
          calls: [],
          next: pages.length < 3 ? next : null,
          asOf: at.toISOString(),
          stale: false,
        });
      },
      rangeOf({ days: 7 }, at),
      () => undefined,
    );
    expect(pages).toEqual([undefined, 'r0', 'r1']);
  });

  test('that nobody answers is an error', async () => {
    const silent = eachCall(
      () => Promise.reject(new Error('no reply')),
      rangeOf({ days: 7 }, at),
      () => undefined,
    );
    await expect(silent).rejects.toThrow('no reply');
  });

  test('is as current as its last page', async () => {
    let page = 0;
    const currency = await eachCall(
      () => {
        page += 1;
        const next =
          page === 1 ? { requestedAt: 'x', accountId: 'acc_1', reservationId: 'r1' } : null;
        return Promise.resolve({ calls: [], next, asOf: String(page), stale: page === 2 });
      },
      rangeOf({ days: 7 }, at),
      () => undefined,
    );
    expect(currency).toEqual({ asOf: '2', stale: true });
  });
});
