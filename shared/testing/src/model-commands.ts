import type { ModelAttempt, ModelBounds, ModelCandidate, ModelTier } from './model-prices.js';

/** A spending may be a key's. */
interface Spending {
  readonly keyId?: string;
}

/** Why an operator moves credits. */
interface Reasoned {
  readonly reasonCode: string;
}

/** Bodies as the contract has them. */
export interface ModelBodies {
  readonly open: { readonly ownerUserId: string; readonly tier: ModelTier };
  readonly grant: {
    readonly amountCredits: string;
    readonly priority?: number;
    readonly effectiveAt?: string;
    readonly expiresAt?: string;
  };
  readonly reserve: Spending &
    (
      | { readonly amountCredits: string }
      | { readonly candidates: readonly ModelCandidate[]; readonly bounds: ModelBounds }
    );
  readonly charge: Spending & { readonly amountCredits: string };
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
  /** All that is left of the charge, unless an amount is named. */
  readonly refund: Reasoned & { readonly reservationId: string; readonly amountCredits?: string };
  /** Signed. */
  readonly adjust: Reasoned & { readonly amountCredits: string; readonly bookDebt?: boolean };
  readonly void: Reasoned & { readonly grantId: string };
  readonly tier: { readonly tier: ModelTier; readonly reason: string };
  readonly freeze: { readonly reason: string };
  readonly unfreeze: { readonly reason: string };
  /** A hard limit on what a key spends, in credits. */
  readonly setLimit: {
    readonly limitId: string;
    readonly scope: { readonly type: 'key'; readonly id: string };
    readonly window: 'day' | 'month';
    readonly unit: 'credits';
    readonly amount: string;
  };
  readonly removeLimit: { readonly limitId: string };
}
export type ModelVerb = keyof ModelBodies;
export type ModelCommand = {
  [V in ModelVerb]: { readonly verb: V; readonly id: string; readonly body: ModelBodies[V] };
}[ModelVerb];
export type CommandOf<V extends ModelVerb> = Extract<ModelCommand, { readonly verb: V }>;

/** What the service does by itself once a grant's time is over; no caller can ask for it. */
export interface ModelExpiry {
  readonly verb: 'expireGrant';
  readonly id: string;
  readonly body: { readonly grantId: string };
}

/** What a command asks for: its fields without its id. */
export const textOf = ({ verb, body }: ModelCommand): string => `${verb} ${JSON.stringify(body)}`;
