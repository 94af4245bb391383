import { least, unitsOf, type Units } from './credit-units.js';
import { dayOf, monthOf, type ModelZone } from './model-calendar.js';
import {
  textOf,
  type CommandOf,
  type ModelBodies,
  type ModelCommand,
  type ModelDueCommand,
  type ModelPurpose,
} from './model-commands.js';
import { ModelGrants, split, type Part } from './model-grants.js';
import { ModelLimits, nothingSpent, type Demand, type Spender } from './model-limits.js';
import {
  boundTokens,
  chargeable,
  isFree,
  quoteOf,
  requoted,
  usedBy,
  type ModelCall,
  type ModelPolicy,
  type ModelQuoted,
  type ModelTier,
} from './model-prices.js';
import { ModelRates } from './model-rates.js';
import { ModelRecurring } from './model-recurring.js';
import { ModelWatch } from './model-watch.js';

/** The reason of a refusal, or accepted with the figures that a caller reads. */
export interface ModelReply {
  readonly verdict: string;
  readonly reservedUnits?: Units;
  readonly outputTokens?: number;
  readonly chargeUnits?: Units;
  readonly debtUnits?: Units;
  readonly refundedUnits?: Units;
  readonly late?: boolean;
  /** Of a re-rating. */
  readonly changed?: boolean;
}

export interface ModelBalance {
  readonly balance: Units;
  readonly reserved: Units;
  readonly available: Units;
  readonly debt: Units;
}

/** What an operator decides for all accounts. */
export interface ModelRules {
  readonly excessPolicy: 'charge-available-then-debt' | 'deny-excess' | 'allow';
  /** What a user's personal account opens with. */
  readonly initialGrantUnits: Units;
  readonly openOnReserve: boolean;
  readonly freeMonthUnits: Units;
  /** When credits begin to be charged in hundredths alone. */
  readonly coarseFromMs: number;
}

const defaultRules: ModelRules = {
  excessPolicy: 'charge-available-then-debt',
  initialGrantUnits: 10_000_000n,
  openOnReserve: false,
  freeMonthUnits: 20_000_000n,
  coarseFromMs: Infinity,
};

interface Reservation {
  readonly body: string;
  readonly units: Units;
  /** As it counts in limits. */
  readonly demand: Demand;
  readonly outputTokens: number | undefined;
  readonly expiresAtMs: number;
  /** Of the credits, when it was made. */
  readonly policy: ModelPolicy;
  /** A re-rating replaces a version in it. */
  quoted: readonly ModelQuoted[] | undefined;
  /** What the vendor billed, as it is charged now. */
  usd: bigint | undefined;
  state: 'open' | 'ended';
  held: readonly Part[];
  /** Taken for good, in the order of drawing. */
  drawn: readonly Part[];
  chargeUnits: Units | undefined;
  refundedUnits: Units;
  releasedBy: string | undefined;
  settled: { readonly body: string; readonly reply: ModelReply } | undefined;
  readonly corrections: Map<string, { readonly body: string; readonly reply: ModelReply }>;
}

const accepted: ModelReply = { verdict: 'accepted' };
const refused = (verdict: string): ModelReply => ({ verdict });

/** Below it a shrunk output limit is of no use to anyone. */
const outputTokensMin = 16;

/** Life of the grant that makes up for what lapsed of a refund. */
const refundGrantMs = 30 * 86_400_000;

/**
 * One credit account as DESIGN.md describes it: whole numbers, no events, no code of the product. What the
 * service answers and what it holds must be what this says, after any sequence of commands.
 */
export class CreditModel {
  /** What consequences of commands were told to whoever follows the account, oldest first. */
  private told: readonly string[] = [];
  private opened: string | undefined;
  private owner = '';
  private zone: ModelZone = 'UTC';
  private tier: ModelTier = 'free';
  private frozen = false;
  private watch = new ModelWatch();
  private recurring = new ModelRecurring();
  private rates = new ModelRates();
  private grants = new ModelGrants();
  private limits: ModelLimits;
  /** What operators' commands asked for, by id; of grants too. */
  private done = new Map<string, { readonly body: string; readonly reply: ModelReply }>();
  private limitsDone = new Map<string, string>();
  /** What was asked for under each id that has changed something. */
  private ids = new Map<string, string>();
  private reservations = new Map<string, Reservation>();
  private debt: Units = 0n;
  /** What grants paid off debts, oldest first. */
  private repaid: readonly Part[] = [];
  private lastFactAtMs = 0;
  private changes = 0;

