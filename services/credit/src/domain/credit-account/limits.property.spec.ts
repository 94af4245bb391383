import type { Charge, CreditAccountEvent, LimitUnit, LimitWindow, Quote } from '@tollkeeper/events';
import { formatMoney, Money, sumMoney } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  granted,
  opened,
  priceBook,
  release,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { decide } from './decide.js';
import { evolve } from './evolve.js';
import { followUps } from './follow-ups.js';
import { call, charge, correct, counts, plain, removeLimit, setLimit } from './limits.fixture.js';
import { countedBefore, type Counted } from './limit-counts.js';
import { restoredLimits } from './limits.js';
import { defaultRules, type AccountRules } from './rules.js';
import { newAccount, type CreditAccount } from './state.js';
import { runsOf } from './property-runs.fixture.js';

const prices = priceBook();
const limitIds = ['l1', 'l2', 'l3', 'l4'] as const;
const budget = new Money('3');
const rules: AccountRules = {
  ...defaultRules,
  freeTier: {
    ...defaultRules.freeTier,
    models: new Set(['openai/gpt-4o']),
    monthlyBudgetCredits: budget,
  },
};

interface Stored {
  readonly event: CreditAccountEvent;
  readonly meta: { commandId: string; commandHash: string; occurredAt: string };
}

/** One account whose time goes on by what each step says. */
const play = (tier: 'free' | 'pro', steps: readonly Step[], after: (history: Stored[]) => void) => {
  const account = newAccount('acc_1');
  const history: Stored[] = [];
  let nowMs = Date.UTC(2026, 2, 28, 20, 0);
  const store = (event: CreditAccountEvent, commandId: string, commandHash: string): void => {
    const stored = {
      event,
      meta: { commandId, commandHash, occurredAt: new Date(nowMs).toISOString() },
    };
    evolve(account, event, stored.meta);
    history.push(stored);
    after(history);
  };
  store({ ...opened, data: { ...opened.data, tier } } as CreditAccountEvent, 'open', 'open');
  store(granted('100000'), 'grant', 'grant');
  for (const { command, minutes } of steps) {
    nowMs += minutes * 60_000;
    const context = { at: new Date(nowMs), prices, rules, reservationTtlMs: 720_000 };
    const verdict = decide(command, account, context);
    let events = verdict.type === 'accept' ? verdict.events : [];
    while (events.length > 0) {
      for (const event of events) store(event, command.commandId, command.commandHash);
      events = followUps(account, context);
    }
  }
  return { account, history };
};

interface Step {
  readonly command: CreditCommand;
  readonly minutes: number;
}

const scopes = [
  { type: 'account' as const },
  { type: 'key' as const, id: 'key_1' },
  { type: 'user' as const, id: 'usr_2' },
  { type: 'project' as const, id: 'prj_1' },
];

const setting = fc
  .record({
    // A limit keeps its scope, window and unit, so these follow from its id.
    place: fc.integer({ min: 0, max: 3 }),
    size: fc.integer({ min: 0, max: 30 }),
    mode: fc.constantFrom('hard' as const, 'soft' as const),
  })
  .map(({ place, size, mode }) => {
    const window = (['hour', 'day', 'month', 'total'] as const)[place] ?? 'day';
    const unit = (['credits', 'usd', 'tokens', 'requests'] as const)[place] ?? 'credits';
    const each = { credits: '0.1', usd: '0.0007', tokens: '220', requests: '1' }[unit];
    const limitId = limitIds[place] ?? 'l1';
    const amount = formatMoney(new Money(each).times(size));
    const scope = scopes[place] ?? { type: 'account' as const };
    return setLimit({ limitId, scope, window, unit, mode, amount });
  });

const id = fc.integer({ min: 0, max: 11 }).map((n) => `r${String(n)}`);
const purpose = fc.record({
  userId: fc.constantFrom('usr_1', 'usr_2'),
  keyId: fc.constantFrom('key_1', 'key_2'),
  projectId: fc.constantFrom('prj_1', 'prj_2'),
});
const cents = fc.integer({ min: 0, max: 200 }).map((n) => formatMoney(new Money(n).div(100)));
const tokens = fc.integer({ min: 0, max: 1500 });

