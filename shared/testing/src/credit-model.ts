import { least, unitsOf, type Units } from './credit-units.js';
import {
  quoteOf,
  usageUnits,
  type ModelAttempt,
  type ModelBounds,
  type ModelCandidate,
  type ModelQuoted,
} from './model-prices.js';

/** Bodies as the contract has them. */
export interface ModelBodies {
  readonly open: { readonly ownerUserId: string; readonly tier: 'pro' };
  readonly grant: {
    readonly amountCredits: string;
    readonly priority?: number;
    readonly effectiveAt?: string;
    readonly expiresAt?: string;
  };
  readonly reserve:
    | { readonly amountCredits: string }
    | { readonly candidates: readonly ModelCandidate[]; readonly bounds: ModelBounds };
  readonly charge: { readonly amountCredits: string };
  readonly settle: {
    readonly reservationId: string;
    readonly amountCredits?: string;
    readonly attempts?: readonly ModelAttempt[];
  };
  readonly release: {
    readonly reservationId: string;
    readonly reason: 'failed' | 'cancelled' | 'expired';
  };
  readonly correct: {
    readonly reservationId: string;
    readonly attempts: readonly ModelAttempt[];
  };
}
export type ModelVerb = keyof ModelBodies;
export type ModelCommand = {
  [V in ModelVerb]: { readonly verb: V; readonly id: string; readonly body: ModelBodies[V] };
}[ModelVerb];
type CommandOf<V extends ModelVerb> = Extract<ModelCommand, { readonly verb: V }>;

/** The reason of a refusal, or accepted with the figures that a caller reads. */
export interface ModelReply {
  readonly verdict: string;
  readonly reservedUnits?: Units;
  readonly outputTokens?: number;
  readonly chargeUnits?: Units;
  readonly debtUnits?: Units;
  readonly late?: boolean;
}

export interface ModelBalance {
  readonly balance: Units;
  readonly reserved: Units;
  readonly available: Units;
  readonly debt: Units;
}

interface Grant {
  readonly grantId: string;
  readonly body: string;
  readonly priority: number;
  readonly effectiveAtMs: number;
  readonly expiresAtMs: number;
  readonly order: number;
  left: Units;
}

interface Part {
  readonly grantId: string;
  readonly units: Units;
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
  settled: { readonly body: string; readonly reply: ModelReply } | undefined;
  readonly corrections: Map<string, { readonly body: string; readonly reply: ModelReply }>;
}

const accepted: ModelReply = { verdict: 'accepted' };
const refused = (verdict: string): ModelReply => ({ verdict });

/** Below it a shrunk output limit is of no use to anyone. */
const outputTokensMin = 16;

/**
 * One credit account as DESIGN.md describes it: whole numbers, no events, no code of the product. What the
 * service answers and what it holds must be what this says, after any sequence of commands.
 */
export class CreditModel {
  private opened: string | undefined;
  /** In draw order. */
  private grants: Grant[] = [];
  private reservations = new Map<string, Reservation>();
  private debt: Units = 0n;
  /** What grants paid off debts, oldest first. */
  private repaid: readonly Part[] = [];
  private lastFactAtMs = 0;
  private changes = 0;

  constructor(private readonly reservationTtlMs: number) {}

  /** Carries a command out, or says why not; a command that was carried out gets its first reply again. */
  apply(command: ModelCommand, nowMs: number): ModelReply {
    if (command.verb === 'open') return this.open(command, nowMs);
    if (this.opened === undefined) return refused('unknown-account');
    const atMs = Math.max(nowMs, this.lastFactAtMs);
    const before = this.changes;
    const reply = this.carryOut(command, atMs);
    if (this.changes > before) this.payDebts(atMs);
    return reply;
  }

  private carryOut(command: Exclude<ModelCommand, { verb: 'open' }>, atMs: number): ModelReply {
    switch (command.verb) {
      case 'grant':
        return this.grant(command, atMs);
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
    }
  }

  balanceAt(nowMs: number): ModelBalance {
    const atMs = Math.max(nowMs, this.lastFactAtMs);
    const free = this.free(atMs);
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
    const copy = new CreditModel(this.reservationTtlMs);
    copy.opened = this.opened;
    copy.grants = this.grants.map((grant) => ({ ...grant }));
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
    const grants = this.grants.map((each) => `${each.grantId}=${each.left.toString()}`);
    const reservations = [...this.reservations]
      .map(
        ([id, each]) =>
          `${id}:${each.state}:${parts(each.held)}:${parts(each.drawn)}:${String(each.chargeUnits)}:${each.settled?.body ?? ''}:${[...each.corrections.keys()].join()}`,
      )
      .sort();
    return `${grants.join()}|${reservations.join()}|${this.debt.toString()}|${parts(this.repaid)}`;
  }

