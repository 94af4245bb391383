import { parseMoney, unreachable, type Money } from '@tollkeeper/kernel';
import type { MultiplierLevel, MultiplierScope, PriceBookEvent } from '@tollkeeper/events';
import type { CreditValue } from './charge.js';
import { compilePriceVersion, type PriceVersion } from './price-version.js';
import { CorruptPriceBookError } from './rate.js';

export interface ModelName {
  readonly provider: string;
  /** The model's name or one of its aliases. */
  readonly model: string;
}

export interface MultiplierQuestion extends ModelName {
  readonly tier: string;
}

export interface AppliedMultiplier {
  readonly multiplier: Money;
  readonly ruleId: string;
  readonly level: MultiplierLevel;
}

export interface MultiplierRule extends AppliedMultiplier {
  readonly scope: MultiplierScope;
  readonly effectiveFromMs: number;
}

export interface CreditPolicy extends CreditValue {
  readonly id: string;
  readonly rounding: 'ceil';
  readonly effectiveFromMs: number;
}

type EventData<T extends PriceBookEvent['type']> = Extract<PriceBookEvent, { type: T }>['data'];

interface Dated {
  readonly effectiveFromMs: number;
}

/** Inserts by effective date; of two with the same date the later recorded comes last, and wins. */
const insertDated = <T extends Dated>(list: T[], item: T): void => {
  let place = list.length;
  while (place > 0 && (list[place - 1]?.effectiveFromMs ?? 0) > item.effectiveFromMs) place -= 1;
  list.splice(place, 0, item);
};

const latest = <T extends Dated>(
  list: readonly T[] | undefined,
  atMs: number,
  stands: (item: T) => boolean,
): T | undefined => {
  if (!list) return undefined;
  for (let place = list.length - 1; place >= 0; place -= 1) {
    const item = list[place];
    if (item && item.effectiveFromMs <= atMs && stands(item)) return item;
  }
  return undefined;
};

const listOf = <T>(map: Map<string, T[]>, key: string): T[] => {
  const known = map.get(key);
  if (known) return known;
  const made: T[] = [];
  map.set(key, made);
  return made;
};

const nameKey = (provider: string, model: string): string => `${provider}:${model}`;

/** Separated by a character that no name holds. */
const scopeKey = (provider: string, model: string, tier: string): string =>
  `${provider}\n${model}\n${tier}`;

/** The level of a scope's fields; a model's rule may name its provider. */
export const levelOf = (scope: MultiplierScope): MultiplierLevel | undefined => {
  const { provider, model, tier } = scope;
  if (tier !== undefined) {
    if (provider !== undefined && model !== undefined) return 'provider+model+tier';
    return provider === undefined && model === undefined ? 'tier' : undefined;
  }
  if (model !== undefined) return 'model';
  return provider === undefined ? 'default' : 'provider';
};

/**
 * The price book as a service holds it in memory: every version, rule and policy that was ever recorded.
 *
 * Fed with decoded events in the store's order; an event that was applied before changes nothing.
 * Amounts are parsed when they arrive, so that lookups cost about a microsecond.
 */
export class PriceBook {
  readonly #versions = new Map<string, PriceVersion>();
  readonly #versionsByName = new Map<string, PriceVersion[]>();
  readonly #versionsByAlias = new Map<string, PriceVersion[]>();
  readonly #withdrawnFromMs = new Map<string, number>();
  readonly #rules = new Map<string, MultiplierRule>();
  readonly #approved = new Set<string>();
  readonly #rulesByScope = new Map<string, MultiplierRule[]>();
  readonly #policies = new Map<string, CreditPolicy>();
  readonly #policiesByDate: CreditPolicy[] = [];
  readonly #settings = new Map<string, (Dated & { readonly value: string })[]>();

  /** Throws CorruptPriceBookError, or InvalidDecimalError, for what no writer of ours records. */
  apply(event: PriceBookEvent): void {
    switch (event.type) {
      case 'VendorPricePublished':
        this.#publish(event.data);
        return;
      case 'VendorPriceWithdrawn':
        this.#withdrawFrom(event.data.priceVersion, event.data.effectiveFrom);
        return;
      case 'MultiplierProposed':
        this.#propose(event.data);
        return;
      case 'MultiplierApproved':
        this.#approve(event.data);
        return;
      case 'MultiplierWithdrawn':
        this.#withdrawFrom(event.data.ruleId, event.data.effectiveFrom);
        return;
      case 'CreditPolicySet':
        this.#setPolicy(event.data);
        return;
      case 'SettingChanged':
        this.#set(event.data);
        return;
      case 'MultiplierRejected':
      case 'MultiplierWithdrawalProposed':
      case 'MultiplierWithdrawalRejected':
      case 'PriceAlertRaised':
      case 'PriceAlertAcknowledged':
      case 'PriceAlertApplied':
      case 'PriceAlertIgnored':
        return;
      default:
        unreachable(event);
    }
  }