const command: fc.Arbitrary<CreditCommand> = fc.oneof(
  { weight: 3, arbitrary: setting },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...limitIds)
      .chain((limit) => fc.uuid().map((each) => removeLimit(limit, each))),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(id, purpose, tokens, fc.boolean())
      .map(([r, of, outputTokens, outputMayShrink]) =>
        call(r, { purpose: of, outputTokens, outputMayShrink }),
      ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(id, cents, purpose).map(([r, amount, of]) => plain(r, amount, of)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(id, cents, purpose).map(([r, amount, of]) => charge(r, amount, of)),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(id, tokens, tokens)
      .map(([r, input, output]) => settleCall(r, { input, output })),
  },
  { weight: 2, arbitrary: fc.tuple(id, cents).map(([r, amount]) => settlePlain(r, amount)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, fc.constantFrom('failed' as const, 'expired' as const))
      .map(([r, why]) => release(r, why)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, tokens, tokens, fc.uuid())
      .map(([r, input, output, c]) => correct(r, { input, output }, c)),
  },
);
const step = fc.record({
  command,
  minutes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 }), fc.constant(60 * 24 * 11)),
});
const steps = fc.array(step, { minLength: 10, maxLength: 60, size: 'max' });

// --- An account of what counts where, by the events alone and by other means than the domain's. ---

interface Call {
  readonly window: Readonly<Record<LimitWindow, string>>;
  readonly scopes: readonly string[];
  readonly free: boolean;
  readonly quote: Quote | undefined;
  readonly since: number;
  figures: Readonly<Record<LimitUnit, number | string>>;
  ended: boolean;
}

const callsOf = (history: readonly Stored[]): Map<string, Call> => {
  const calls = new Map<string, Call>();
  history.forEach(({ event, meta }, place) => {
    const { data } = event;
    if (event.type === 'Reserved') {
      const { purpose: of, quote, localDate, tier, amountCredits } = event.data;
      calls.set(event.data.reservationId, {
        window: {
          minute: meta.occurredAt.slice(0, 16),
          hour: meta.occurredAt.slice(0, 13),
          day: localDate,
          month: localDate.slice(0, 7),
          total: 'total',
        },
        scopes: [
          'account/',
          `user/${of.userId}`,
          `key/${of.keyId ?? '-'}`,
          `project/${of.projectId ?? '-'}`,
        ],
        free: tier === 'free',
        quote,
        since: place,
        figures: {
          credits: amountCredits,
          usd: quote?.candidates[0]?.boundUsd ?? '0',
          tokens: quote
            ? quote.bound.inputTokens + quote.bound.outputTokens * quote.bound.choices
            : 0,
          requests: 1,
        },
        ended: false,
      });
    }
    const known = calls.get('reservationId' in data ? data.reservationId : '');
    if (!known) return;
    if (event.type === 'Released') {
      known.figures = { credits: 0, usd: 0, tokens: 0, requests: 0 };
      known.ended = true;
    }
    if (
      event.type === 'Settled' ||
      event.type === 'SettledLate' ||
      event.type === 'UsageCorrected'
    ) {
      known.ended = true;
      const lines = event.data.attempts.flatMap((attempt) => attempt.lines);
      const bound = known.quote?.bound;
      known.figures = {
        credits: event.data.chargeCredits,
        usd: event.data.vendorCostUsd,
        tokens: lines.reduce(
          (sum, line) =>
            sum +
            (line.unit === 'token'
              ? Number(line.quantity)
              : bound
                ? bound.inputTokens + bound.outputTokens * bound.choices
                : 0),
          0,
        ),
        requests: 1,
      };
    }
  });
  return calls;
};

type LimitSet = Extract<CreditAccountEvent, { type: 'LimitSet' }>['data'];

/** Limits in force, and the place in history from which each counts. */
const limitsOf = (history: readonly Stored[]): Map<string, { limit: LimitSet; since: number }> => {
  const limits = new Map<string, { limit: LimitSet; since: number }>();
  history.forEach(({ event }, place) => {
    if (event.type === 'LimitSet') {
      const since = limits.get(event.data.limitId)?.since ?? place;
      limits.set(event.data.limitId, { limit: event.data, since });
    }
    if (event.type === 'LimitRemoved') limits.delete(event.data.limitId);
  });
  return limits;
};