  private readonly rules: ModelRules;

  constructor(
    private readonly reservationTtlMs: number,
    private readonly accountId = 'acc_1',
    rules: Partial<ModelRules> = {},
  ) {
    this.rules = { ...defaultRules, ...rules };
    this.limits = new ModelLimits(this.rules.freeMonthUnits);
  }

  /** Carries a command out, or says why not; a command that was carried out gets its first reply again. */
  apply(command: ModelCommand | ModelDueCommand, nowMs: number): ModelReply {
    const before = this.changes;
    const atMs = Math.max(nowMs, this.lastFactAtMs);
    const reply = this.decide(command, { atMs, nowMs });
    if (this.changes === before) return reply;
    this.followUp(atMs);
    // Nobody sends what the service does by itself.
    if (command.verb !== 'open' && command.verb !== 'expireGrant') {
      this.ids.set(command.id, textOf(command));
    }
    return reply;
  }

  /** Low balances, wanted top-ups and passed soft limits since the last question. */
  takeTold(): readonly string[] {
    const { told } = this;
    this.told = [];
    return told;
  }

  /** What the account's owner kept in memory alone is gone. */
  loseMemory(): void {
    this.rates.lose();
  }

  private decide(
    command: ModelCommand | ModelDueCommand,
    /** The account's time, which never runs backwards, and the clock's. */
    { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number },
  ): ModelReply {
    if (command.verb === 'open') return this.open(command, atMs);
    const isSpending = command.verb === 'reserve' || command.verb === 'charge';
    if (this.opened === undefined) {
      return isSpending && this.mayOpenBy(command.body)
        ? this.openBySpending(command, atMs)
        : refused('unknown-account');
    }
    if (!isSpending || this.reservations.has(command.id)) return this.carryOut(command, atMs);
    const rates = this.limits.ratesOn(this.spenderOf(command.body));
    const limited = this.rates.refusal(rates, askedBy(command.body), nowMs);
    if (limited !== undefined) return refused(limited);
    const outputLeft =
      'bounds' in command.body
        ? this.rates.outputLeft(rates, command.body.bounds, nowMs)
        : undefined;
    const reply = this.carryOut(command, atMs, outputLeft);
    const taken = this.reservations.get(command.id);
    if (taken) this.rates.count(rates, taken.demand, nowMs);
    return reply;
  }

  /** What a change brings about by itself. */
  private followUp(atMs: number): void {
    this.payDebts(atMs);
    const balance = this.balanceAt(atMs);
    const month = monthOf(dayOf(atMs, this.zone));
    this.told = [
      ...this.told,
      ...this.watch.takeNotices(balance, atMs, month, this.frozen),
      ...this.limits.takeWarnings(),
    ];
  }

  private carryOut(
    command: Exclude<ModelCommand, { verb: 'open' }> | ModelDueCommand,
    atMs: number,
    outputLeft?: number,
  ): ModelReply {
    if (command.verb === 'release') {
      const { reservationId } = command.body;
      if (this.reservations.get(reservationId)?.releasedBy === command.id) return accepted;
    }
    const asked = this.ids.get(command.id) ?? this.done.get(command.id)?.body;
    if (command.verb !== 'expireGrant' && asked !== undefined && asked !== textOf(command)) {
      return refused('replay-mismatch');
    }
    switch (command.verb) {
      case 'grant':
        return this.once(command, () => this.grant(command, atMs));
      case 'reserve':
        return this.reserve(command, atMs, outputLeft);
      case 'charge':
        return this.charge(command, atMs);
      case 'settle':
        return this.settle(command, atMs);
      case 'release':
        return this.release(command, atMs);
      case 'correct':
        return this.correct(command, atMs);
      case 'rerate':
        return this.rerate(command, atMs);
      case 'refund':
        return this.once(command, () => this.refund(command, atMs));
      case 'adjust':
        return this.once(command, () => this.adjust(command, atMs));
      case 'void':
        return this.once(command, () => this.void(command, atMs));
      case 'tier':
        return this.once(command, () => {
          this.tier = command.body.tier;
          return this.changed(atMs);
        });
      case 'freeze':
      case 'unfreeze':
        return this.once(command, () => {
          this.frozen = command.verb === 'freeze';
          return this.changed(atMs);
        });
      case 'setLimit':
      case 'removeLimit':
        return this.limit(command, atMs);
      case 'recur':
        return this.once(command, () => this.recur(command, atMs));
      case 'alerts':
        return this.once(command, () => {
          this.watch.setAlerts(command.body);
          return this.changed(atMs);
        });
      case 'topUpRule':
        return this.once(command, () =>
          this.watch.setTopUpRule(command.body) ? this.changed(atMs) : refused('invalid-request'),
        );
      case 'expireGrant':
        return this.expire(command.body.grantId, atMs);
      case 'postRecurring':
        return this.once(command, () => this.postRecurring(command, atMs));
    }
  }