  private open(command: CommandOf<'open'>, nowMs: number): ModelReply {
    const body = textOf(command);
    if (this.opened !== undefined) {
      return this.opened === body ? accepted : refused('account-exists');
    }
    this.opened = body;
    this.changed(nowMs);
    return accepted;
  }

  private grant(command: CommandOf<'grant'>, atMs: number): ModelReply {
    const body = textOf(command);
    const known = this.grants.find((each) => each.grantId === command.id);
    if (known) return known.body === body ? accepted : refused('replay-mismatch');
    const { amountCredits, priority = 100, effectiveAt, expiresAt } = command.body;
    const units = unitsOf(amountCredits);
    if (units === undefined) throw new Error('the model grants no finer amounts');
    const effectiveAtMs = effectiveAt === undefined ? atMs : Date.parse(effectiveAt);
    const expiresAtMs = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
    if (expiresAtMs <= effectiveAtMs) return refused('invalid-request');
    const order = this.grants.length;
    const grant = { grantId: command.id, body, priority, effectiveAtMs, expiresAtMs, order };
    this.grants.push({ ...grant, left: units });
    this.grants.sort(
      (a, b) =>
        a.priority - b.priority ||
        (a.expiresAtMs === b.expiresAtMs ? 0 : a.expiresAtMs - b.expiresAtMs) ||
        a.order - b.order,
    );
    this.changed(atMs);
    return accepted;
  }

  /** After each change: what is unreserved and in force pays what is owed, in draw order. */
  private payDebts(atMs: number): void {
    const { parts, short } = this.draw(this.debt, atMs);
    this.debt = short;
    this.repaid = [...this.repaid, ...parts];
  }

  private reserve(command: CommandOf<'reserve'>, atMs: number): ModelReply {
    const again = this.reservedBefore(command);
    if (again) return again;
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
    if ('amountCredits' in body) {
      const units = unitsOf(body.amountCredits);
      if (units === undefined) return refused('amount-not-chargeable');
      if (this.isBlockedByDebt(available)) return refused('debt-outstanding');
      if (units > available) return refused('insufficient-credits');
      return { units, quoted: undefined, outputTokens: undefined };
    }
    const { candidates, bounds } = body;
    const asked = quoteOf(candidates, bounds, bounds.outputTokens);
    if (!asked) return refused('unknown-price');
    if (this.isBlockedByDebt(available)) return refused('debt-outstanding');
    if (asked.units <= available) return { ...asked, outputTokens: bounds.outputTokens };
    if (!bounds.outputMayShrink) return refused('insufficient-credits');
    const outputTokens = greatestOutput(candidates, bounds, available);
    const less = quoteOf(candidates, bounds, outputTokens);
    return outputTokens >= Math.min(outputTokensMin, bounds.outputTokens) &&
      less &&
      less.units <= available
      ? { ...less, outputTokens }
      : refused('insufficient-credits');
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
    const { parts } = this.draw(wanted.units, atMs);
    const reservation: Reservation = {
      body: textOf(command),
      ...wanted,
      expiresAtMs: atMs + this.reservationTtlMs,
      state: 'open',
      held: parts,
      drawn: [],
      chargeUnits: undefined,
      settled: undefined,
      corrections: new Map(),
    };
    this.reservations.set(command.id, reservation);
    this.changed(atMs);
    return reservation;
  }

  private charge(command: CommandOf<'charge'>, atMs: number): ModelReply {
    const again = this.reservedBefore(command);
    if (again) return again;
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
    const beyond = this.draw(held.short, atMs);
    this.giveBack(held.rest, atMs);
    this.debt += beyond.short;
    reservation.drawn = [...held.taken, ...beyond.parts];
    this.end(reservation);
    reservation.chargeUnits = units;
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
    this.giveBack(reservation.held, atMs);
    this.end(reservation);
    this.changed(atMs);
    return accepted;
  }

