import type { ChargedCall, SimulatedFigures, SimulationView } from '@tollkeeper/contracts';
import type { PriceBook } from '@tollkeeper/pricing';
import { NestedMap } from './nested-map.js';
import type { Proposal } from './proposal.js';
import { recharge, toScaledOnce } from './recharge.js';
import { fromProduct, fromScaled, one, shareOf, toScaled } from './scaled.js';

/** Revenue in 10⁻⁶⁰ US dollars, cost in 10⁻³⁰. */
interface Sums {
  usages: number;
  revenueBefore: bigint;
  revenueAfter: bigint;
  costBefore: bigint;
  costAfter: bigint;
}

/** Credits in 10⁻³⁰, US dollars in 10⁻⁶⁰. */
interface UserSums {
  usages: number;
  before: bigint;
  after: bigint;
  deltaUsd: bigint;
}

interface Outcome {
  readonly revenueBefore: bigint;
  readonly revenueAfter: bigint;
  readonly costBefore: bigint;
  readonly costAfter: bigint;
}

export type SimulatedUser = SimulationView['users'][number];

const noSums = (): Sums => ({
  usages: 0,
  revenueBefore: 0n,
  revenueAfter: 0n,
  costBefore: 0n,
  costAfter: 0n,
});

const addTo = (sums: Sums, outcome: Outcome): void => {
  sums.usages += 1;
  sums.revenueBefore += outcome.revenueBefore;
  sums.revenueAfter += outcome.revenueAfter;
  sums.costBefore += outcome.costBefore;
  sums.costAfter += outcome.costAfter;
};

const figuresOf = (revenue: bigint, cost: bigint): SimulatedFigures => {
  const margin = revenue - cost * one;
  const share = shareOf(margin, revenue);
  return {
    revenueUsd: fromProduct(revenue),
    costUsd: fromScaled(cost),
    marginUsd: fromProduct(margin),
    ...(share === undefined ? {} : { margin: share }),
  };
};

const changeOf = ({ usages, ...sums }: Sums) => ({
  usages,
  before: figuresOf(sums.revenueBefore, sums.costBefore),
  after: figuresOf(sums.revenueAfter, sums.costAfter),
});

const join = (sums: Sums, more: Sums): void => {
  sums.usages += more.usages;
  sums.revenueBefore += more.revenueBefore;
  sums.revenueAfter += more.revenueAfter;
  sums.costBefore += more.costBefore;
  sums.costAfter += more.costAfter;
};

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** The attempt that answered is the last one billed. */
const answeredBy = ({ attempts }: ChargedCall): readonly [provider: string, model: string] => {
  for (let place = attempts.length - 1; place >= 0; place -= 1) {
    const attempt = attempts[place];
    if (attempt?.billed) return [attempt.provider, attempt.model];
  }
  return ['', ''];
};

/**
 * Recorded calls under a proposal, added one by one in any order: the same calls give the same view, to the last digit.
 *
 * A call that the proposal does not touch stays as it was recorded, with whatever was waived or corrected. Refunds stay as they
 * are, and never exceed the new charge.
 */
export class Simulation {
  /** By provider, model and tier: every other sum is a sum of these. */
  readonly #sums = new NestedMap<Sums>();
  readonly #users = new Map<string, UserSums>();
  readonly #unpriced = new NestedMap<{ usages: number }>();
  #changed = 0;

  constructor(
    private readonly proposal: Proposal,
    private readonly book: Pick<PriceBook, 'policyAt'>,
  ) {}

  add(call: ChargedCall): void {
    const charge = toScaled(call.chargeCredits);
    const refunded = call.refundedCredits === '0' ? 0n : toScaled(call.refundedCredits);
    const costBefore = toScaled(call.vendorCostUsd);
    const before = charge - refunded;
    let after = before;
    let costAfter = costBefore;
    const again = recharge(call, this.proposal, this.book);
    if (again && 'unpriced' in again) {
      const { provider, model } = again.attempt;
      const counted = this.#unpriced.get([provider, model, again.unpriced], () => ({ usages: 0 }));
      counted.usages += 1;
    } else if (again) {
      costAfter = again.costUsd;
      after = again.chargeCredits > refunded ? again.chargeCredits - refunded : 0n;
    }
    if (after !== before) this.#changed += 1;
    const usdPerCredit = toScaledOnce(call.usdPerCredit);
    const outcome = {
      revenueBefore: before * usdPerCredit,
      revenueAfter: after * usdPerCredit,
      costBefore,
      costAfter,
    };
    const [provider, model] = answeredBy(call);
    addTo(this.#sums.get([provider, model, call.tier], noSums), outcome);
    this.#addUser(call.userId, before, after, outcome);
  }

  /** All of them, those whose charge changes most first. */
  users(): SimulatedUser[] {
    return [...this.#users]
      .filter(([, { before, after }]) => before !== after)
      .sort(([a, one_], [b, other]) => {
        const difference = magnitude(other.deltaUsd) - magnitude(one_.deltaUsd);
        if (difference !== 0n) return difference < 0n ? -1 : 1;
        return a < b ? -1 : 1;
      })
      .map(([userId, { usages, before, after, deltaUsd }]) => ({
        userId,
        usages,
        beforeCredits: fromScaled(before),
        afterCredits: fromScaled(after),
        deltaCredits: fromScaled(after - before),
        deltaUsd: fromProduct(deltaUsd),
      }));
  }

  figures(): Pick<
    SimulationView,
    'usages' | 'changed' | 'totals' | 'net' | 'byTier' | 'byProvider' | 'byModel' | 'unpriced'
  > {
    const totals = noSums();
    const tiers = new NestedMap<Sums>();
    const providers = new NestedMap<Sums>();
    const models = new NestedMap<Sums>();
    for (const [[provider = '', model = '', tier = ''], sums] of this.#sums.entries()) {
      join(totals, sums);
      join(tiers.get([tier], noSums), sums);
      join(providers.get([provider], noSums), sums);
      join(models.get([provider, model], noSums), sums);
    }
    const { usages, before, after } = changeOf(totals);
    const revenue = totals.revenueAfter - totals.revenueBefore;
    const cost = totals.costAfter - totals.costBefore;
    return {
      usages,
      changed: this.#changed,
      totals: { before, after },
      net: {
        revenueUsd: fromProduct(revenue),
        costUsd: fromScaled(cost),
        marginUsd: fromProduct(revenue - cost * one),
      },
      byTier: tiers.entries().map(([[tier = ''], sums]) => ({ tier, ...changeOf(sums) })),
      byProvider: providers
        .entries()
        .map(([[provider = ''], sums]) => ({ provider, ...changeOf(sums) })),
      byModel: models.entries().map(([[provider = '', model = ''], sums]) => {
        const share = shareOf(BigInt(sums.usages), BigInt(usages)) ?? '0';
        return { provider, model, share, ...changeOf(sums) };
      }),
      unpriced: this.#unpriced
        .entries()
        .map(([[provider = '', model = '', meter = ''], { usages: count }]) => ({
          provider,
          model,
          meter,
          usages: count,
        })),
    };
  }

  #addUser(userId: string, before: bigint, after: bigint, outcome: Outcome): void {
    let user = this.#users.get(userId);
    if (!user) {
      this.#users.set(userId, (user = { usages: 0, before: 0n, after: 0n, deltaUsd: 0n }));
    }
    user.usages += 1;
    user.before += before;
    user.after += after;
    user.deltaUsd += outcome.revenueAfter - outcome.revenueBefore;
  }
}
