import type { CreditCommand } from '../domain/credit-account/commands.js';
import { boundTokens } from '../domain/credit-account/limit-counts.js';
import { limitsOn, type Limit } from '../domain/credit-account/limits.js';
import { outputTokensMin } from '../domain/credit-account/reserve.js';
import type { CreditAccount } from '../domain/credit-account/state.js';
import type { Refusal } from '../domain/credit-account/verdict.js';
import { SlidingMinute } from './sliding-minute.js';

interface Counter {
  /** The limit's own: one that was set anew counts anew, as the limits do that events tell. */
  readonly since: number;
  readonly minute: SlidingMinute;
}

type Reserving = Extract<CreditCommand, { type: 'ReserveCompletion' | 'ReserveAmount' | 'Charge' }>;
type Completion = Extract<CreditCommand, { type: 'ReserveCompletion' }>;

export type Admission = { readonly command: CreditCommand } | { readonly refusal: Refusal };

const none: readonly Limit[] = [];

/**
 * One account's limits of mode `rate`: calls and tokens of the last minute, counted here and nowhere else. No event tells
 * them, so they begin anew when the process does: a minute later that makes no difference.
 */
export class RateLimits {
  /** By limit id. */
  private readonly minutes = new Map<string, Counter>();
  /**
   * Counted, and not yet known to be stored: decided anew, they are not counted twice, nor fitted to what their own count has
   * left. Of a completion, the output tokens that it was reserved with.
   */
  private readonly admitted = new Map<string, number | undefined>();

  /**
   * Why a command must wait or, where it need not, what is to be decided: the command or, where it may shrink, the command with no
   * more output than the rates leave now.
   */
  admit(command: CreditCommand, account: CreditAccount, atMs: number): Admission {
    const refusal = this.refusalOf(command, account, atMs);
    return refusal ? { refusal } : { command: this.fitted(command, account, atMs) };
  }

  private refusalOf(
    command: CreditCommand,
    account: CreditAccount,
    atMs: number,
  ): Refusal | undefined {
    if (account.limits.rates.size === 0 || !isReserving(command)) return undefined;
    // What was accepted once gets its first answer, however often it is asked for.
    if (account.reservations.has(command.commandId) || this.admitted.has(command.commandId)) {
      return undefined;
    }
    for (const limit of ratesOn(command, account)) {
      const needed = neededBy(command, limit);
      if (needed === 0) continue;
      const max = limit.amount.toNumber();
      if (needed > max) return neverFits(limit, needed);
      const waitMs = this.known(limit)?.waitMs(atMs, needed, max) ?? 0;
      if (waitMs > 0) return mustWait(limit, waitMs);
    }
    return undefined;
  }

  private fitted(command: CreditCommand, account: CreditAccount, atMs: number): CreditCommand {
    if (account.limits.rates.size === 0 || !mayShrink(command)) return command;
    if (account.reservations.has(command.commandId)) return command;
    const { bounds } = command;
    const outputTokens =
      this.admitted.get(command.commandId) ?? this.outputLeft(command, account, atMs);
    return outputTokens < bounds.outputTokens
      ? { ...command, bounds: { ...bounds, outputTokens } }
      : command;
  }

  /** For each choice, beside the input. */
  private outputLeft(command: Completion, account: CreditAccount, atMs: number): number {
    const { inputTokens, choices } = command.bounds;
    let least = Infinity;
    for (const limit of ratesOn(command, account)) {
      if (limit.unit !== 'tokens') continue;
      const left = limit.amount.toNumber() - (this.known(limit)?.used(atMs) ?? 0);
      least = Math.min(least, Math.floor((left - inputTokens) / choices));
    }
    return least;
  }

  /** Counts what has just been accepted, as it was reserved. */
  count(command: CreditCommand, account: CreditAccount, atMs: number): void {
    if (account.limits.rates.size === 0 || !isReserving(command)) return;
    if (this.admitted.has(command.commandId)) return;
    const bound = account.reservations.get(command.commandId)?.quote?.bound;
    for (const limit of ratesOn(command, account)) {
      const amount = limit.unit === 'requests' ? 1 : bound ? boundTokens(bound) : 0;
      this.minuteOf(limit, account).add(atMs, amount);
      this.admitted.set(command.commandId, bound?.outputTokens);
    }
  }

  /** These commands need not be decided again. */
  stored(commands: Iterable<{ readonly command: CreditCommand | undefined }>): void {
    if (this.admitted.size === 0) return;
    for (const { command } of commands) if (command) this.admitted.delete(command.commandId);
  }

  /** Nothing is under way any more. */
  failed(): void {
    this.admitted.clear();
  }

  private minuteOf(limit: Limit, account: CreditAccount): SlidingMinute {
    const known = this.known(limit);
    if (known) return known;
    for (const limitId of this.minutes.keys()) {
      if (account.limits.byId.get(limitId)?.mode !== 'rate') this.minutes.delete(limitId);
    }
    const minute = new SlidingMinute();
    this.minutes.set(limit.limitId, { since: limit.since, minute });
    return minute;
  }

  private known(limit: Limit): SlidingMinute | undefined {
    const counter = this.minutes.get(limit.limitId);
    return counter?.since === limit.since ? counter.minute : undefined;
  }
}

const isReserving = (command: CreditCommand): command is Reserving =>
  command.type === 'ReserveCompletion' ||
  command.type === 'ReserveAmount' ||
  command.type === 'Charge';

const ratesOn = (command: Reserving, account: CreditAccount): readonly Limit[] => {
  const { rates } = account.limits;
  const { userId = account.ownerUserId, keyId, projectId } = command.purpose;
  return rates.size === 0 ? none : limitsOn(rates, { userId, keyId, projectId });
};

/** At the least: a call that may shrink begins with little output rather than wait. */
const neededBy = (command: Reserving, limit: Limit): number => {
  if (limit.unit === 'requests') return 1;
  if (command.type !== 'ReserveCompletion') return 0;
  const { bounds } = command;
  if (!mayShrink(command)) return boundTokens(bounds);
  return boundTokens({ ...bounds, outputTokens: Math.min(outputTokensMin, bounds.outputTokens) });
};

const mayShrink = (command: CreditCommand): command is Completion =>
  command.type === 'ReserveCompletion' && command.bounds.outputMayShrink;

const figuresOf = (limit: Limit) => {
  const { limitId, scope, window, unit, amount } = limit;
  return { limitId, scope, window, unit, amount: amount.toFixed() };
};

const mustWait = (limit: Limit, retryAfterMs: number): Refusal => ({
  reason: 'rate-limited',
  message: `limit ${limit.limitId} allows ${limit.amount.toFixed()} ${limit.unit} a minute; retry in ${String(Math.ceil(retryAfterMs / 1000))} s`,
  retryable: true,
  details: { ...figuresOf(limit), retryAfterMs },
});

/** More than a whole minute allows: waiting does not help. */
const neverFits = (limit: Limit, needed: number): Refusal => ({
  reason: 'limit-reached',
  message: `limit ${limit.limitId} allows ${limit.amount.toFixed()} ${limit.unit} a minute: ${String(needed)} are required`,
  retryable: false,
  details: { ...figuresOf(limit), used: '0', required: String(needed) },
});
