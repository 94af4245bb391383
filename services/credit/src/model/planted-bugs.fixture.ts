import { maxMoney, parseMoney, previousMonth, zero, type Money } from '@tollkeeper/kernel';
import { createHash } from 'node:crypto';
import type * as charge from '../domain/credit-account/charge.js';
import type * as correct from '../domain/credit-account/correct.js';
import type * as decide from '../domain/credit-account/decide.js';
import type * as draw from '../domain/credit-account/draw.js';
import type * as evolve from '../domain/credit-account/evolve.js';
import type * as followUps from '../domain/credit-account/follow-ups.js';
import type * as release from '../domain/credit-account/release.js';
import type * as reserve from '../domain/credit-account/reserve.js';
import type * as settle from '../domain/credit-account/settle.js';
import type * as state from '../domain/credit-account/state.js';
import type * as adjust from '../domain/credit-account/adjust.js';
import type * as ceilings from '../domain/credit-account/ceilings.js';
import type * as chargeNet from '../domain/credit-account/charge-net.js';
import type * as evolveAccount from '../domain/credit-account/evolve-account.js';
import type * as evolveGrants from '../domain/credit-account/evolve-grants.js';
import type * as evolveRefund from '../domain/credit-account/evolve-refund.js';
import type * as freeTier from '../domain/credit-account/free-tier.js';
import type * as grant from '../domain/credit-account/grant.js';
import type * as limitCounts from '../domain/credit-account/limit-counts.js';
import type * as openAccount from '../domain/credit-account/open-account.js';
import type * as rerate from '../domain/credit-account/rerate.js';
import type * as refund from '../domain/credit-account/refund.js';
import type * as repeated from '../domain/credit-account/repeated.js';
import type * as memory from '../domain/credit-account/memory.js';
import type * as recall from '../domain/credit-account/recall.js';
import type * as snapshot from '../domain/credit-account/snapshot.js';
import type * as excess from '../domain/credit-account/excess.js';
import type * as evolveWatch from '../domain/credit-account/evolve-watch.js';
import type * as limitsModule from '../domain/credit-account/limits.js';
import type * as knownCommands from '../domain/credit-account/known-commands.js';
import type * as limitFacts from '../domain/credit-account/limit-facts.js';
import type * as limitWindows from '../domain/credit-account/limit-windows.js';
import type * as recur from '../domain/credit-account/recur.js';
import type * as recurringRule from '../domain/credit-account/recurring-rule.js';
import type * as settings from '../domain/credit-account/settings.js';
import type * as slidingMinute from '../application/sliding-minute.js';
import type * as rateLimits from '../application/rate-limits.js';
import { watchSoft } from '../domain/credit-account/limits.js';
import { availableCredits, balanceCredits } from '../domain/credit-account/state.js';
import type { Verdict } from '../domain/credit-account/verdict.js';

/** Met by one life in some hundreds: only `npm run test:faults` has the time for them. */
const rare: ReadonlySet<string> = new Set([
  'a month begins in UTC',
  'a correction is applied at each repetition',
  'a release forgets that it released',
  'each refund may be of the whole charge',
  'a correction does not know of refunds',
  'what lapses of a refund is granted to nobody',
  'a recalled reservation does not know what it drew',
  'a minute is over after thirty seconds',
]);

/** A defect that someone could make, put over one module of the domain for one test. */
export interface PlantedBug {
  readonly name: string;
  /** As this folder's files name it. */
  readonly module: string;
  /** What the module exports instead. */
  readonly breakIt: (whole: never) => Readonly<Record<string, unknown>>;
}

const domain = '../domain/credit-account';
const accepted: Verdict = { type: 'accept', events: [] };

const bug = <M>(name: string, file: string, breakIt: (whole: M) => Partial<M>): PlantedBug => ({
  name,
  module: `${domain}/${file}.js`,
  breakIt: breakIt,
});

