import { least, unitsOf, type Units } from './credit-units.js';
import {
  textOf,
  type CommandOf,
  type ModelBodies,
  type ModelCommand,
  type ModelExpiry,
} from './model-commands.js';
import { ModelGrants, split, type Part } from './model-grants.js';
import { ModelLimits } from './model-limits.js';
import {
  type ModelTier,
  isFree,
  quoteOf,
  usageUnits,
  type ModelCall,
  type ModelQuoted,
} from './model-prices.js';

/** The reason of a refusal, or accepted with the figures that a caller reads. */
export interface ModelReply {
  readonly verdict: string;
  readonly reservedUnits?: Units;
  readonly outputTokens?: number;
  readonly chargeUnits?: Units;
  readonly debtUnits?: Units;
  readonly refundedUnits?: Units;
  readonly late?: boolean;
}

export interface ModelBalance {
  readonly balance: Units;
  readonly reserved: Units;
  readonly available: Units;
  readonly debt: Units;
}

interface Reservation {
  readonly body: string;
  readonly units: Units;
  readonly outputTokens: number | undefined;
  readonly expiresAtMs: number;
  readonly quoted: readonly ModelQuoted[] | undefined;
  state: 'open' | 'ended';
  held: readonly Part[];
  /** Taken for good, in the order of drawing. */
  drawn: readonly Part[];
  chargeUnits: Units | undefined;
  refundedUnits: Units;
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
  private opened: string | undefined;
  private tier: ModelTier = 'free';
  private frozen = false;
  private grants = new ModelGrants();
  private limits: ModelLimits;
  /** What operators' commands asked for, by id; of grants too. */
  private done = new Map<string, { readonly body: string; readonly reply: ModelReply }>();
  private limitsDone = new Map<string, string>();
  private reservations = new Map<string, Reservation>();
  private debt: Units = 0n;
  /** What grants paid off debts, oldest first. */
  private repaid: readonly Part[] = [];
  private lastFactAtMs = 0;
  private changes = 0;

  constructor(
    private readonly reservationTtlMs: number,
    private readonly freeMonthUnits: Units = 20_000_000n,
  ) {
    this.limits = new ModelLimits(freeMonthUnits);
  }

  /** Carries a command out, or says why not; a command that was carried out gets its first reply again. */
  apply(command: ModelCommand | ModelExpiry, nowMs: number): ModelReply {
    if (command.verb === 'open') return this.open(command, nowMs);
    if (this.opened === undefined) return refused('unknown-account');
    const atMs = Math.max(nowMs, this.lastFactAtMs);
    const before = this.changes;
    const reply = this.carryOut(command, atMs);
    if (this.changes > before) this.payDebts(atMs);
    return reply;
  }

  private carryOut(
    command: Exclude<ModelCommand, { verb: 'open' }> | ModelExpiry,
    atMs: number,
  ): ModelReply {
    switch (command.verb) {
      case 'grant':
        return this.once(command, () => this.grant(command, atMs));
      case 'reserve':
        return this.reserve(command, atMs);
      case 'charge':
        return this.charge(command, atMs);
      case 'settle':
        return this.settle(command, atMs);
      case 'release':
        return this.release(command, atMs);
      case 'correct':
        return this.correct(command, atMs);
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
      case 'expireGrant':
        return this.expire(command, atMs);
    }
  }

  /** An operator's command: what changed nothing is not remembered. */
  private once(command: ModelCommand, carryOut: () => ModelReply): ModelReply {
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
    return { balance: free + reserved - this.debt, reserved, available, debt: this.debt };
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  clone(): CreditModel {
    const copy = new CreditModel(this.reservationTtlMs, this.freeMonthUnits);
    copy.opened = this.opened;
    copy.tier = this.tier;
    copy.frozen = this.frozen;
    copy.grants = this.grants.clone();
    copy.limits = this.limits.clone();
    copy.done = new Map(this.done);
    copy.limitsDone = new Map(this.limitsDone);
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
          `${id}:${each.state}:${parts(each.held)}:${parts(each.drawn)}:${String(each.chargeUnits)}:${each.settled?.body ?? ''}:${each.refundedUnits.toString()}:${[...each.corrections.keys()].join()}`,
      )
      .sort();
    const settings = `${this.tier}${this.frozen ? '!' : ''} ${[...this.done.keys(), ...this.limitsDone.keys()].sort().join()}`;
    return [
      this.grants.digest(),
      reservations.join(),
      this.debt.toString(),
      parts(this.repaid),
      this.limits.digest(),
      settings,
    ].join('|');
  }