  /** An operator's command: what changed nothing is not remembered. */
  private once(command: ModelCommand | ModelDueCommand, carryOut: () => ModelReply): ModelReply {
    const body = textOf(command);
    const known = this.done.get(command.id);
    if (known) return known.body === body ? known.reply : refused('replay-mismatch');
    const before = this.changes;
    const reply = carryOut();
    if (this.changes > before) this.done.set(command.id, { body, reply });
    return reply;
  }

  balanceAt(nowMs: number): ModelBalance {
    const atMs = Math.max(nowMs, this.lastFactAtMs);
    const free = this.grants.free(atMs);
    let reserved = 0n;
    for (const each of this.reservations.values()) {
      if (each.state === 'open') reserved += each.units;
    }
    const available = free > this.debt ? free - this.debt : 0n;
    const debt = this.debt > free ? this.debt - free : 0n;
    return { balance: free + reserved - this.debt, reserved, available, debt };
  }

  /** As the books have it: credits that come into force pay at the next change. */
  get owedUnits(): Units {
    return this.debt;
  }

  /** What of each limit is used, by its id; undefined for a rate. */
  limitsAt(nowMs: number): ReadonlyMap<string, string | undefined> {
    return this.limits.usedAt(Math.max(nowMs, this.lastFactAtMs));
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  clone(): CreditModel {
    const copy = new CreditModel(this.reservationTtlMs, this.accountId, this.rules);
    copy.told = this.told;
    copy.opened = this.opened;
    copy.owner = this.owner;
    copy.zone = this.zone;
    copy.watch = this.watch.clone();
    copy.recurring = this.recurring.clone();
    copy.rates = this.rates.clone();
    copy.tier = this.tier;
    copy.frozen = this.frozen;
    copy.grants = this.grants.clone();
    copy.limits = this.limits.clone();
    copy.done = new Map(this.done);
    copy.limitsDone = new Map(this.limitsDone);
    copy.ids = new Map(this.ids);
    copy.reservations = new Map(
      [...this.reservations].map(([id, each]) => [
        id,
        { ...each, corrections: new Map(each.corrections) },
      ]),
    );
    copy.debt = this.debt;
    copy.repaid = this.repaid;
    copy.lastFactAtMs = this.lastFactAtMs;
    copy.changes = this.changes;
    return copy;
  }

  /** Equal for states that answer alike for ever. */
  digest(): string {
    const parts = (some: readonly Part[]): string =>
      some.map(({ grantId, units }) => `${grantId}*${units.toString()}`).join('+');
    const reservations = [...this.reservations]
      .map(
        ([id, each]) =>
          `${id}:${(each.quoted ?? []).map(({ priceVersion }) => priceVersion).join('+')}:${each.state}:${parts(each.held)}:${parts(each.drawn)}:${String(each.chargeUnits)}:${each.releasedBy ?? ''}:${each.settled?.body ?? ''}:${each.refundedUnits.toString()}:${[...each.corrections.keys()].join()}`,
      )
      .sort();
    const settings = `${this.tier}${this.frozen ? '!' : ''} ${[...this.done.keys(), ...this.limitsDone.keys(), ...this.ids.keys()].sort().join()}`;
    return [
      this.grants.digest(),
      reservations.join(),
      this.debt.toString(),
      parts(this.repaid),
      this.limits.digest(),
      this.watch.digest(),
      this.recurring.digest(),
      settings,
    ].join('|');
  }

  private open(command: CommandOf<'open'>, atMs: number): ModelReply {
    const { ownerUserId, tier, kind, timeZone = 'UTC' } = command.body;
    if (this.opened !== undefined) {
      return this.opened === textOf(command) ? accepted : refused('account-exists');
    }
    const isOwn = this.accountId === `personal_${ownerUserId}`;
    const isKept = this.accountId.startsWith('personal_');
    if (isKept && (!isOwn || kind === 'organization')) return refused('invalid-request');
    this.openAs(textOf(command), ownerUserId, tier, timeZone, atMs);
    return accepted;
  }

  /** A user's own account comes with the initial grant. */
  private openAs(
    body: string,
    owner: string,
    tier: ModelTier,
    zone: ModelZone,
    atMs: number,
  ): void {
    this.opened = body;
    this.owner = owner;
    this.tier = tier;
    this.zone = this.limits.zone = this.recurring.zone = zone;
    const left = this.rules.initialGrantUnits;
    if (this.accountId === `personal_${owner}` && left > 0n) {
      const when = { effectiveAtMs: atMs, expiresAtMs: Infinity };
      this.grants.add({ grantId: 'initial', priority: 100, ...when, left });
      this.done.set('initial', { body, reply: accepted });
    }
    this.changed(atMs);
  }

  private mayOpenBy({ userId }: ModelPurpose): boolean {
    const isOwn = userId !== undefined && this.accountId === `personal_${userId}`;
    return this.rules.openOnReserve && isOwn;
  }

  /** A spending that is refused opens nothing. */
  private openBySpending(command: CommandOf<'reserve' | 'charge'>, atMs: number): ModelReply {
    const before = { at: this.lastFactAtMs, changes: this.changes };
    this.openAs(textOf(command), command.body.userId ?? '', 'free', 'UTC', atMs);
    const reply = this.carryOut(command, atMs);
    if (reply.verdict === 'accepted') return reply;
    this.opened = undefined;
    this.grants = new ModelGrants();
    this.done.delete('initial');
    this.lastFactAtMs = before.at;
    this.changes = before.changes;
    return reply;
  }

  private grant({ id, body }: CommandOf<'grant'>, atMs: number): ModelReply {
    const { amountCredits, priority = 100, effectiveAt, expiresAt } = body;
    const effectiveAtMs = effectiveAt === undefined ? atMs : Date.parse(effectiveAt);
    const expiresAtMs = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
    if (expiresAtMs <= effectiveAtMs || this.recurring.keeps(id)) return refused('invalid-request');
    const { topUpId } = body;
    if (topUpId !== undefined && !this.watch.isUnpaid(topUpId)) return refused('invalid-request');
    const left = grantable(amountCredits);
    this.grants.add({ grantId: id, priority, effectiveAtMs, expiresAtMs, left });
    this.watch.paid(topUpId);
    return this.changed(atMs);
  }

  /** Up by a grant; down by what is available or, where that is asked for, by debt. */
  private adjust({ id, body }: CommandOf<'adjust'>, atMs: number): ModelReply {
    const units = grantable(body.amountCredits);
    if (units > 0n) {
      if (this.recurring.keeps(id)) return refused('invalid-request');
      const when = { effectiveAtMs: atMs, expiresAtMs: Infinity };
      this.grants.add({ grantId: id, priority: 100, ...when, left: units });
      return this.changed(atMs);
    }
    if (!body.bookDebt && -units > this.balanceAt(atMs).available) {
      return refused('insufficient-credits');
    }
    this.debt += this.grants.draw(-units, atMs).short;
    return this.changed(atMs);
  }

  private void({ body }: CommandOf<'void'>, atMs: number): ModelReply {
    const grant = this.grants.get(body.grantId);
    if (!grant) return refused('unknown-grant');
    if (grant.ended) return refused('grant-ended');
    this.grants.end(body.grantId);
    return this.changed(atMs);
  }

  private expire(grantId: string, atMs: number): ModelReply {
    const grant = this.grants.get(grantId);
    if (!grant) return refused('unknown-grant');
    if (atMs < grant.expiresAtMs) return refused('invalid-request');
    if (grant.ended) return accepted;
    this.grants.end(grantId);
    return this.changed(atMs);
  }

  private recur(command: CommandOf<'recur'>, atMs: number): ModelReply {
    this.recurring.set(command.body, this.grants, atMs, () => this.changed(atMs));
    this.ownPosted(command);
    return this.changed(atMs);
  }

  private postRecurring(
    command: Extract<ModelDueCommand, { verb: 'postRecurring' }>,
    atMs: number,
  ): ModelReply {
    const { recurringId } = command.body;
    if (!this.recurring.has(recurringId)) return refused('unknown-grant');
    if (!this.recurring.isDue(recurringId, atMs)) return refused('invalid-request');
    const posted = this.recurring.post(recurringId, this.grants, atMs, () => this.changed(atMs));
    if (posted === undefined) return refused('invalid-request');
    this.ownPosted(command);
    return accepted;
  }

  /** The id of a month's grant is its command's from now on. */
  private ownPosted(command: ModelCommand | ModelDueCommand): void {
    for (const grantId of this.grants.ids()) {
      if (!this.recurring.keeps(grantId) || this.done.has(grantId)) continue;
      this.done.set(grantId, { body: textOf(command), reply: accepted });
    }
  }

  private limit(command: CommandOf<'setLimit'> | CommandOf<'removeLimit'>, atMs: number) {
    const body = textOf(command);
    const known = this.limitsDone.get(command.id);
    if (known !== undefined) return known === body ? accepted : refused('replay-mismatch');
    if (command.verb === 'setLimit') {
      const misfit = this.limits.set(command.body);
      if (misfit) return refused(misfit);
    } else if (!this.limits.remove(command.body.limitId)) return refused('unknown-limit');
    this.limitsDone.set(command.id, body);
    return this.changed(atMs);
  }

  /** Gives back of a charge what is left of it; what lapses on the way is granted anew for thirty days. */
  private refund(command: CommandOf<'refund'>, atMs: number): ModelReply {
    const { reservationId, amountCredits } = command.body;
    const reservation = this.reservations.get(reservationId);
    if (reservation?.chargeUnits === undefined) return refused('unknown-reservation');
    const left = net(reservation);
    const units = amountCredits === undefined ? left : grantable(amountCredits);
    if (left === 0n || units > left) return refused('exceeds-charge');
    reservation.refundedUnits += units;
    const lapsed = this.giveBackCharged(reservation, units, atMs);
    const sums = new Map<string, Units>();
    for (const part of lapsed) {
      sums.set(part.grantId, (sums.get(part.grantId) ?? 0n) + part.units);
    }
    let place = 0;
    for (const [source, sum] of sums) {
      do place++;
      while (this.grants.get(`${command.id}_${String(place)}`));
      const grantId = `${command.id}_${String(place)}`;
      const priority = this.grants.get(source)?.priority ?? 100;
      const when = { effectiveAtMs: atMs, expiresAtMs: atMs + refundGrantMs };
      this.grants.add({ grantId, priority, ...when, left: sum });
      this.done.set(grantId, { body: textOf(command), reply: accepted });
    }
    this.changed(atMs);
    return { verdict: 'accepted', refundedUnits: units };
  }

  /** After each change: what is unreserved and in force pays what is owed, in draw order. */
  private payDebts(atMs: number): void {
    const { parts, short } = this.grants.draw(this.debt, atMs);
    this.debt = short;
    this.repaid = [...this.repaid, ...parts];
  }

  /** A call that may shrink takes no more output than its rates have left. */
  private reserve(
    command: CommandOf<'reserve'>,
    atMs: number,
    outputLeft: number | undefined,
  ): ModelReply {
    const again = this.reservedBefore(command);
    if (again) return again;
    if (this.frozen) return refused('account-frozen');
    const { body } = command;
    const isLess = outputLeft !== undefined && 'bounds' in body && body.bounds.outputMayShrink;
    const wanted = this.wanted(isLess ? withOutput(body, outputLeft) : body, atMs);
    if ('verdict' in wanted) return wanted;
    this.hold(command, wanted, atMs);
    return reservedReply(wanted);
  }

  private reservedBefore(command: CommandOf<'reserve' | 'charge'>): ModelReply | undefined {
    const known = this.reservations.get(command.id);
    if (!known) return undefined;
    if (known.body !== textOf(command)) return refused('replay-mismatch');
    return command.verb === 'charge' ? (known.settled?.reply ?? accepted) : reservedReply(known);
  }

  private wanted(
    body: ModelBodies['reserve'] | ModelBodies['charge'],
    atMs: number,
  ): Wanted | ModelReply {
    const { available } = this.balanceAt(atMs);
    const spender = this.spenderOf(body);
    const passed = (demand: Demand) => this.limits.refusal(demand, spender, this.tier, atMs);
    const policy = this.policyAt(atMs);
    if ('amountCredits' in body) {
      const units = chargeable(unitsOf(body.amountCredits), policy);
      if (units === undefined) return refused('amount-not-chargeable');
      if (this.isBlockedByDebt(available)) return refused('debt-outstanding');
      if (units > available) return refused('insufficient-credits');
      const demand = { ...nothingSpent, credits: units, requests: 1n };
      const reason = passed(demand);
      return reason === undefined
        ? { units, demand, policy, quoted: undefined, outputTokens: undefined }
        : refused(reason);
    }
    const asked = this.boundOf(body, body.bounds.outputTokens, policy);
    if (!asked) return refused('unknown-price');
    if (this.tier === 'free' && !body.candidates.every(isFree)) return refused('model-not-in-tier');
    if (this.isBlockedByDebt(available)) return refused('debt-outstanding');
    const fitting = this.greatestOf(
      body,
      policy,
      ({ units, demand }) => units <= available && passed(demand) === undefined,
    );
    if (fitting) return fitting;
    const reason = passed(asked.demand);
    const affordable = this.greatestOf(body, policy, ({ units }) => units <= available);
    return refused(reason !== undefined && affordable ? reason : 'insufficient-credits');
  }

  private boundOf(call: ModelCall, outputTokens: number, policy: ModelPolicy): Wanted | undefined {
    const quote = quoteOf(call, outputTokens, { tier: this.tier, policy });
    if (!quote) return undefined;
    const { units, quoted, cost } = quote;
    const tokens = boundTokens(call.bounds, outputTokens);
    return {
      units,
      policy,
      quoted,
      outputTokens,
      demand: { credits: units, usd: cost, tokens, requests: 1n },
    };
  }

  /** The call as it was asked for or, where it may shrink, with the greatest output that there is room for. */
  private greatestOf(
    call: ModelCall,
    policy: ModelPolicy,
    fits: (wanted: Wanted) => boolean,
  ): Wanted | undefined {
    const { outputTokens, outputMayShrink } = call.bounds;
    const asked = this.boundOf(call, outputTokens, policy);
    if (asked && fits(asked)) return asked;
    if (!outputMayShrink) return undefined;
    let covered: Wanted | undefined;
    let least = Math.min(outputTokensMin, outputTokens);
    for (let most = outputTokens - 1; least <= most;) {
      const middle = Math.floor((least + most) / 2);
      const bound = this.boundOf(call, middle, policy);
      if (bound && fits(bound)) {
        covered = bound;
        least = middle + 1;
      } else most = middle - 1;
    }
    return covered;
  }

  private spenderOf({ userId = this.owner, keyId, projectId }: ModelPurpose): Spender {
    return {
      userId,
      ...(keyId === undefined ? {} : { keyId }),
      ...(projectId === undefined ? {} : { projectId }),
    };
  }

  /** Debt that a grant which came into force since covers is about to be paid. */
  private isBlockedByDebt(available: Units): boolean {
    return this.debt > 0n && available === 0n && this.rules.excessPolicy !== 'allow';
  }

  private hold(
    command: CommandOf<'reserve' | 'charge'>,
    wanted: Wanted,
    atMs: number,
  ): Reservation {
    const { parts } = this.grants.draw(wanted.units, atMs);
    const reservation: Reservation = {
      body: textOf(command),
      ...wanted,
      usd: undefined,
      expiresAtMs: atMs + this.reservationTtlMs,
      state: 'open',
      held: parts,
      drawn: [],
      chargeUnits: undefined,
      refundedUnits: 0n,
      releasedBy: undefined,
      settled: undefined,
      corrections: new Map(),
    };
    this.reservations.set(command.id, reservation);
    const spender = this.spenderOf(command.body);
    this.limits.reserve(command.id, spender, this.tier, wanted.demand, atMs);
    this.changed(atMs);
    return reservation;
  }

  private charge(command: CommandOf<'charge'>, atMs: number): ModelReply {
    const again = this.reservedBefore(command);
    if (again) return again;
    if (this.frozen) return refused('account-frozen');
    const wanted = this.wanted(command.body, atMs);
    if ('verdict' in wanted) return wanted;
    const reservation = this.hold(command, wanted, atMs);
    const reply = { verdict: 'accepted', chargeUnits: wanted.units };
    reservation.drawn = reservation.held;
    this.end(reservation);
    this.limits.recount(command.id, wanted.demand);
    reservation.chargeUnits = wanted.units;
    reservation.settled = { body: textOf(command), reply };
    return reply;
  }

  private settle(command: CommandOf<'settle'>, atMs: number): ModelReply {
    const reservation = this.reservations.get(command.body.reservationId);
    if (!reservation) return refused('unknown-reservation');
    const body = textOf(command);
    if (reservation.settled) {
      return reservation.settled.body === body
        ? reservation.settled.reply
        : refused('replay-mismatch');
    }
    const used = usedIn(command.body, reservation);
    if (!used) return refused('invalid-request');
    const units = this.charged(used.credits, reservation);
    const late = reservation.state === 'ended';
    const held = split(reservation.held, units);
    const beyond = this.grants.draw(held.short, atMs);
    this.grants.giveBack(held.rest, atMs);
    this.debt += beyond.short;
    reservation.drawn = [...held.taken, ...beyond.parts];
    this.end(reservation);
    reservation.chargeUnits = units;
    reservation.usd = used.usd;
    this.limits.recount(command.body.reservationId, { ...used, credits: units });
    const reply: ModelReply = {
      verdict: 'accepted',
      chargeUnits: units,
      ...(beyond.short > 0n ? { debtUnits: beyond.short } : {}),
      ...(late ? { late } : {}),
    };
    reservation.settled = { body, reply };
    this.changed(atMs);
    return reply;
  }

  private release({ id, body }: CommandOf<'release'>, atMs: number): ModelReply {
    const reservation = this.reservations.get(body.reservationId);
    if (!reservation) return refused('unknown-reservation');
    if (reservation.chargeUnits !== undefined) return refused('reservation-closed');
    if (reservation.state === 'ended') return accepted;
    if (body.reason === 'expired' && atMs < reservation.expiresAtMs) {
      return refused('invalid-request');
    }
    this.grants.giveBack(reservation.held, atMs);
    reservation.releasedBy = id;
    this.end(reservation);
    this.limits.recount(body.reservationId, nothingSpent);
    return this.changed(atMs);
  }

  private correct(command: CommandOf<'correct'>, atMs: number): ModelReply {
    const reservation = this.reservations.get(command.body.reservationId);
    if (reservation?.chargeUnits === undefined) return refused('unknown-reservation');
    const body = textOf(command);
    const known = reservation.corrections.get(command.id);
    if (known) return known.body === body ? known.reply : refused('replay-mismatch');
    const used = usedIn(command.body, reservation);
    if (!used) return refused('invalid-request');
    const units = this.charged(used.credits, reservation);
    const before = net(reservation);
    reservation.chargeUnits = units;
    reservation.usd = used.usd;
    this.limits.recount(command.body.reservationId, { ...used, credits: units });
    const more = this.recharge(reservation, net(reservation) - before, atMs);
    const reply: ModelReply = {
      verdict: 'accepted',
      chargeUnits: units,
      ...(more > 0n ? { debtUnits: more } : {}),
      ...(reservation.settled?.reply.late ? { late: true } : {}),
    };
    reservation.corrections.set(command.id, { body, reply });
    this.changed(atMs);
    return reply;
  }

  /** What is priced so already is charged as it is, and remembered: its retry must not be taken for a new command. */
  private rerate(command: CommandOf<'rerate'>, atMs: number): ModelReply {
    const { reservationId, priceVersion, attempts } = command.body;
    const reservation = this.reservations.get(reservationId);
    if (reservation?.chargeUnits === undefined) return refused('unknown-reservation');
    const body = textOf(command);
    const known = reservation.corrections.get(command.id);
    if (known) return known.body === body ? known.reply : refused('replay-mismatch');
    const again = requoted(reservation.quoted, priceVersion, attempts);
    if (typeof again === 'string') return refused(again);
    if (usedIn({ attempts }, reservation)?.usd !== reservation.usd) {
      return refused('invalid-request');
    }
    const used = usedIn({ attempts }, { ...reservation, quoted: again });
    if (!used) return refused('invalid-request');
    const units = this.charged(used.credits, reservation);
    const before = net(reservation);
    const isOther = again.some(
      (each, place) => each.priceVersion !== reservation.quoted?.[place]?.priceVersion,
    );
    const changed = isOther || units !== reservation.chargeUnits;
    reservation.quoted = again;
    reservation.chargeUnits = units;
    reservation.usd = used.usd;
    this.limits.recount(reservationId, { ...used, credits: units });
    this.recharge(reservation, net(reservation) - before, atMs);
    const reply: ModelReply = { verdict: 'accepted', chargeUnits: units, changed };
    reservation.corrections.set(command.id, { body, reply });
    this.changed(atMs);
    return reply;
  }

  private policyAt(atMs: number): ModelPolicy {
    return atMs >= this.rules.coarseFromMs ? 'coarse' : 'fine';
  }

  /** Where the operator waives what goes beyond a reservation, no charge is more than it. */
  private charged(units: Units, reservation: Reservation): Units {
    return this.rules.excessPolicy === 'deny-excess' ? least(units, reservation.units) : units;
  }

  /** More is drawn or owed; less is given back. The new debt. */
  private recharge(reservation: Reservation, delta: Units, atMs: number): Units {
    if (delta < 0n) {
      this.giveBackCharged(reservation, -delta, atMs);
      return 0n;
    }
    const { parts, short } = this.grants.draw(delta, atMs);
    reservation.drawn = [...reservation.drawn, ...parts];
    this.debt += short;
    return short;
  }

  /** Debt is cancelled first, then it goes back to grants, last drawn first, then to those that repaid debts. What lapses. */
  private giveBackCharged(reservation: Reservation, units: Units, atMs: number): Part[] {
    const cancelled = least(units, this.debt);
    this.debt -= cancelled;
    const fromDrawn = split([...reservation.drawn].reverse(), units - cancelled);
    const fromRepaid = split([...this.repaid].reverse(), fromDrawn.short);
    const charged = split(fromDrawn.rest.reverse(), net(reservation));
    reservation.drawn = charged.taken;
    // Drawn for what is charged no more, and not given back: it has paid the debt that was cancelled.
    this.repaid = [...fromRepaid.rest.reverse(), ...charged.rest];
    return this.grants.giveBack([...fromDrawn.taken, ...fromRepaid.taken], atMs);
  }

  private end(reservation: Reservation): void {
    reservation.state = 'ended';
    reservation.held = [];
  }

  private changed(atMs: number): ModelReply {
    this.lastFactAtMs = atMs;
    this.changes++;
    this.watch.see(this.balanceAt(atMs).balance);
    return accepted;
  }
}

type Wanted = Pick<Reservation, 'units' | 'demand' | 'policy' | 'quoted' | 'outputTokens'>;

/** What is left of a charge after its refunds. */
const net = ({ chargeUnits = 0n, refundedUnits }: Reservation): Units =>
  chargeUnits > refundedUnits ? chargeUnits - refundedUnits : 0n;

const grantable = (decimal: string): Units => {
  const units = unitsOf(decimal);
  if (units === undefined) throw new Error('the model moves no finer amounts');
  return units;
};

const reservedReply = ({
  units,
  outputTokens,
}: Pick<Wanted, 'units' | 'outputTokens'>): ModelReply => ({
  verdict: 'accepted',
  reservedUnits: units,
  ...(outputTokens === undefined ? {} : { outputTokens }),
});

/** As it counts: what is charged may be less. Undefined where it does not fit what was reserved. */
const usedIn = (
  { amountCredits, attempts }: Pick<ModelBodies['settle'], 'amountCredits' | 'attempts'>,
  { quoted, demand, policy }: Reservation,
): Demand | undefined => {
  if (quoted) {
    if (!attempts) return undefined;
    const { units, cost, tokens } = usedBy(attempts, quoted, demand.tokens);
    return { credits: units, usd: cost, tokens, requests: 1n };
  }
  const wanted = amountCredits === undefined ? undefined : unitsOf(amountCredits);
  const units = chargeable(wanted, policy);
  return units === undefined ? undefined : { ...nothingSpent, credits: units, requests: 1n };
};

/** What a rate must have left for a spending that has not been priced yet: little output for one that may shrink. */
const askedBy = (body: ModelBodies['reserve'] | ModelBodies['charge']): Demand => {
  if (!('bounds' in body)) return { ...nothingSpent, requests: 1n };
  const { outputTokens, outputMayShrink } = body.bounds;
  const least = outputMayShrink ? Math.min(outputTokensMin, outputTokens) : outputTokens;
  return { ...nothingSpent, tokens: boundTokens(body.bounds, least), requests: 1n };
};

const withOutput = (call: ModelCall & ModelPurpose, most: number): ModelCall & ModelPurpose => ({
  ...call,
  bounds: { ...call.bounds, outputTokens: Math.min(call.bounds.outputTokens, most) },
});