/** Each event of a verdict, changed. */
const withEvents = (verdict: Verdict, change: (event: Event) => Event | undefined): Verdict =>
  verdict.type === 'refuse'
    ? verdict
    : { ...verdict, events: verdict.events.flatMap((event) => change(event) ?? []) };
type Event = Extract<Verdict, { type: 'accept' }>['events'][number];

const shortId = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16);

export const plantedBugs: readonly PlantedBug[] = [
  bug<typeof state>('no balance check', 'state', () => ({
    availableCredits: () => parseMoney('1000000'),
  })),

  bug<typeof state>('debt does not lower what is available', 'state', (whole) => ({
    availableCredits: (account, atMs): Money =>
      whole.availableCredits({ ...account, debtCredits: zero }, atMs),
  })),

  bug<typeof settle>('a second settle is charged like the first', 'settle', (whole) => ({
    settleReservation: (command, account, context) => {
      const reservation = account.reservations.get(command.reservationId);
      if (reservation?.state !== 'settled') {
        return whole.settleReservation(command, account, context);
      }
      reservation.settled = undefined;
      reservation.charged = undefined;
      reservation.state = 'released';
      return whole.settleReservation(command, account, context);
    },
  })),

  bug<typeof settle>(
    'a second settle with other figures gets the first answer',
    'settle',
    (whole) => ({
      settleReservation: (command, account, context) =>
        account.reservations.get(command.reservationId)?.settled
          ? accepted
          : whole.settleReservation(command, account, context),
    }),
  ),

  bug<typeof release>('a release after the settle is accepted', 'release', (whole) => ({
    releaseReservation: (command, account, context) =>
      account.reservations.get(command.reservationId)?.charged
        ? accepted
        : whole.releaseReservation(command, account, context),
  })),

  bug<typeof release>('a reservation expires before its time', 'release', (whole) => ({
    releaseReservation: (command, account, context) =>
      whole.releaseReservation(command, account, { ...context, at: new Date(8.64e15) }),
  })),

  bug<typeof charge>('a repeated charge is charged twice', 'charge', (whole) => ({
    settlePlainCharge: (command, account, context) => {
      if (!account.reservations.has(command.commandId)) {
        return whole.settlePlainCharge(command, account, context);
      }
      const commandId = shortId(`${command.commandId} ${String(account.reservations.size)}`);
      return whole.settlePlainCharge({ ...command, commandId }, account, context);
    },
  })),

  bug<typeof settle>('debt is lost', 'settle', (whole) => ({
    settleReservation: (command, account, context) =>
      withEvents(whole.settleReservation(command, account, context), (event) =>
        event.type === 'Settled' || event.type === 'SettledLate'
          ? ({ ...event, data: { ...event.data, debt: undefined } } as unknown as Event)
          : event,
      ),
  })),

  bug<typeof settle>('late usage is free', 'settle', (whole) => ({
    settleReservation: (command, account, context) =>
      withEvents(whole.settleReservation(command, account, context), (event) =>
        event.type === 'SettledLate' ? undefined : event,
      ),
  })),

  bug<typeof followUps>('credits repay no debt', 'follow-ups', (whole) => ({
    followUps: (account, context) =>
      whole.followUps(account, context).filter(({ type }) => type !== 'DebtRepaid'),
  })),

  bug<typeof draw>('the draw order is reversed', 'draw', (whole) => ({
    drawOrder: (a, b) => -whole.drawOrder(a, b),
  })),

  bug<typeof draw>('what should lapse returns', 'draw', (whole) => ({
    giveBack: (account, parts) => whole.giveBack(account, parts, -Infinity),
  })),

  bug<typeof state>('a grant is drawn before it takes effect', 'state', (whole) => ({
    availableCredits: (account, atMs): Money => {
      const grants = account.grants.map((grant) => ({ ...grant, effectiveAtMs: -Infinity }));
      return whole.availableCredits({ ...account, grants }, atMs);
    },
  })),

  bug<typeof decide>('a refusal is remembered', 'decide', (whole) => {
    const remembered = new WeakMap<object, Map<string, Verdict>>();
    return {
      decide: (command, account, context) => {
        const known = remembered.get(account) ?? new Map<string, Verdict>();
        remembered.set(account, known);
        const key = `${command.commandId} ${command.commandHash}`;
        const verdict = known.get(key) ?? whole.decide(command, account, context);
        if (verdict.type === 'refuse') known.set(key, verdict);
        return verdict;
      },
    };
  }),

  bug<typeof evolve>('the hash of a settle is not kept', 'evolve', (whole) => ({
    evolve: (account, event, meta) => {
      whole.evolve(account, event, meta);
      const { reservations } = account;
      const settled = event.type === 'Settled' && reservations.get(event.data.reservationId);
      if (settled && settled.settled) settled.settled = { ...settled.settled, commandHash: '' };
    },
  })),

  bug<typeof charge>('unknown usage is zero', 'charge', (whole) => ({
    chargeOf: (command, reservation, context) =>
      whole.chargeOf(
        {
          ...command,
          attempts: command.attempts.map((attempt) =>
            attempt.provenance === 'unknown' ? { ...attempt, billed: false } : attempt,
          ),
        },
        reservation,
        context,
      ),
  })),

  bug<typeof correct>('a correction is applied at each repetition', 'correct', (whole) => ({
    correctUsage: (command, account, context) => {
      account.reservations.get(command.reservationId)?.corrections?.clear();
      return whole.correctUsage(command, account, context);
    },
  })),

  bug<typeof decide>('decisions are made on the time of a reservation ago', 'decide', (whole) => ({
    decide: (command, account, context) =>
      whole.decide(command, account, {
        ...context,
        at: new Date(context.at.getTime() - 720_000),
      }),
  })),

  bug<typeof refund>('each refund may be of the whole charge', 'refund', (whole) => ({
    refundCharge: (command, account, context) => {
      const reservation = account.reservations.get(command.reservationId);
      if (reservation) reservation.refundedCredits = undefined;
      return whole.refundCharge(command, account, context);
    },
  })),

  bug<typeof refund>('what lapses of a refund is granted to nobody', 'refund', (whole) => ({
    refundCharge: (command, account, context) =>
      withEvents(whole.refundCharge(command, account, context), (event) =>
        event.type === 'CreditsGranted' ? undefined : event,
      ),
  })),

  bug<typeof chargeNet>('a correction does not know of refunds', 'charge-net', () => ({
    netCredits: (chargeCredits) => parseMoney(chargeCredits),
  })),

  bug<typeof adjust>('an adjustment books debt unasked', 'adjust', (whole) => ({
    adjustCredits: (command, account, context) =>
      whole.adjustCredits({ ...command, bookDebt: true }, account, context),
  })),

  bug<typeof evolveRefund>('an adjustment owes nothing', 'evolve-refund', (whole) => ({
    adjust: (account, data, meta) => {
      whole.adjust(account, { ...data, debt: undefined }, meta);
    },
  })),

  bug<typeof evolveGrants>(
    'what returns to a voided grant can be spent',
    'evolve-grants',
    (whole) => ({
      voidGrant: (account, data, meta) => {
        whole.voidGrant(account, data, meta);
        const grant = account.grantsById.get(data.grantId);
        if (!grant) return;
        grant.ended = false;
        account.grants.push(grant);
      },
    }),
  ),

  bug<typeof grant>('a grant expires before its time', 'grant', (whole) => ({
    expireGrant: (command, account, context) =>
      whole.expireGrant(command, account, { ...context, at: new Date(8.64e15) }),
  })),

  bug<typeof openAccount>('a frozen account may spend', 'open-account', () => ({
    isSpending: (command): command is never => command.commandId === '',
  })),

  bug<typeof evolveAccount>('the tier never changes', 'evolve-account', (whole) => ({
    changeTier: (account, _, meta) => {
      whole.remember(account, meta);
    },
  })),

  bug<typeof freeTier>('the free tier may call any model', 'free-tier', () => ({
    modelBeyondTier: () => undefined,
  })),

  bug<typeof ceilings>('a limit counts one reservation at a time', 'ceilings', (whole) => ({
    ceilingsOn: (account, purpose, context) =>
      whole.ceilingsOn(account, purpose, context).map((each) => ({ ...each, used: zero })),
  })),

  bug<typeof limitCounts>('a settle leaves the bound in the limit', 'limit-counts', () => ({
    countSettled: () => undefined,
  })),

  bug<typeof repeated>('what an operator repeats is carried out again', 'repeated', () => ({
    repeatedCommand: () => undefined,
  })),

  bug<typeof memory>('what memory does not hold never was', 'memory', () => ({
    mayBeForgotten: () => false,
  })),

  bug<typeof knownCommands>('an id may be taken for something else', 'known-commands', () => ({
    idTakenByAnother: () => undefined,
  })),

  bug<typeof release>('a release forgets that it released', 'release', (whole) => ({
    releaseReservation: (command, account, context) =>
      whole.releaseReservation({ ...command, commandId: '' }, account, context),
  })),

  bug<typeof snapshot>('a snapshot does not tell what is owed', 'snapshot', (whole) => ({
    fromSnapshot: (accountId, state) =>
      Object.assign(whole.fromSnapshot(accountId, state), { debtCredits: zero }),
  })),

  bug<typeof snapshot>(
    'a snapshot does not tell what limits have counted',
    'snapshot',
    (whole) => ({
      fromSnapshot: (accountId, state) => {
        const account = whole.fromSnapshot(accountId, state);
        for (const limit of account.limits.byId.values()) limit.periods.clear();
        return account;
      },
    }),
  ),

  bug<typeof recall>('a recalled reservation does not know what it drew', 'recall', (whole) => ({
    recallReservation: (account, reservationId, past) => {
      const isRecalled = whole.recallReservation(account, reservationId, past);
      const reservation = account.reservations.get(reservationId);
      if (reservation?.charged) reservation.charged = { ...reservation.charged, drawn: [] };
      return isRecalled;
    },
  })),

  bug<typeof recur>('the rollover cap takes nothing', 'recur', (whole) => ({
    postRecurringGrant: (command, account, context) =>
      withEvents(whole.postRecurringGrant(command, account, context), (event) =>
        event.type === 'GrantVoided' ? undefined : event,
      ),
  })),

  bug<typeof recurringRule>('a new rule brings the present month', 'recurring-rule', (whole) => ({
    duePeriod: (at, dayOfMonth, timeZone) =>
      previousMonth(whole.duePeriod(at, dayOfMonth, timeZone)),
  })),

  bug<typeof recurringRule>('a month begins in UTC', 'recurring-rule', (whole) => ({
    dueAt: (period, dayOfMonth) => whole.dueAt(period, dayOfMonth, 'UTC'),
  })),

  bug<typeof evolveGrants>('a rule that has ended goes on', 'evolve-grants', (whole) => ({
    setRecurringGrant: (account, data, meta) => {
      const nextAt = data.nextAt ?? '2026-01-01T00:00:00.000Z';
      whole.setRecurringGrant(account, { ...data, nextAt }, meta);
    },
  })),

  bug<typeof evolveWatch>('an alert is raised at each command', 'evolve-watch', (whole) => ({
    watchBalance: (account, watch) => {
      whole.watchBalance(account, watch);
      for (const threshold of watch.thresholds) {
        if (account.revision % 16 === 0) threshold.raised = false;
      }
    },
  })),

  bug<typeof evolveWatch>('an alert is raised once for ever', 'evolve-watch', () => ({
    watchBalance: (account, watch) => {
      watch.balanceCredits = balanceCredits(account, account.lastEventAtMs);
      watch.availableCredits = availableCredits(account, account.lastEventAtMs);
    },
  })),

  bug<typeof evolveWatch>('an alert is raised by a reservation', 'evolve-watch', () => ({
    watchBalance: (account, watch) => {
      const available = availableCredits(account, account.lastEventAtMs);
      watch.balanceCredits = available;
      watch.availableCredits = available;
      for (const threshold of watch.thresholds)
        threshold.raised &&= threshold.credits.gt(available);
    },
  })),

  bug<typeof evolveWatch>('a top-up has no cool-down', 'evolve-watch', (whole) => ({
    requestTopUp: (account, data, meta) => {
      whole.requestTopUp(account, data, meta);
      const topUps = account.watch?.topUps;
      if (topUps) topUps.lastAtMs -= 60_000;
    },
  })),

  bug<typeof evolveWatch>('the monthly cap counts nothing', 'evolve-watch', (whole) => ({
    requestTopUp: (account, data, meta) => {
      whole.requestTopUp(account, data, meta);
      const topUps = account.watch?.topUps;
      if (topUps) topUps.monthCredits = zero;
    },
  })),

  bug<typeof evolveGrants>('a top-up may be paid twice', 'evolve-grants', (whole) => ({
    addGrant: (account, data, meta) => {
      whole.addGrant(account, { ...data, topUpId: undefined }, meta);
    },
  })),

  bug<typeof settings>('a cap below one top-up is taken', 'settings', (whole) => ({
    setTopUpRule: (command, account) => {
      const { amountCredits } = command;
      const monthlyCapCredits = maxMoney(command.monthlyCapCredits, amountCredits);
      return whole.setTopUpRule({ ...command, monthlyCapCredits }, account);
    },
  })),

  bug<typeof limitsModule>('a soft limit never warns', 'limits', () => ({
    watchSoft: () => undefined,
  })),

  bug<typeof limitsModule>('a soft limit warns once a window', 'limits', (whole) => ({
    watchSoft: (limits, limit, period) => {
      const { warned } = period;
      whole.watchSoft(limits, limit, period);
      if (!warned) return;
      period.warned = true;
      limits.passed.delete(period);
    },
  })),

  bug<typeof limitCounts>('what is reserved passes a soft limit', 'limit-counts', (whole) => ({
    countReserved: (limits, data, occurredAt) => {
      const counted = whole.countReserved(limits, data, occurredAt);
      for (const { limitId, period: name } of counted ?? []) {
        const limit = limits.byId.get(limitId ?? '');
        const period = limit?.periods.get(name);
        if (!limit || !period) continue;
        period.charged = period.used;
        watchSoft(limits, limit, period);
      }
      return counted;
    },
  })),

  bug<typeof limitFacts>('a soft limit warns again', 'limit-facts', (whole) => ({
    evolveLimits: (limits, event, meta, revision) => {
      const wrong = whole.evolveLimits(limits, event, meta, revision);
      if (event.type !== 'LimitWarned') return wrong;
      const period = limits.byId.get(event.data.limitId)?.periods.get(event.data.period);
      if (period) period.warned = false;
      return wrong;
    },
  })),

  bug<typeof limitWindows>('an hour lasts a day', 'limit-windows', (whole) => ({
    periodOf: (window, occurredAt, localDate) =>
      whole.periodOf(window === 'hour' ? 'day' : window, occurredAt, localDate),
  })),

  bug<typeof limitCounts>('a call that nobody priced takes no tokens', 'limit-counts', (whole) => ({
    countSettled: (limits, counted, charge) => {
      whole.countSettled(limits, counted, charge, undefined);
    },
  })),

  {
    name: 'a minute is over after thirty seconds',
    module: '../application/sliding-minute.js',
    breakIt: ({ SlidingMinute }: typeof slidingMinute) => ({
      SlidingMinute: class extends SlidingMinute {
        override waitMs(atMs: number, needed: number, max: number): number {
          return Math.max(0, super.waitMs(atMs, needed, max) - 30_000);
        }
      },
    }),
  } satisfies PlantedBug,

  {
    name: 'rates are asked of nobody',
    module: '../application/rate-limits.js',
    breakIt: ({ RateLimits }: typeof rateLimits) => ({
      RateLimits: class extends RateLimits {
        override admit(...[command]: Parameters<rateLimits.RateLimits['admit']>) {
          return { command };
        }
      },
    }),
  } satisfies PlantedBug,

  {
    name: 'a call that may shrink is not fitted to a rate',
    module: '../application/rate-limits.js',
    breakIt: ({ RateLimits }: typeof rateLimits) => ({
      RateLimits: class extends RateLimits {
        override admit(...[command, account, atMs]: Parameters<rateLimits.RateLimits['admit']>) {
          if (command.type !== 'ReserveCompletion') return super.admit(command, account, atMs);
          const bounds = { ...command.bounds, outputMayShrink: false };
          const admission = super.admit({ ...command, bounds }, account, atMs);
          return 'refusal' in admission ? admission : { command };
        }
      },
    }),
  } satisfies PlantedBug,

  bug<typeof correct>(
    'a re-rating that changed nothing is carried out again',
    'correct',
    (whole) => ({
      correctUsage: (command, account, context) => {
        const { corrections } = account.reservations.get(command.reservationId) ?? {};
        if (corrections?.get(command.commandId)?.answer.changed === false) {
          corrections.delete(command.commandId);
        }
        return whole.correctUsage(command, account, context);
      },
    }),
  ),

  bug<typeof rerate>('a re-rating does not last', 'rerate', (whole) => ({
    withVersion: (...[quote, provider, model, version]) => {
      whole.withVersion(quote, provider, model, version);
      return { ...quote };
    },
  })),

  bug<typeof charge>(
    'a plain amount is settled by the policy of its settle',
    'charge',
    (whole) => ({
      chargeOf: (command, reservation, context) =>
        whole.chargeOf(command, { ...reservation, reservedAt: context.at.toISOString() }, context),
    }),
  ),

  bug<typeof excess>('what goes beyond a reservation is never waived', 'excess', () => ({
    withinReservation: (pricing) => pricing,
  })),

  bug<typeof reserve>('debt stops calls where it should not', 'reserve', (whole) => ({
    reserveCompletion: (command, account, context) =>
      whole.reserveCompletion(command, account, {
        ...context,
        rules: { ...context.rules, excessPolicy: 'charge-available-then-debt' },
      }),
  })),

  bug<typeof openAccount>('any reserve opens its account', 'open-account', (whole) => ({
    openingBySpending: (command, account, context) =>
      whole.openingBySpending(command, account, {
        ...context,
        rules: { ...context.rules, openOnReserve: true },
      }),
  })),

  bug<typeof openAccount>(
    'an account that a reserve opens is not free',
    'open-account',
    (whole) => ({
      accountAfter: (events, accountId, command, context) => {
        const account = whole.accountAfter(events, accountId, command, context);
        return Object.assign(account, { tier: 'pro' });
      },
    }),
  ),

  bug<typeof openAccount>('an account opens twice, with its grant', 'open-account', (whole) => ({
    openAccount: (command, account, context) => {
      const openedBy = account.openedBy?.commandHash === command.commandHash;
      const verdict = whole.openAccount(command, account, context);
      if (!openedBy || !account.accountId.startsWith('personal_')) return verdict;
      const again = whole.openAccount(command, { ...account, openedBy: undefined }, context);
      return withEvents(again, (event) =>
        event.type === 'CreditsGranted'
          ? { ...event, data: { ...event.data, grantId: `initial${String(account.revision)}` } }
          : undefined,
      );
    },
  })),

  bug<typeof snapshot>(
    'a snapshot does not tell which alerts were raised',
    'snapshot',
    (whole) => ({
      fromSnapshot: (accountId, state) => {
        const account = whole.fromSnapshot(accountId, state);
        for (const threshold of account.watch?.thresholds ?? []) threshold.raised = false;
        return account;
      },
    }),
  ),
];

export const isRare = ({ name }: PlantedBug): boolean => rare.has(name);
