import type { ModelZone } from './model-calendar.js';
import type { ModelAttempt, ModelBounds, ModelCandidate, ModelTier } from './model-prices.js';

/** Whose a spending is; without a user, the account's owner's. */
export interface ModelPurpose {
  readonly userId?: string;
  readonly keyId?: string;
  readonly projectId?: string;
}

export type ModelScope =
  { readonly type: 'account' } | { readonly type: 'key' | 'user' | 'project'; readonly id: string };
export type ModelWindow = 'minute' | 'hour' | 'day' | 'month' | 'total';
export type ModelUnit = 'credits' | 'usd' | 'tokens' | 'requests';
export type ModelMode = 'soft' | 'hard' | 'rate';

/** Why an operator moves credits. */
interface Reasoned {
  readonly reasonCode: string;
}

/** Bodies as the contract has them. */
export interface ModelBodies {
  readonly open: {
    readonly ownerUserId: string;
    readonly tier: ModelTier;
    readonly kind?: 'personal' | 'organization';
    readonly timeZone?: ModelZone;
  };
  readonly grant: {
    readonly amountCredits: string;
    readonly priority?: number;
    readonly effectiveAt?: string;
    readonly expiresAt?: string;
    /** The request that it pays. */
    readonly topUpId?: string;
  };
  readonly reserve: ModelPurpose &
    (
      | { readonly amountCredits: string }
      | { readonly candidates: readonly ModelCandidate[]; readonly bounds: ModelBounds }
    );
  readonly charge: ModelPurpose & { readonly amountCredits: string };
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
  readonly rerate: {
    readonly reservationId: string;
    readonly priceVersion: string;
    readonly attempts: readonly ModelAttempt[];
    readonly reason: string;
  };
  /** All that is left of the charge, unless an amount is named. */
  readonly refund: Reasoned & { readonly reservationId: string; readonly amountCredits?: string };
  /** Signed. */
  readonly adjust: Reasoned & { readonly amountCredits: string; readonly bookDebt?: boolean };
  readonly void: Reasoned & { readonly grantId: string };
  readonly tier: { readonly tier: ModelTier; readonly reason: string };
  readonly freeze: { readonly reason: string };
  readonly unfreeze: { readonly reason: string };
  readonly setLimit: {
    readonly limitId: string;
    readonly scope: ModelScope;
    readonly window: ModelWindow;
    readonly unit: ModelUnit;
    /** In that unit. */
    readonly amount: string;
    readonly mode?: ModelMode;
  };
  readonly removeLimit: { readonly limitId: string };
  /** Credits that come anew each month; none at all end it. */
  readonly recur: {
    readonly recurringId: string;
    readonly amountCredits: string;
    readonly priority?: number;
    readonly dayOfMonth?: number;
    readonly rolloverCapCredits?: string;
  };
  readonly alerts: { readonly thresholdsCredits: readonly string[] };
  readonly topUpRule: {
    readonly thresholdCredits: string;
    readonly amountCredits: string;
    readonly coolDownSeconds: number;
    readonly monthlyCapCredits: string;
    readonly enabled: boolean;
  };
}
export type ModelVerb = keyof ModelBodies;
export type ModelCommand = {
  [V in ModelVerb]: { readonly verb: V; readonly id: string; readonly body: ModelBodies[V] };
}[ModelVerb];
export type CommandOf<V extends ModelVerb> = Extract<ModelCommand, { readonly verb: V }>;

/** What the service does by itself when its time has come; no caller can ask for it. */
export type ModelDueCommand =
  | {
      readonly verb: 'expireGrant';
      readonly id: string;
      readonly body: { readonly grantId: string };
    }
  | {
      readonly verb: 'postRecurring';
      readonly id: string;
      readonly body: { readonly recurringId: string };
    };

/** What is meant where a caller leaves it out. */
const meant: Readonly<Partial<Record<ModelVerb | ModelDueCommand['verb'], object>>> = {
  open: { timeZone: 'UTC' },
  adjust: { bookDebt: false },
  setLimit: { mode: 'hard' },
  recur: { dayOfMonth: 1 },
};

const attemptMeant = { billed: true, provenance: 'exact', usage: {} };

/** What a command asks for: its fields without its id. */
export const textOf = ({ verb, body }: ModelCommand | ModelDueCommand): string => {
  const whole: Readonly<Record<string, unknown>> = { ...meant[verb], ...body };
  const fields = Object.keys(whole)
    .sort()
    .map((name) => {
      const value = whole[name];
      const isAttempts = name === 'attempts' && Array.isArray(value);
      const all = isAttempts
        ? (value as object[]).map((each) => ({ ...attemptMeant, ...each }))
        : value;
      return [name, all];
    });
  return `${verb} ${JSON.stringify(fields)}`;
};