const usedOf = (
  history: readonly Stored[],
  limit: LimitSet,
  since: number,
  period: string,
  counts: (call: Call) => boolean = () => true,
): Money => {
  const scope = `${limit.scope.type}/${limit.scope.id ?? ''}`;
  const counting = [...callsOf(history).values()].filter(
    (each) =>
      each.since > since &&
      each.scopes.includes(scope) &&
      each.window[limit.window] === period &&
      counts(each),
  );
  return sumMoney(counting.map((each) => new Money(each.figures[limit.unit])));
};

/** What is charged in a window, and whether that passes the limit: undefined where it is not in force. */
const chargedIn = (
  history: readonly Stored[],
  limitId: string,
  period: string,
):
  { readonly charged: Money; readonly isPassed: boolean; readonly limit: LimitSet } | undefined => {
  const { limit, since } = limitsOf(history).get(limitId) ?? {};
  if (!limit || since === undefined) return undefined;
  const charged = usedOf(history, limit, since, period, ({ ended }) => ended);
  return { charged, isPassed: charged.gt(limit.amount), limit };
};

/** Soft limits, and windows of theirs, that a settle has passed as the last event. */
const passedByLast = (history: readonly Stored[]): string[] => {
  const last = history.at(-1)?.event;
  if (last?.type !== 'Settled') return [];
  const settled = callsOf(history).get(last.data.reservationId);
  const passed: string[] = [];
  for (const limitId of limitIds) {
    const window = limitsOf(history).get(limitId)?.limit.window;
    const period = window && settled?.window[window];
    if (period === undefined) continue;
    const after = chargedIn(history, limitId, period);
    const isNew = chargedIn(history.slice(0, -1), limitId, period)?.isPassed === false;
    if (isNew && after?.isPassed && after.limit.mode === 'soft')
      passed.push(`${limitId} ${period}`);
  }
  return passed;
};

const freeMonthOf = (history: readonly Stored[], month: string): Money =>
  sumMoney(
    [...callsOf(history).values()]
      .filter((each) => each.free && each.window.month === month)
      .map((each) => new Money(each.figures.credits)),
  );

const seen = { reservedUnderLimit: 0, warned: 0, late: 0, corrected: 0, free: 0 };

