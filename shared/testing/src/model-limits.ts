import { least, unitsOf, type Units } from './credit-units.js';
import type { ModelBodies } from './model-commands.js';
import type { ModelTier } from './model-prices.js';

type LimitBody = ModelBodies['setLimit'];

interface Limit extends LimitBody {
  /** Spendings before this one do not count. */
  readonly since: number;
}

/** What a reservation counts for: as reserved while it is open, then as charged. */
interface Spent {
  readonly place: number;
  readonly keyId: string | undefined;
  readonly tier: ModelTier;
  /** Of UTC, where the model's account is. */
  readonly day: string;
  units: Units;
}

/** Budgets of a model's account. Nothing is kept up to date: what is used is added up whenever it is asked. */
export class ModelLimits {
  private limits = new Map<string, Limit>();
  private spent = new Map<string, Spent>();

  constructor(private readonly freeMonthUnits: Units) {}

  clone(): ModelLimits {
    const copy = new ModelLimits(this.freeMonthUnits);
    copy.limits = new Map(this.limits);
    copy.spent = new Map([...this.spent].map(([id, each]) => [id, { ...each }]));
    return copy;
  }

  digest(): string {
    if (this.limits.size === 0) return '';
    const limits = [...this.limits.values()].map(
      ({ limitId, amount, since }) => `${limitId}<${amount}@${String(since)}`,
    );
    return `${limits.join()};${[...this.spent.keys()].join()}`;
  }

  set(body: LimitBody): void {
    const since = this.limits.get(body.limitId)?.since ?? this.spent.size;
    this.limits.set(body.limitId, { ...body, since });
  }

  /** False: there was none. */
  remove(limitId: string): boolean {
    return this.limits.delete(limitId);
  }

  reserve(
    reservationId: string,
    keyId: string | undefined,
    tier: ModelTier,
    units: Units,
    atMs: number,
  ): void {
    const day = dayOf(atMs);
    this.spent.set(reservationId, { place: this.spent.size, keyId, tier, day, units });
  }

  /** It counts for this now. */
  recount(reservationId: string, units: Units): void {
    const spent = this.spent.get(reservationId);
    if (spent) spent.units = units;
  }

  /** The least that any budget leaves, below zero where one was passed; undefined without one. */
  left(keyId: string | undefined, tier: ModelTier, atMs: number): Units | undefined {
    let all: Units | undefined;
    for (const { left } of this.budgets(keyId, tier, atMs)) {
      all = all === undefined ? left : least(all, left);
    }
    return all;
  }

  /** Why so much must not be spent now. */
  refusal(
    units: Units,
    keyId: string | undefined,
    tier: ModelTier,
    atMs: number,
  ): string | undefined {
    return this.budgets(keyId, tier, atMs).find(({ left }) => units > left)?.reason;
  }

  private budgets(
    keyId: string | undefined,
    tier: ModelTier,
    atMs: number,
  ): { readonly reason: string; readonly left: Units }[] {
    const day = dayOf(atMs);
    const budgets: { readonly reason: string; readonly left: Units }[] = [];
    if (tier === 'free') {
      const used = this.sum((each) => each.tier === 'free' && monthOf(each.day) === monthOf(day));
      budgets.push({ reason: 'free-tier-budget', left: this.freeMonthUnits - used });
    }
    for (const { scope, window, amount, since } of this.limits.values()) {
      if (scope.id !== keyId) continue;
      const used = this.sum(
        (each) =>
          each.keyId === keyId &&
          each.place >= since &&
          (window === 'day' ? each.day === day : monthOf(each.day) === monthOf(day)),
      );
      budgets.push({ reason: 'limit-reached', left: (unitsOf(amount) ?? 0n) - used });
    }
    return budgets;
  }

  private sum(counts: (spent: Spent) => boolean): Units {
    let sum = 0n;
    for (const each of this.spent.values()) if (counts(each)) sum += each.units;
    return sum;
  }
}

const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
const monthOf = (day: string): string => day.slice(0, 7);