  private correct(command: CommandOf<'correct'>, atMs: number): ModelReply {
    const reservation = this.reservations.get(command.body.reservationId);
    if (reservation?.chargeUnits === undefined) return refused('unknown-reservation');
    const body = textOf(command);
    const known = reservation.corrections.get(command.id);
    if (known) return known.body === body ? known.reply : refused('replay-mismatch');
    if (!reservation.quoted) return refused('invalid-request');
    const units = usageUnits(command.body.attempts, reservation.quoted);
    const more = this.recharge(reservation, units - reservation.chargeUnits, atMs);
    reservation.chargeUnits = units;
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

  /** More is drawn or owed; less cancels debt first, then goes back, last drawn first. The new debt. */
  private recharge(reservation: Reservation, delta: Units, atMs: number): Units {
    if (delta >= 0n) {
      const { parts, short } = this.draw(delta, atMs);
      reservation.drawn = [...reservation.drawn, ...parts];
      this.debt += short;
      return short;
    }
    const cancelled = least(-delta, this.debt);
    this.debt -= cancelled;
    const fromDrawn = split([...reservation.drawn].reverse(), -delta - cancelled);
    const fromRepaid = split([...this.repaid].reverse(), fromDrawn.short);
    const charged = split(fromDrawn.rest.reverse(), (reservation.chargeUnits ?? 0n) + delta);
    reservation.drawn = charged.taken;
    // Drawn for what is charged no more, and not given back: it has paid the debt that was cancelled.
    this.repaid = [...fromRepaid.rest.reverse(), ...charged.rest];
    this.giveBack([...fromDrawn.taken, ...fromRepaid.taken], atMs);
    return 0n;
  }

  private end(reservation: Reservation): void {
    reservation.state = 'ended';
    reservation.held = [];
  }

  private free(atMs: number): Units {
    let units = 0n;
    for (const grant of this.grants) if (inForce(grant, atMs)) units += grant.left;
    return units;
  }

  private draw(units: Units, atMs: number): { readonly parts: Part[]; readonly short: Units } {
    const parts: Part[] = [];
    let short = units;
    for (const grant of this.grants) {
      const part = inForce(grant, atMs) ? least(short, grant.left) : 0n;
      if (part === 0n) continue;
      grant.left -= part;
      short -= part;
      parts.push({ grantId: grant.grantId, units: part });
    }
    return { parts, short };
  }

  private changed(atMs: number): void {
    this.lastFactAtMs = atMs;
    this.changes++;
  }

  /** Credits of a grant that has expired since lapse. */
  private giveBack(parts: readonly Part[], atMs: number): void {
    for (const { grantId, units } of parts) {
      const grant = this.grants.find((each) => each.grantId === grantId);
      if (grant && atMs < grant.expiresAtMs) grant.left += units;
    }
  }
}

type Wanted = Pick<Reservation, 'units' | 'quoted' | 'outputTokens'>;

const inForce = (grant: Grant, atMs: number): boolean =>
  grant.effectiveAtMs <= atMs && atMs < grant.expiresAtMs;

/** What a command asks for: its fields without its id. */
const textOf = ({ verb, body }: ModelCommand): string => `${verb} ${JSON.stringify(body)}`;

const reservedReply = ({ units, outputTokens }: Wanted): ModelReply => ({
  verdict: 'accepted',
  reservedUnits: units,
  ...(outputTokens === undefined ? {} : { outputTokens }),
});

const usedUnits = (body: ModelBodies['settle'], { quoted }: Reservation): Units | undefined => {
  if (quoted) return body.attempts ? usageUnits(body.attempts, quoted) : undefined;
  return body.amountCredits === undefined ? undefined : unitsOf(body.amountCredits);
};

const split = (
  parts: readonly Part[],
  units: Units,
): { readonly taken: Part[]; readonly rest: Part[]; readonly short: Units } => {
  const taken: Part[] = [];
  const rest: Part[] = [];
  let short = units;
  for (const part of parts) {
    const some = least(short, part.units);
    if (some > 0n) taken.push({ ...part, units: some });
    if (some < part.units) rest.push({ ...part, units: part.units - some });
    short -= some;
  }
  return { taken, rest, short };
};

/** The greatest output limit for each choice that the credits cover with every candidate. */
const greatestOutput = (
  candidates: readonly ModelCandidate[],
  bounds: ModelBounds,
  available: Units,
): number => {
  let covered = 0;
  let beyond = bounds.outputTokens + 1;
  while (covered + 1 < beyond) {
    const middle = Math.floor((covered + beyond) / 2);
    if ((quoteOf(candidates, bounds, middle)?.units ?? 0n) <= available) covered = middle;
    else beyond = middle;
  }
  return covered;
};
