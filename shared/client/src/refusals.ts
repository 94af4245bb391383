import { TollkeeperError, type CommandOutcome } from './errors.js';

/** A refusal as the service spelled it. */
export interface RefusalFields {
  readonly reason: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
  readonly accountId: string;
  readonly commandId: string | undefined;
  readonly outcome: CommandOutcome;
}

/** The service answered, and said no. Subclasses name the reasons that callers act upon. */
export class RefusedError extends TollkeeperError {
  override readonly name: string = 'RefusedError';
  readonly kind = 'refused';
  /** A kebab-case fact, such as `unknown-price`. */
  readonly reason: string;
  /** True where the same command may succeed later; it was tried until the deadline. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
  readonly accountId: string;
  readonly commandId: string | undefined;
  readonly outcome: CommandOutcome;

  constructor(fields: RefusalFields) {
    super(fields.message);
    this.reason = fields.reason;
    this.retryable = fields.retryable;
    this.details = fields.details;
    this.accountId = fields.accountId;
    this.commandId = fields.commandId;
    this.outcome = fields.outcome;
  }
}

/** What the caller could do about a shortfall. */
export interface Suggestion {
  /** Such as `top-up` or `lower-max-tokens`. */
  readonly action: string;
  readonly credits: string;
  readonly usd: string;
}

/** The figures of a shortfall, as decimal strings. */
class ShortfallError extends RefusedError {
  get balance(): string {
    return textOf(this.details['balance']);
  }
  get available(): string {
    return textOf(this.details['available']);
  }
  get required(): string {
    return textOf(this.details['required']);
  }
  get balanceUsd(): string {
    return textOf(this.details['balanceUsd']);
  }
  get requiredUsd(): string {
    return textOf(this.details['requiredUsd']);
  }
  get suggestions(): readonly Suggestion[] {
    const listed = this.details['suggestions'];
    return Array.isArray(listed) ? (listed as Suggestion[]) : [];
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The account cannot pay for it: 402. */
export class InsufficientCreditsError extends ShortfallError {
  override readonly name = 'InsufficientCreditsError';
  declare readonly reason: 'insufficient-credits';
}

/** The account owes credits, which the next grant repays; until then nothing is reserved. */
export class DebtOutstandingError extends ShortfallError {
  override readonly name = 'DebtOutstandingError';
  declare readonly reason: 'debt-outstanding';
}

/** A limit of the key, user, project or account, or a limit by the minute: `details` say which and how far. */
export class LimitReachedError extends RefusedError {
  override readonly name = 'LimitReachedError';
  declare readonly reason: 'limit-reached' | 'rate-limited' | 'free-tier-budget';
}

/** This command id was used before for something else. */
export class ReplayMismatchError extends RefusedError {
  override readonly name = 'ReplayMismatchError';
  declare readonly reason: 'replay-mismatch';
}

/** No such account; a user's personal account is opened by `openPersonalAccount`. */
export class UnknownAccountError extends RefusedError {
  override readonly name = 'UnknownAccountError';
  declare readonly reason: 'unknown-account';
}

/** No reservation of this id, or none that was charged. */
export class UnknownReservationError extends RefusedError {
  override readonly name = 'UnknownReservationError';
  declare readonly reason: 'unknown-reservation';
}

/** A model without a price is refused, never free. */
export class UnknownPriceError extends RefusedError {
  override readonly name = 'UnknownPriceError';
  declare readonly reason: 'unknown-price';
}

/** The account takes no commands that spend until it is unfrozen. */
export class AccountFrozenError extends RefusedError {
  override readonly name = 'AccountFrozenError';
  declare readonly reason: 'account-frozen';
}

const classes: Readonly<Record<string, new (fields: RefusalFields) => RefusedError>> = {
  'insufficient-credits': InsufficientCreditsError,
  'debt-outstanding': DebtOutstandingError,
  'limit-reached': LimitReachedError,
  'rate-limited': LimitReachedError,
  'free-tier-budget': LimitReachedError,
  'replay-mismatch': ReplayMismatchError,
  'unknown-account': UnknownAccountError,
  'unknown-reservation': UnknownReservationError,
  'unknown-price': UnknownPriceError,
  'account-frozen': AccountFrozenError,
};

/** The class of the reason; RefusedError for those that have none, or that are newer than this client. */
export const refusalOf = (fields: RefusalFields): RefusedError =>
  new (Object.hasOwn(classes, fields.reason)
    ? (classes[fields.reason] ?? RefusedError)
    : RefusedError)(fields);
