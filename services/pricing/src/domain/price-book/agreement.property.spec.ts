import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MultiplierScope, PriceBookEvent } from '@tollkeeper/events';
import { PriceBook } from '@tollkeeper/pricing';
import { decideProposal } from '../multiplier/decide-proposal.js';
import { proposeMultiplier } from '../multiplier/propose.js';
import { evolveMultipliers, noMultipliers, ruleInForce } from '../multiplier/state.js';
import { proposeWithdrawal } from '../multiplier/withdraw.js';
import { publishPrice, withdrawPrice } from '../vendor-price/publish.js';
import { evolvePrices, noPrices, versionInForce } from '../vendor-price/state.js';
import { contextOf, leadMs, noon, recorded } from './decision.fixture.js';
import { isRefusal, type Verdict } from './verdict.js';

const secondsOf = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const actors = fc.constantFrom('alice', 'bob', 'carol');
const scope: MultiplierScope = { tier: 'pro' };
/** So that decisions, dates and withdrawals of different changes fall together and apart. */
const within = 300;

interface Step {
  readonly actor: string;
  /** Since the step before. */
  readonly afterSeconds: number;
  /** When it is to hold, since noon; undefined: as soon as it may. */
  readonly fromSeconds: number | undefined;
  readonly kind: 'propose' | 'approve' | 'reject' | 'withdraw';
  readonly multiplier: string;
  /** Which of the rules or withdrawals that there are. */
  readonly which: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  actor: actors,
  afterSeconds: secondsOf(30),
  fromSeconds: fc.option(secondsOf(within), { nil: undefined }),
  kind: fc.constantFrom('propose', 'approve', 'approve', 'reject', 'withdraw'),
  multiplier: fc.constantFrom('1.5', '1.55', '1.6', '2', '3'),
  which: fc.nat({ max: 5 }),
});

const dateOf = (seconds: number): Date => new Date(noon.getTime() + seconds * 1000);

/** Every second of the story and a while after it. */
const moments = Array.from({ length: within + 200 }, (_, seconds) => dateOf(seconds));

const idsOf = ({ rules }: typeof noMultipliers): string[] =>
  rules.flatMap((rule) => [
    rule.ruleId,
    ...rule.withdrawals.map(({ withdrawalId }) => withdrawalId),
  ]);

const decideStep = (
  state: typeof noMultipliers,
  each: Step,
  at: Date,
  autoMax: string,
): Verdict => {
  const context = contextOf(each.actor, { auto_approve_change_max: autoMax }, { at });
  const effectiveFrom =
    each.fromSeconds === undefined ? undefined : dateOf(each.fromSeconds).toISOString();
  const { multiplier } = each;
  const ids = idsOf(state);
  const id = ids[each.which % Math.max(ids.length, 1)] ?? 'none';
  switch (each.kind) {
    case 'propose':
      return proposeMultiplier(state, { scope, multiplier, effectiveFrom, reason: 'r' }, context);
    case 'withdraw':
      return proposeWithdrawal(state, { ruleId: id, effectiveFrom, reason: 'r' }, context);
    default:
      return decideProposal(state, { proposalId: id, decision: each.kind, reason: 'r' }, context);
  }
};

const isDue = (event: PriceBookEvent, at: Date): boolean =>
  !('effectiveFrom' in event.data) ||
  event.data.effectiveFrom === undefined ||
  Date.parse(event.data.effectiveFrom) >= at.getTime() + leadMs;

test('whatever admins do, a multiplier was decided by two, holds no sooner than the lead time, and is what replicas charge by', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom('0', '0.05'),
      (steps, autoMax) => {
        let state = noMultipliers;
        const book = new PriceBook();
        let seconds = 0;
        for (const each of steps) {
          seconds += each.afterSeconds;
          const at = dateOf(seconds);
          const verdict = decideStep(state, each, at, autoMax);
          if (isRefusal(verdict)) continue;
          for (const event of verdict) {
            expect(isDue(event, at)).toBe(true);
            const stored = recorded(event, each.actor, at.toISOString());
            state = evolveMultipliers(state, stored);
            book.apply(stored);
          }
        }
        for (const rule of state.rules) {
          if (rule.status === 'proposed' || rule.automatic) continue;
          expect(rule.decidedBy).not.toBe(rule.proposedBy);
          for (const withdrawal of rule.withdrawals) {
            expect(withdrawal.decidedBy).not.toBe(withdrawal.proposedBy);
          }
        }
        const question = { provider: 'x', model: 'y', tier: 'pro' };
        expect(moments.map((at) => ruleInForce(state, at)?.ruleId)).toEqual(
          moments.map((at) => book.multiplierFor(question, at)?.ruleId),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('whatever admins publish and withdraw, the version that is shown in force is the one that replicas charge by', () => {
  const change = fc.record({
    afterSeconds: secondsOf(30),
    fromSeconds: fc.option(fc.integer({ min: -100, max: within }), { nil: undefined }),
    lastsSeconds: fc.option(fc.integer({ min: 61, max: 200 }), { nil: undefined }),
    withdraw: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 15 }), (changes) => {
      let state = noPrices;
      const book = new PriceBook();
      let seconds = 0;
      for (const { afterSeconds, fromSeconds, lastsSeconds, withdraw } of changes) {
        seconds += afterSeconds;
        const at = dateOf(seconds);
        const context = contextOf('alice', {}, { at });
        const effectiveFrom =
          fromSeconds === undefined ? undefined : dateOf(fromSeconds).toISOString();
        const effectiveTo =
          lastsSeconds === undefined
            ? undefined
            : dateOf(Math.max(fromSeconds ?? 0, seconds) + lastsSeconds).toISOString();
        const offer = {
          provider: 'acme',
          model: 'one',
          currency: 'USD',
          rates: [{ meter: 'input', unit: 'token', per: '1000000', rate: '1' }],
          source: { name: 'spec' },
          effectiveFrom,
          effectiveTo,
        };
        const priceVersion = `acme:one@${String(withdraw)}`;
        const verdict =
          withdraw === undefined
            ? publishPrice(state, offer, 'r', context)
            : withdrawPrice(state, { priceVersion, effectiveFrom, reason: 'r' }, context);
        if (isRefusal(verdict)) continue;
        for (const event of verdict) {
          const stored = recorded(event, 'alice', at.toISOString());
          state = evolvePrices(state, stored);
          book.apply(stored);
        }
      }
      const name = { provider: 'acme', model: 'one' };
      expect(moments.map((at) => versionInForce(state, at)?.price.priceVersion)).toEqual(
        moments.map((at) => book.priceAt(name, at)?.id),
      );
    }),
    { numRuns: 200 },
  );
});
