import { scaled, unscaled } from './credit-units.js';
import { dayOf, monthOf, type ModelZone } from './model-calendar.js';
import type { ModelBodies, ModelPurpose, ModelUnit, ModelWindow } from './model-commands.js';
import type { ModelTier } from './model-prices.js';

/** What a spending counts for: parts of a credit and of a dollar, whole tokens and requests. */
export type Demand = Readonly<Record<ModelUnit, bigint>>;

export const nothingSpent: Demand = { credits: 0n, usd: 0n, tokens: 0n, requests: 0n };

/** Decimals that are counted. */
const places: Readonly<Record<ModelUnit, number>> = { credits: 4, usd: 8, tokens: 0, requests: 0 };

export interface Limit extends Readonly<ModelBodies['setLimit']> {
  /** Spendings before this one do not count. */
  readonly since: number;
  /** Told from one that was set again after it was removed. */
  readonly serial: number;
  /** Windows that are looked after, by name, and whether their passing was told. */
  readonly windows: Map<string, { warned: boolean }>;
}

/** Who spent, where; the user is named. */
export type Spender = ModelPurpose & { readonly userId: string };

/** What a reservation counts for: as reserved while it is open, then as charged. */
interface Spent {
  readonly place: number;
  readonly spender: Spender;
  readonly tier: ModelTier;
  readonly atMs: number;
  open: boolean;
  demand: Demand;
}

/** Budgets of a model's account. Nothing is kept up to date: what is used is added up whenever it is asked. */
export class ModelLimits {
  zone: ModelZone = 'UTC';
  private limits = new Map<string, Limit>();
  private spent = new Map<string, Spent>();
  private serials = 0;

  constructor(private readonly freeMonthUnits: bigint) {}

  clone(): ModelLimits {
    const copy = new ModelLimits(this.freeMonthUnits);
    copy.zone = this.zone;
    copy.serials = this.serials;
    copy.limits = new Map(
      [...this.limits].map(([id, each]) => {
        const windows = new Map([...each.windows].map(([name, { warned }]) => [name, { warned }]));
        return [id, { ...each, windows }];
      }),
    );
    copy.spent = new Map([...this.spent].map(([id, each]) => [id, { ...each }]));
    return copy;
  }

  digest(): string {
    if (this.limits.size === 0) return '';
    const limits = [...this.limits.values()].map(
      ({ limitId, amount, mode, since }) => `${limitId}${mode ?? ''}<${amount}@${String(since)}`,
    );
    return `${limits.join()};${[...this.spent.keys()].join()}`;
  }

  /** Why the limit cannot be set so, or undefined when it is. What turns into a rate, or back, is counted anew. */
  set(body: ModelBodies['setLimit']): 'invalid-request' | undefined {
    const isRate = body.mode === 'rate';
    if (scaled(body.amount, places[body.unit]) === undefined) return 'invalid-request';
    if (isRate && !(body.window === 'minute' && places[body.unit] === 0)) return 'invalid-request';
    const known = this.limits.get(body.limitId);
    if (known && budgetOf(known) !== budgetOf(body)) return 'invalid-request';
    if (known && (known.mode === 'rate') === isRate) {
      const { since, serial, windows } = known;
      this.limits.set(body.limitId, { ...body, since, serial, windows });
      return undefined;
    }
    // At the end of the list, as a new one.
    this.limits.delete(body.limitId);
    const since = this.spent.size;
    this.limits.set(body.limitId, { ...body, since, serial: this.serials++, windows: new Map() });
    return undefined;
  }

  /** False: there was none. */
  remove(limitId: string): boolean {
    return this.limits.delete(limitId);
  }

  reserve(id: string, spender: Spender, tier: ModelTier, demand: Demand, atMs: number): void {
    for (const limit of this.limits.values()) {
      if (limit.mode !== 'rate' && isOf(limit, spender)) this.lookAfter(limit, atMs);
    }
    this.spent.set(id, { place: this.spent.size, spender, tier, atMs, open: true, demand });
  }

  /** It has ended, or is charged otherwise: it counts for this now. */
  recount(reservationId: string, demand: Demand): void {
    const spent = this.spent.get(reservationId);
    if (!spent) return;
    spent.open = false;
    spent.demand = demand;
  }