  /** The version in force at a moment. Unknown (undefined) also where it was withdrawn: that is not free. */
  priceAt(name: ModelName, at: Date): PriceVersion | undefined {
    const key = nameKey(name.provider, name.model);
    const atMs = at.getTime();
    const own = this.#inForce(this.#versionsByName.get(key), atMs);
    if (own) return own;
    const aliased = this.#versionsByAlias.get(key);
    return aliased && latest(aliased, atMs, (version) => this.#isCurrent(version, atMs));
  }

  version(id: string): PriceVersion | undefined {
    return this.#versions.get(id);
  }

  /** The rule of the most specific level that has one; undefined before a default rule is known. */
  multiplierFor(question: MultiplierQuestion, at: Date): MultiplierRule | undefined {
    const { provider, model, tier } = question;
    const atMs = at.getTime();
    return (
      this.#ruleAt(scopeKey(provider, model, tier), atMs) ??
      this.#ruleAt(scopeKey(provider, model, ''), atMs) ??
      this.#ruleAt(scopeKey('', model, ''), atMs) ??
      this.#ruleAt(scopeKey(provider, '', ''), atMs) ??
      this.#ruleAt(scopeKey('', '', tier), atMs) ??
      this.#ruleAt(scopeKey('', '', ''), atMs)
    );
  }

  /** Any rule that was ever proposed, so that what a quote fixed can be looked up. */
  rule(ruleId: string): MultiplierRule | undefined {
    return this.#rules.get(ruleId);
  }

  policyAt(at: Date): CreditPolicy | undefined {
    return latest(this.#policiesByDate, at.getTime(), () => true);
  }

  policy(id: string): CreditPolicy | undefined {
    return this.#policies.get(id);
  }

  /** What admins have set; undefined where nobody has, so that the reader's own default holds. */
  settingAt(name: string, at: Date): string | undefined {
    return latest(this.#settings.get(name), at.getTime(), () => true)?.value;
  }

  /** The versions in force, one for each model that has a price. */
  modelsAt(at: Date): PriceVersion[] {
    const atMs = at.getTime();
    const models: PriceVersion[] = [];
    for (const versions of this.#versionsByName.values()) {
      const version = this.#inForce(versions, atMs);
      if (version) models.push(version);
    }
    return models;
  }

  #publish(data: EventData<'VendorPricePublished'>): void {
    if (this.#versions.has(data.priceVersion)) return;
    const version = compilePriceVersion(data);
    this.#versions.set(version.id, version);
    insertDated(listOf(this.#versionsByName, nameKey(version.provider, version.model)), version);
    for (const alias of version.aliases) {
      insertDated(listOf(this.#versionsByAlias, nameKey(version.provider, alias)), version);
    }
  }

  #set({ name, value, effectiveFrom }: EventData<'SettingChanged'>): void {
    insertDated(listOf(this.#settings, name), {
      value,
      effectiveFromMs: Date.parse(effectiveFrom),
    });
  }

  #withdrawFrom(id: string, effectiveFrom: string): void {
    const atMs = Date.parse(effectiveFrom);
    this.#withdrawnFromMs.set(id, Math.min(atMs, this.#withdrawnFromMs.get(id) ?? Infinity));
  }

  #propose(data: EventData<'MultiplierProposed'>): void {
    if (this.#rules.has(data.ruleId)) return;
    const level = levelOf(data.scope);
    if (!level) throw new CorruptPriceBookError(`rule ${data.ruleId} has a scope of no level`);
    this.#rules.set(data.ruleId, {
      ruleId: data.ruleId,
      scope: data.scope,
      level,
      multiplier: parseMoney(data.multiplier),
      effectiveFromMs: Date.parse(data.effectiveFrom),
    });
  }

  #approve({ ruleId, effectiveFrom }: EventData<'MultiplierApproved'>): void {
    if (this.#approved.has(ruleId)) return;
    const proposed = this.#rules.get(ruleId);
    if (!proposed) {
      throw new CorruptPriceBookError(`rule ${ruleId} was approved but never proposed`);
    }
    const rule =
      effectiveFrom === undefined
        ? proposed
        : { ...proposed, effectiveFromMs: Date.parse(effectiveFrom) };
    const { provider = '', model = '', tier = '' } = rule.scope;
    this.#rules.set(ruleId, rule);
    this.#approved.add(ruleId);
    insertDated(listOf(this.#rulesByScope, scopeKey(provider, model, tier)), rule);
  }

  #setPolicy(data: EventData<'CreditPolicySet'>): void {
    if (this.#policies.has(data.policyId)) return;
    const usdPerCredit = parseMoney(data.usdPerCredit);
    if (usdPerCredit.lte(0)) {
      throw new CorruptPriceBookError(`policy ${data.policyId} gives a credit no value`);
    }
    const policy: CreditPolicy = {
      id: data.policyId,
      usdPerCredit,
      decimals: data.decimals,
      rounding: data.rounding,
      effectiveFromMs: Date.parse(data.effectiveFrom),
    };
    this.#policies.set(policy.id, policy);
    insertDated(this.#policiesByDate, policy);
  }

  /**
   * The latest version whose time has come. Withdrawn while in force, it leaves the price unknown
   * until a later version begins; withdrawn before it began, it never was.
   */
  #inForce(versions: readonly PriceVersion[] | undefined, atMs: number): PriceVersion | undefined {
    const version = latest(
      versions,
      atMs,
      ({ id, effectiveFromMs, effectiveToMs }) =>
        effectiveToMs > atMs && this.#endMs(id) > effectiveFromMs,
    );
    return version && this.#endMs(version.id) > atMs ? version : undefined;
  }

  #isCurrent(version: PriceVersion, atMs: number): boolean {
    const siblings = this.#versionsByName.get(nameKey(version.provider, version.model));
    return this.#inForce(siblings, atMs) === version;
  }

  #ruleAt(key: string, atMs: number): MultiplierRule | undefined {
    return latest(this.#rulesByScope.get(key), atMs, ({ ruleId }) => this.#endMs(ruleId) > atMs);
  }

  #endMs(id: string): number {
    return this.#withdrawnFromMs.get(id) ?? Infinity;
  }
}