describe('over any sequence of commands', () => {
  it('no reservation brings what is used and open under a hard limit above its amount', () => {
    fc.assert(
      fc.property(fc.constantFrom('pro' as const, 'free' as const), steps, (tier, each) => {
        play(tier, each, (history) => {
          const last = history.at(-1);
          if (last?.event.type !== 'Reserved') return;
          const reserved = callsOf(history).get(last.event.data.reservationId);
          if (!reserved) throw new Error('not reserved');
          for (const { limit, since } of limitsOf(history).values()) {
            const scope = `${limit.scope.type}/${limit.scope.id ?? ''}`;
            if (limit.mode !== 'hard' || !reserved.scopes.includes(scope)) continue;
            // A plain amount is of no tokens and no dollars, so it cannot bring anything above.
            if (new Money(reserved.figures[limit.unit]).isZero()) continue;
            seen.reservedUnderLimit++;
            const used = usedOf(history, limit, since, reserved.window[limit.window]);
            expect(used.lte(limit.amount)).toBe(true);
          }
          if (reserved.free && !new Money(reserved.figures.credits).isZero()) {
            seen.free++;
            expect(freeMonthOf(history, reserved.window.month).lte(budget)).toBe(true);
          }
        });
      }),
      { numRuns: runsOf(400) },
    );
    expect(seen.reservedUnderLimit).toBeGreaterThan(runsOf(400));
    expect(seen.free).toBeGreaterThan(runsOf(400) / 4);
  });

  it('what a limit has counted is what the events say', () => {
    fc.assert(
      fc.property(fc.constantFrom('pro' as const, 'free' as const), steps, (tier, each) => {
        const { account, history } = play(tier, each, () => undefined);
        const limits = limitsOf(history);
        expect([...account.limits.byId.keys()].sort()).toEqual([...limits.keys()].sort());
        for (const { limit, since } of limits.values()) {
          for (const [period, used] of Object.entries(counts(account, limit.limitId))) {
            expect(used).toBe(formatMoney(usedOf(history, limit, since, period)));
          }
        }
        for (const [month, { used }] of account.limits.freeMonths) {
          expect(formatMoney(used)).toBe(formatMoney(freeMonthOf(history, month)));
        }
        expect(account.limits.passed.size).toBe(0);
        for (const { event } of history) {
          if (event.type === 'SettledLate') seen.late++;
          if (event.type === 'UsageCorrected') seen.corrected++;
        }
      }),
      { numRuns: runsOf(400) },
    );
    expect(Math.min(seen.late, seen.corrected)).toBeGreaterThan(0);
  });

  it('a soft limit warns where a settle passes it, and again only after what is charged was within it', () => {
    fc.assert(
      fc.property(steps, (each) => {
        const due = new Set<string>();
        const told = new Set<string>();
        play('pro', each, (history) => {
          for (const passed of passedByLast(history)) due.add(passed);
          for (const passed of told) {
            const [limitId = '', period = ''] = passed.split(' ');
            if (!chargedIn(history, limitId, period)?.isPassed) told.delete(passed);
          }
          const last = history.at(-1)?.event;
          if (last?.type !== 'LimitWarned') return;
          const { limitId, period, used, amount } = last.data;
          const now = chargedIn(history, limitId, period);
          expect(now).toMatchObject({ isPassed: true, limit: { mode: 'soft', amount } });
          expect(used).toBe(formatMoney(now?.charged ?? new Money(-1)));
          const passed = `${limitId} ${period}`;
          expect(told.has(passed)).toBe(false);
          told.add(passed);
          due.delete(passed);
          seen.warned++;
        });
        expect([...due]).toEqual([]);
      }),
      { numRuns: runsOf(300) },
    );
    expect(seen.warned).toBeGreaterThan(runsOf(300) / 10);
  });

  it('the fold of the stored events is the live state', () => {
    fc.assert(
      fc.property(fc.constantFrom('pro' as const, 'free' as const), steps, (tier, each) => {
        const { account, history } = play(tier, each, () => undefined);
        const replayed: CreditAccount = newAccount('acc_1');
        for (const { event, meta } of JSON.parse(JSON.stringify(history)) as Stored[]) {
          evolve(replayed, event, meta);
        }
        expect(replayed).toEqual(account);
      }),
      { numRuns: runsOf(200) },
    );
  });

  it('what a closed reservation counts for can be told from its own events, and the limits from what they keep', () => {
    let told = 0;
    fc.assert(
      fc.property(fc.constantFrom('pro' as const, 'free' as const), steps, (tier, each) => {
        const { account, history } = play(tier, each, () => undefined);
        const { limits } = account;
        history.forEach(({ event, meta }, revision) => {
          if (event.type !== 'Reserved') return;
          const reservation = account.reservations.get(event.data.reservationId);
          if (!reservation || reservation.state === 'open') return;
          const charge = history.findLast(
            ({ event: later }) =>
              (later.type === 'Settled' ||
                later.type === 'SettledLate' ||
                later.type === 'UsageCorrected') &&
              later.data.reservationId === event.data.reservationId,
          )?.event.data as Charge | undefined;
          const { occurredAt } = meta;
          const again = countedBefore(limits, { data: event.data, occurredAt, revision }, charge);
          const still = (reservation.counted ?? []).filter(
            ({ limitId, since }) =>
              limitId === undefined || limits.byId.get(limitId)?.since === since,
          );
          const inOrder = (counted: readonly Counted[]) =>
            counted.map((one) => ({ ...one, amount: formatMoney(one.amount) })).sort(byLimit);
          expect(inOrder(again ?? [])).toEqual(inOrder(still));
          told += still.length;
        });
        expect(restoredLimits(limits)).toEqual(limits);
      }),
      { numRuns: runsOf(200) },
    );
    expect(told).toBeGreaterThan(100);
  });
});

const byLimit = (a: { limitId: string | undefined }, b: { limitId: string | undefined }): number =>
  (a.limitId ?? '') < (b.limitId ?? '') ? -1 : 1;
