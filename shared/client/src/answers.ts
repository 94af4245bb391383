/** Every amount is a decimal string without exponent. */
export interface Balance {
  readonly accountId: string;
  readonly ownerUserId: string;
  readonly tier: string;
  /** `available + reserved - debt`. */
  readonly balance: string;
  readonly reserved: string;
  /** What a new reservation may take. */
  readonly available: string;
  readonly debt: string;
  readonly usdPerCredit: string;
  readonly balanceUsd: string;
  readonly reservedUsd: string;
  readonly availableUsd: string;
  /** ISO 8601. */
  readonly asOf: string;
}

export interface Affordability {
  readonly affordable: boolean;
  /** Why not, as `reserve` would refuse it. */
  readonly reason?: string | undefined;
  readonly required?: string | undefined;
  readonly available: string;
  /** The output limit that would be reserved for each choice. */
  readonly outputTokens?: number | undefined;
}

export interface Reservation {
  readonly accountId: string;
  readonly reservationId: string;
  readonly amountCredits: string;
  /** Usage that is settled later than this is still charged, and flagged as late. */
  readonly expiresAt: string;
  /** Of a completion: the output limit that was reserved, which is what the vendor must be told. */
  readonly outputTokens?: number | undefined;
}

export interface Settlement {
  readonly reservationId: string;
  readonly chargeCredits: string;
  readonly costUsd: string;
  /** Of the attempt that answered; absent for a plain amount. */
  readonly priceVersion?: string | undefined;
  readonly multiplier?: string | undefined;
  readonly provenance?: string | undefined;
  /** Credits owed after this settle; absent when none. */
  readonly debtCredits?: string | undefined;
  readonly late?: boolean | undefined;
}

export interface Granted {
  readonly grantId: string;
  readonly available: string;
}

export interface Refunded {
  readonly refundId: string;
  readonly refundedCredits: string;
  readonly available: string;
}

export interface Adjusted {
  readonly adjustmentId: string;
  readonly available: string;
  readonly debt: string;
}

export interface PersonalAccount {
  readonly accountId: string;
  /** False where it was open before. */
  readonly opened: boolean;
}