  /** Why so much must not be spent now. */
  refusal(demand: Demand, spender: Spender, tier: ModelTier, atMs: number): string | undefined {
    if (tier === 'free') {
      const month = monthOf(dayOf(atMs, this.zone));
      const used = this.sum(
        'credits',
        (each) => each.tier === 'free' && monthOf(dayOf(each.atMs, this.zone)) === month,
      );
      if (demand.credits > 0n && used + demand.credits > this.freeMonthUnits) {
        return 'free-tier-budget';
      }
    }
    for (const limit of this.limits.values()) {
      if ((limit.mode ?? 'hard') !== 'hard' || !isOf(limit, spender)) continue;
      const asked = demand[limit.unit];
      const used = this.usedIn(limit, this.windowAt(limit.window, atMs));
      if (asked > 0n && used + asked > amountOf(limit)) return 'limit-reached';
    }
    return undefined;
  }

  /** Soft limits that what is charged has passed since the last question. */
  takeWarnings(): string[] {
    const warnings: string[] = [];
    for (const limit of this.limits.values()) {
      for (const [name, told] of limit.windows) {
        const charged = this.chargedIn(limit, name);
        if (charged <= amountOf(limit)) told.warned = false;
        if (charged <= amountOf(limit) || limit.mode !== 'soft' || told.warned) continue;
        told.warned = true;
        const shown = unscaled(charged, places[limit.unit]);
        warnings.push(`LimitWarned ${limit.limitId} ${name} ${shown} of ${limit.amount}`);
      }
    }
    return warnings;
  }

  /** Rates on a spending, the account's first, then the user's, the key's, the project's. */
  ratesOn(spender: Spender): Limit[] {
    const all = [...this.limits.values()].filter(
      (limit) => limit.mode === 'rate' && isOf(limit, spender),
    );
    return scopes.flatMap((scope) => all.filter((limit) => limit.scope.type === scope));
  }

  /** What of each limit is used in the present window, as on the wire; rates say nothing. */
  usedAt(atMs: number): Map<string, string | undefined> {
    return new Map(
      [...this.limits.values()].map((limit) => {
        const used = this.usedIn(limit, this.windowAt(limit.window, atMs));
        return [
          limit.limitId,
          limit.mode === 'rate' ? undefined : unscaled(used, places[limit.unit]),
        ];
      }),
    );
  }

  /** A window that is over and of which nothing is open is let go when the next one begins. */
  private lookAfter(limit: Limit, atMs: number): void {
    const name = this.windowAt(limit.window, atMs);
    if (limit.windows.has(name)) return;
    for (const old of limit.windows.keys()) {
      if (!this.countedIn(limit, old).some(({ open }) => open)) limit.windows.delete(old);
    }
    limit.windows.set(name, { warned: false });
  }

  private countedIn(limit: Limit, window: string): Spent[] {
    return [...this.spent.values()].filter(
      (each) =>
        each.place >= limit.since &&
        isOf(limit, each.spender) &&
        this.windowAt(limit.window, each.atMs) === window,
    );
  }

  private usedIn(limit: Limit, window: string): bigint {
    return this.countedIn(limit, window).reduce((sum, each) => sum + each.demand[limit.unit], 0n);
  }

  private chargedIn(limit: Limit, window: string): bigint {
    return this.countedIn(limit, window).reduce(
      (sum, each) => (each.open ? sum : sum + each.demand[limit.unit]),
      0n,
    );
  }

  private sum(unit: ModelUnit, counts: (spent: Spent) => boolean): bigint {
    let sum = 0n;
    for (const each of this.spent.values()) if (counts(each)) sum += each.demand[unit];
    return sum;
  }

  /** Minutes and hours are UTC's, days and months the account's. */
  private windowAt(window: ModelWindow, atMs: number): string {
    const utc = new Date(atMs).toISOString();
    switch (window) {
      case 'minute':
        return utc.slice(0, 16);
      case 'hour':
        return utc.slice(0, 13);
      case 'day':
        return dayOf(atMs, this.zone);
      case 'month':
        return monthOf(dayOf(atMs, this.zone));
      case 'total':
        return 'total';
    }
  }
}

const scopes = ['account', 'user', 'key', 'project'] as const;

const isOf = ({ scope }: Limit, spender: Spender): boolean => {
  switch (scope.type) {
    case 'account':
      return true;
    case 'user':
      return spender.userId === scope.id;
    case 'key':
      return spender.keyId === scope.id;
    case 'project':
      return spender.projectId === scope.id;
  }
};

/** Of what a limit is; that stays for ever. */
const budgetOf = ({ scope, window, unit }: ModelBodies['setLimit']): string =>
  [scope.type, scope.type === 'account' ? '' : scope.id, window, unit].join(' ');

/** In the parts of its unit. */
export const amountOf = ({ amount, unit }: ModelBodies['setLimit']): bigint =>
  scaled(amount, places[unit]) ?? 0n;