  private open(command: CommandOf<'open'>, nowMs: number): ModelReply {
    const body = textOf(command);
    if (this.opened !== undefined) {
      return this.opened === body ? accepted : refused('account-exists');
    }
    this.opened = body;
    this.tier = command.body.tier;
    return this.changed(nowMs);
  }

  private grant({ id, body }: CommandOf<'grant'>, atMs: number): ModelReply {
    const { amountCredits, priority = 100, effectiveAt, expiresAt } = body;
    const effectiveAtMs = effectiveAt === undefined ? atMs : Date.parse(effectiveAt);
    const expiresAtMs = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
    if (expiresAtMs <= effectiveAtMs) return refused('invalid-request');
    const left = grantable(amountCredits);
    this.grants.add({ grantId: id, priority, effectiveAtMs, expiresAtMs, left });
    return this.changed(atMs);
  }

  /** Up by a grant; down by what is available or, where that is asked for, by debt. */
  private adjust({ id, body }: CommandOf<'adjust'>, atMs: number): ModelReply {
    const units = grantable(body.amountCredits);
    if (units > 0n) {
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

  private expire({ body }: ModelExpiry, atMs: number): ModelReply {
    const grant = this.grants.get(body.grantId);
    if (!grant) return refused('unknown-grant');
    if (atMs < grant.expiresAtMs) return refused('invalid-request');
    if (grant.ended) return accepted;
    this.grants.end(body.grantId);
    return this.changed(atMs);
  }

  private limit(command: CommandOf<'setLimit'> | CommandOf<'removeLimit'>, atMs: number) {
    const body = textOf(command);
    const known = this.limitsDone.get(command.id);
    if (known !== undefined) return known === body ? accepted : refused('replay-mismatch');
    if (command.verb === 'setLimit') this.limits.set(command.body);
    else if (!this.limits.remove(command.body.limitId)) return refused('unknown-limit');
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

  private reserve(command: CommandOf<'reserve'>, atMs: number): ModelReply {
    const again = this.reservedBefore(command);
    if (again) return again;
    if (this.frozen) return refused('account-frozen');
    const wanted = this.wanted(command.body, atMs);
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

  private wanted(body: ModelBodies['reserve'], atMs: number): Wanted | ModelReply {
    const { available } = this.balanceAt(atMs);
    const passed = (units: Units) => this.limits.refusal(units, body.keyId, this.tier, atMs);
    if ('amountCredits' in body) {
      const units = unitsOf(body.amountCredits);
      if (units === undefined) return refused('amount-not-chargeable');
      if (this.isBlockedByDebt(available)) return refused('debt-outstanding');
      if (units > available) return refused('insufficient-credits');
      const reason = passed(units);
      return reason === undefined
        ? { units, quoted: undefined, outputTokens: undefined }
        : refused(reason);
    }
    const asked = quoteOf(body, body.bounds.outputTokens, this.tier);
    if (!asked) return refused('unknown-price');
    if (this.tier === 'free' && !body.candidates.every(isFree)) return refused('model-not-in-tier');
    if (this.isBlockedByDebt(available)) return refused('debt-outstanding');
    const left = this.limits.left(body.keyId, this.tier, atMs) ?? available;
    const fitting = this.fitting(body, least(available, left));
    if (fitting) return fitting;
    const reason = passed(asked.units);
    return refused(
      reason !== undefined && this.fitting(body, available) ? reason : 'insufficient-credits',
    );
  }

  /** The call as it was asked for or, where it may shrink, with the greatest output that there is room for. */
  private fitting(call: ModelCall, room: Units): Wanted | undefined {
    const { outputTokens, outputMayShrink } = call.bounds;
    const asked = quoteOf(call, outputTokens, this.tier);
    if (asked && asked.units <= room) return { ...asked, outputTokens };
    if (!outputMayShrink) return undefined;
    const less = greatestOutput(call, room, this.tier);
    const quote = quoteOf(call, less, this.tier);
    return less >= Math.min(outputTokensMin, outputTokens) && quote && quote.units <= room
      ? { ...quote, outputTokens: less }
      : undefined;
  }

  /** Debt that a grant which came into force since covers is about to be paid. */
  private isBlockedByDebt(available: Units): boolean {
    return this.debt > 0n && available === 0n;
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
      expiresAtMs: atMs + this.reservationTtlMs,
      state: 'open',
      held: parts,
      drawn: [],
      chargeUnits: undefined,
      refundedUnits: 0n,
      settled: undefined,
      corrections: new Map(),
    };
    this.reservations.set(command.id, reservation);
    this.limits.reserve(command.id, command.body.keyId, this.tier, wanted.units, atMs);
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
    const units = usedUnits(command.body, reservation);
    if (units === undefined) return refused('invalid-request');
    const late = reservation.state === 'ended';
    const held = split(reservation.held, units);
    const beyond = this.grants.draw(held.short, atMs);
    this.grants.giveBack(held.rest, atMs);
    this.debt += beyond.short;
    reservation.drawn = [...held.taken, ...beyond.parts];
    this.end(reservation);
    reservation.chargeUnits = units;
    this.limits.recount(command.body.reservationId, units);
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

  private release({ body }: CommandOf<'release'>, atMs: number): ModelReply {
    const reservation = this.reservations.get(body.reservationId);
    if (!reservation) return refused('unknown-reservation');
    if (reservation.chargeUnits !== undefined) return refused('reservation-closed');
    if (reservation.state === 'ended') return accepted;
    if (body.reason === 'expired' && atMs < reservation.expiresAtMs) {
      return refused('invalid-request');
    }
    this.grants.giveBack(reservation.held, atMs);
    this.end(reservation);
    this.limits.recount(body.reservationId, 0n);
    return this.changed(atMs);
  }

  private correct(command: CommandOf<'correct'>, atMs: number): ModelReply {
    const reservation = this.reservations.get(command.body.reservationId);
    if (reservation?.chargeUnits === undefined) return refused('unknown-reservation');
    const body = textOf(command);
    const known = reservation.corrections.get(command.id);
    if (known) return known.body === body ? known.reply : refused('replay-mismatch');
    if (!reservation.quoted) return refused('invalid-request');
    const units = usageUnits(command.body.attempts, reservation.quoted);
    const before = net(reservation);
    reservation.chargeUnits = units;
    this.limits.recount(command.body.reservationId, units);
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
    return accepted;
  }
}

type Wanted = Pick<Reservation, 'units' | 'quoted' | 'outputTokens'>;

/** What is left of a charge after its refunds. */
const net = ({ chargeUnits = 0n, refundedUnits }: Reservation): Units =>
  chargeUnits > refundedUnits ? chargeUnits - refundedUnits : 0n;

const grantable = (decimal: string): Units => {
  const units = unitsOf(decimal);
  if (units === undefined) throw new Error('the model moves no finer amounts');
  return units;
};

const reservedReply = ({ units, outputTokens }: Wanted): ModelReply => ({
  verdict: 'accepted',
  reservedUnits: units,
  ...(outputTokens === undefined ? {} : { outputTokens }),
});

const usedUnits = (body: ModelBodies['settle'], { quoted }: Reservation): Units | undefined => {
  if (quoted) return body.attempts ? usageUnits(body.attempts, quoted) : undefined;
  return body.amountCredits === undefined ? undefined : unitsOf(body.amountCredits);
};

/** The greatest output limit for each choice that the credits cover with every candidate. */
const greatestOutput = (call: ModelCall, available: Units, tier: ModelTier): number => {
  let covered = 0;
  let beyond = call.bounds.outputTokens + 1;
  while (covered + 1 < beyond) {
    const middle = Math.floor((covered + beyond) / 2);
    if ((quoteOf(call, middle, tier)?.units ?? 0n) <= available) covered = middle;
    else beyond = middle;
  }
  return covered;
};
