import { decimalOf, unitsOf, type Units } from './credit-units.js';
import type { ModelBodies } from './model-commands.js';

interface TopUp {
  readonly month: string;
  readonly units: Units;
  readonly atMs: number;
}

/** A request that nobody has paid is not made again within a minute, however short the cool-down. */
const unpaidMs = 60_000;

/** Who wants to know when a model's account runs low: alerts, and the rule that asks for a top-up. */
export class ModelWatch {
  /** Thresholds, and whether they were raised and not passed upwards since. */
  private thresholds: { readonly units: Units; raised: boolean }[] = [];
  private rule: ModelBodies['topUpRule'] | undefined;
  private topUps: readonly TopUp[] = [];
  private unpaid: readonly string[] = [];

  clone(): ModelWatch {
    const copy = new ModelWatch();
    copy.thresholds = this.thresholds.map((each) => ({ ...each }));
    copy.rule = this.rule;
    copy.topUps = this.topUps;
    copy.unpaid = this.unpaid;
    return copy;
  }

  digest(): string {
    const thresholds = this.thresholds.map(
      ({ units, raised }) => `${units.toString()}${raised ? '!' : ''}`,
    );
    const asked = this.topUps.map(({ atMs }) => String(atMs));
    return [thresholds.join(), JSON.stringify(this.rule), asked.join(), this.unpaid.join()].join();
  }

  setAlerts({ thresholdsCredits }: ModelBodies['alerts']): void {
    const before = this.thresholds;
    const wanted = new Set(thresholdsCredits.map((each) => unitsOf(each) ?? 0n));
    this.thresholds = [...wanted].map((units) => ({
      units,
      raised: before.some((each) => each.raised && each.units === units),
    }));
  }

  /** False: its cap would never let it ask. */
  setTopUpRule(rule: ModelBodies['topUpRule']): boolean {
    if (part(rule.amountCredits) > part(rule.monthlyCapCredits)) return false;
    this.rule = rule;
    return true;
  }

  isUnpaid(topUpId: string): boolean {
    return this.unpaid.includes(topUpId);
  }

  paid(topUpId: string | undefined): void {
    this.unpaid = this.unpaid.filter((each) => each !== topUpId);
  }

  /** After each fact: what has come up again may be raised again. */
  see(balance: Units): void {
    for (const each of this.thresholds) if (balance >= each.units) each.raised = false;
  }

  /** What is to be told after a command has changed the account. */
  takeNotices(
    { balance, available }: { readonly balance: Units; readonly available: Units },
    atMs: number,
    month: string,
    frozen: boolean,
  ): string[] {
    const notices: string[] = [];
    for (const each of this.thresholds) {
      if (each.raised || balance >= each.units) continue;
      each.raised = true;
      const figures = `${decimalOf(balance)}, ${decimalOf(available)} available`;
      notices.push(`LowBalanceReached ${decimalOf(each.units)} at ${figures}`);
    }
    const { rule } = this;
    if (!rule || frozen || !this.isDue(rule, available, atMs, month)) return notices;
    const topUpId = `topup_${String(this.topUps.length + 1)}`;
    this.topUps = [...this.topUps, { month, units: part(rule.amountCredits), atMs }];
    this.unpaid = [...this.unpaid, topUpId];
    notices.push(
      `TopUpRequested ${topUpId} ${decimalOf(part(rule.amountCredits))} at ${decimalOf(available)}`,
    );
    return notices;
  }

  private isDue(
    rule: ModelBodies['topUpRule'],
    available: Units,
    atMs: number,
    month: string,
  ): boolean {
    if (!rule.enabled || available >= part(rule.thresholdCredits)) return false;
    const last = this.topUps.at(-1);
    const coolDownMs = rule.coolDownSeconds * 1000;
    const pauseMs = this.unpaid.length > 0 ? Math.max(coolDownMs, unpaidMs) : coolDownMs;
    if (last && atMs < last.atMs + pauseMs) return false;
    const asked = this.topUps.filter((each) => each.month === month);
    const sum = asked.reduce((all, { units }) => all + units, part(rule.amountCredits));
    return sum <= part(rule.monthlyCapCredits);
  }
}

const part = (decimal: string): Units => {
  const units = unitsOf(decimal);
  if (units === undefined) throw new Error('the model moves no finer amounts');
  return units;
};
