import type { Amount } from './amount.js';

/** Provider and model as the price book spells them. */
export interface ModelRef {
  readonly provider: string;
  readonly model: string;
}

/** Who and what for; stored with the event. Ids only: never a name, an address or a prompt. */
export interface Purpose {
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly taskType?: string | undefined;
  /** A flat map of ids of your own, at most 1 kB. */
  readonly context?: Readonly<Record<string, string>> | undefined;
}

/** A call that Tollkeeper prices: the dearest candidate is reserved. */
export interface CompletionRequest extends Purpose {
  /** The fallback chain, 1 to 8. */
  readonly candidates: readonly ModelRef[];
  readonly bounds: {
    /** The most input tokens that the vendor can count. */
    readonly inputTokens: number;
    /** The output limit that you send to the vendor, for each choice. */
    readonly outputTokens: number;
    readonly choices?: number | undefined;
    readonly serviceTier?: string | undefined;
    /** Where the vendor will run it, as its price list names it. */
    readonly region?: string | undefined;
    /** True: where the credits do not cover `outputTokens`, reserve what they do cover. */
    readonly outputMayShrink?: boolean | undefined;
  };
  /** Prices of this moment count, for as long as it is at most a minute away. */
  readonly requestStartedAt?: Date | undefined;
}

/** An amount that you priced yourself. */
export interface AmountRequest extends Purpose {
  readonly amountCredits: Amount;
}

export type ReserveRequest = CompletionRequest | AmountRequest;

/** What is known of one call of one vendor. */
export interface Attempt extends ModelRef {
  readonly answeredModel?: string | undefined;
  readonly vendorRequestId?: string | undefined;
  readonly serviceTier?: string | undefined;
  readonly region?: string | undefined;
  /** False only where the vendor surely did not bill; true by default. */
  readonly billed?: boolean | undefined;
  /** `unknown` is charged at the bound, marked so, and can be corrected; `exact` by default. */
  readonly provenance?: 'exact' | 'vendor-reported' | 'estimated' | 'unknown' | undefined;
  /** Tokens by pool, each token in one pool: `{ input: 900, cache_read: 100, output: 50 }`. */
  readonly usage?: Readonly<Record<string, number>> | undefined;
  readonly failure?: string | undefined;
}

/** What a reservation came to: the attempts of a completion, or the credits of a plain amount. */
export type Spending =
  | { readonly attempts: readonly Attempt[]; readonly amountCredits?: undefined }
  | { readonly amountCredits: Amount; readonly attempts?: undefined };

export type SettleRequest = { readonly reservationId: string } & Spending;

export interface ReleaseRequest {
  readonly reservationId: string;
  /** `failed` is the default. */
  readonly reason?: 'failed' | 'cancelled' | undefined;
  readonly attempts?: readonly Attempt[] | undefined;
}

export interface CorrectRequest {
  readonly reservationId: string;
  readonly attempts: readonly Attempt[];
}

export type ChargeRequest = AmountRequest;

export interface GrantRequest {
  readonly amountCredits: Amount;
  /** `purchase` is the default. */
  readonly kind?: 'purchase' | 'initial' | 'subscription' | 'promotion' | undefined;
  /** 0 to 1000; lower is drawn first. */
  readonly priority?: number | undefined;
  readonly effectiveAt?: Date | undefined;
  readonly expiresAt?: Date | undefined;
  readonly costBasisUsd?: Amount | undefined;
  /** Your payment's id. */
  readonly externalReference?: string | undefined;
  /** The `TopUpRequested` that it fulfils. */
  readonly topUpId?: string | undefined;
}

export interface RefundRequest {
  /** Of a reservation or a charge. */
  readonly reservationId: string;
  /** All that is left of its charge, by default. */
  readonly amountCredits?: Amount | undefined;
  /** Such as `goodwill` or `billing-error`. */
  readonly reasonCode: string;
  readonly reference?: string | undefined;
}

export interface AdjustRequest {
  /** Signed; not zero. There is no "set balance". */
  readonly amountCredits: Amount;
  readonly reasonCode: string;
  readonly reference?: string | undefined;
  /** True: what a downward adjustment cannot take is owed. By default such an adjustment is refused. */
  readonly bookDebt?: boolean | undefined;
}

export interface PersonalAccountRequest {
  /** `free` is the default. */
  readonly tier?: 'free' | 'pro' | 'enterprise' | 'enterprise_max' | undefined;
  /** IANA name, for the account's days and months; UTC by default. */
  readonly timeZone?: string | undefined;
}

/** Every method takes them last. */
export interface CallOptions {
  /**
   * Keep it to send the same command again: the same id and body get the first answer, however often
   * and however late. A new UUIDv7 by default. A reservation's id is its command's.
   */
  readonly commandId?: string | undefined;
  /** Of your request, for finding it in events and logs. */
  readonly correlationId?: string | undefined;
  /** Stops waiting; the command may still be carried out. Work of `withReservation` is waited for, and ended, all the same. */
  readonly signal?: AbortSignal | undefined;
  /** For all attempts of this call together. */
  readonly timeoutMs?: number | undefined;
}
