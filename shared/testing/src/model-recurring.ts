import { unitsOf, type Units } from './credit-units.js';
import { monthAfter, monthBegun, startOf, type ModelZone } from './model-calendar.js';
import type { ModelBodies } from './model-commands.js';
import type { ModelGrants } from './model-grants.js';

interface Rule {
  readonly body: ModelBodies['recur'];
  /** Undefined once it has ended. */
  readonly nextAtMs: number | undefined;
}

/** Credits of a model's account that come anew each month. */
export class ModelRecurring {
  zone: ModelZone = 'UTC';
  private rules = new Map<string, Rule>();

  clone(): ModelRecurring {
    const copy = new ModelRecurring();
    copy.zone = this.zone;
    copy.rules = new Map(this.rules);
    return copy;
  }

  digest(): string {
    return JSON.stringify([...this.rules]);
  }

  has(recurringId: string): boolean {
    return this.rules.has(recurringId);
  }

  /** An id that a month's grant will have is nobody else's. */
  keeps(grantId: string): boolean {
    const [, recurringId] = /^(.*)_\d{4}-\d{2}$/.exec(grantId) ?? [];
    return recurringId !== undefined && this.rules.has(recurringId);
  }

  isDue(recurringId: string, atMs: number): boolean {
    const nextAtMs = this.rules.get(recurringId)?.nextAtMs;
    return nextAtMs !== undefined && nextAtMs <= atMs;
  }

  /** What is due comes first; a month that has come does not come again by another day. */
  set(body: ModelBodies['recur'], grants: ModelGrants, atMs: number, onFact: () => void): void {
    const { recurringId, dayOfMonth = 1 } = body;
    if (this.isDue(recurringId, atMs)) this.post(recurringId, grants, atMs, onFact);
    const next = this.firstLeft(body, monthAfter(monthBegun(atMs, dayOfMonth, this.zone)), grants);
    const ends = (unitsOf(body.amountCredits) ?? 0n) === 0n;
    const nextAtMs = ends ? undefined : startOf(next, dayOfMonth, this.zone);
    this.rules.set(recurringId, { body, nextAtMs });
  }

  /**
   * Grants the present month's, after the cap has taken the oldest of what earlier months have left. The grant's id, or undefined
   * when it has been granted before.
   */
  post(
    recurringId: string,
    grants: ModelGrants,
    atMs: number,
    onFact: () => void,
  ): string | undefined {
    const rule = this.rules.get(recurringId);
    if (!rule) throw new Error(`no rule ${recurringId}`);
    const { amountCredits, priority = 100, dayOfMonth = 1, rolloverCapCredits } = rule.body;
    const month = monthBegun(atMs, dayOfMonth, this.zone);
    const grantId = `${recurringId}_${month}`;
    if (grants.get(grantId)) return undefined;
    if (rolloverCapCredits !== undefined) {
      grants.keepOf(recurringId, unitsOf(rolloverCapCredits) ?? 0n, onFact);
    }
    const left: Units = unitsOf(amountCredits) ?? 0n;
    const effectiveAtMs = startOf(month, dayOfMonth, this.zone);
    grants.add({ grantId, priority, effectiveAtMs, expiresAtMs: Infinity, left, recurringId });
    onFact();
    const next = this.firstLeft(rule.body, monthAfter(month), grants);
    this.rules.set(recurringId, { ...rule, nextAtMs: startOf(next, dayOfMonth, this.zone) });
    return grantId;
  }

  /** The first month from there on that has not been granted. */
  private firstLeft({ recurringId }: Rule['body'], from: string, grants: ModelGrants): string {
    let month = from;
    while (grants.get(`${recurringId}_${month}`)) month = monthAfter(month);
    return month;
  }
}
