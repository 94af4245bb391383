import type {
  GrantKind,
  Provenance,
  Purpose,
  ReleaseReason,
  Tier,
  UsagePools,
} from '@tollkeeper/events';
import type { Money } from '@tollkeeper/kernel';
import type { RemoveLimit, SetLimit } from './set-limit.js';

interface CommandBase {
  /** The caller's id: the same id and fields get the first answer again. */
  readonly commandId: string;
  /** SHA-256 over the command's fields without times and trace ids. */
  readonly commandHash: string;
}

export interface OpenAccount extends CommandBase {
  readonly type: 'OpenAccount';
  /** Undefined: personal at the owner's personal id, organization at any other. */
  readonly kind: 'personal' | 'organization' | undefined;
  readonly ownerUserId: string;
  readonly tier: Tier;
  readonly timeZone: string;
}

export interface GrantCredits extends CommandBase {
  readonly type: 'GrantCredits';
  readonly kind: GrantKind;
  readonly amountCredits: Money;
  readonly priority: number;
  readonly effectiveAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly costBasisUsd: Money | undefined;
  readonly externalReference: string | undefined;
  /** The request that this purchase fulfils. */
  readonly topUpId?: string | undefined;
}

/** Without a user, the account's owner is meant. */
export type RequestedPurpose = Omit<Purpose, 'userId'> & { readonly userId?: string };

export interface Candidate {
  readonly provider: string;
  readonly model: string;
}

export interface Bounds {
  readonly inputTokens: number;
  /** For each choice. */
  readonly outputTokens: number;
  readonly choices: number;
  readonly serviceTier: string | undefined;
  readonly outputMayShrink: boolean;
}

/** Reserves the dearest candidate of a call that is about to be made. */
export interface ReserveCompletion extends CommandBase {
  readonly type: 'ReserveCompletion';
  readonly purpose: RequestedPurpose;
  readonly candidates: readonly Candidate[];
  readonly bounds: Bounds;
  readonly requestStartedAt: Date | undefined;
}

export interface ReserveAmount extends CommandBase {
  readonly type: 'ReserveAmount';
  readonly purpose: RequestedPurpose;
  readonly amountCredits: Money;
}

/** Reserves and settles a plain amount in one append. */
export interface Charge extends CommandBase {
  readonly type: 'Charge';
  readonly purpose: RequestedPurpose;
  readonly amountCredits: Money;
}

export interface Attempt extends Candidate {
  readonly answeredModel: string | undefined;
  readonly vendorRequestId: string | undefined;
  readonly serviceTier: string | undefined;
  readonly billed: boolean;
  readonly provenance: Provenance;
  readonly usage: UsagePools;
  readonly failure: string | undefined;
}

export interface Settle extends CommandBase {
  readonly type: 'Settle';
  readonly reservationId: string;
  readonly attempts: readonly Attempt[];
  /** Instead of attempts, for a reservation of a plain amount. */
  readonly amountCredits: Money | undefined;
}

export interface Release extends CommandBase {
  readonly type: 'Release';
  readonly reservationId: string;
  readonly reason: ReleaseReason;
  readonly attempts: readonly Attempt[];
}

export interface CorrectUsage extends CommandBase {
  readonly type: 'CorrectUsage';
  readonly reservationId: string;
  readonly attempts: readonly Attempt[];
  /** The same usage at another version of a quoted model's price; undefined: other usage at what was quoted. */
  readonly rerating?: Rerating | undefined;
}

export interface Rerating {
  readonly priceVersion: string;
  readonly reason: string;
}

/** Why an operator moves credits. */
interface Reasoned {
  readonly reasonCode: string;
  readonly reference: string | undefined;
}

export interface VoidGrant extends CommandBase, Reasoned {
  readonly type: 'VoidGrant';
  readonly grantId: string;
}

/** Posts that a grant's time is over; the service's own. */
export interface ExpireGrant extends CommandBase {
  readonly type: 'ExpireGrant';
  readonly grantId: string;
}

export interface SetRecurringGrant extends CommandBase {
  readonly type: 'SetRecurringGrant';
  readonly recurringId: string;
  readonly kind: GrantKind;
  /** Zero ends it. */
  readonly amountCredits: Money;
  readonly priority: number;
  readonly dayOfMonth: number;
  readonly rolloverCapCredits: Money | undefined;
}

/** Posts a month's credits when they are due; the service's own. */
export interface PostRecurringGrant extends CommandBase {
  readonly type: 'PostRecurringGrant';
  readonly recurringId: string;
}

export interface Refund extends CommandBase, Reasoned {
  readonly type: 'Refund';
  readonly reservationId: string;
  /** Undefined: all that is left of the charge. */
  readonly amountCredits: Money | undefined;
}

export interface Adjust extends CommandBase, Reasoned {
  readonly type: 'Adjust';
  /** Signed. */
  readonly amountCredits: Money;
  /** Whether the account may owe what it does not have. */
  readonly bookDebt: boolean;
}

export interface ChangeTier extends CommandBase {
  readonly type: 'ChangeTier';
  readonly tier: Tier;
  readonly reason: string;
}

export interface Freeze extends CommandBase {
  readonly type: 'Freeze' | 'Unfreeze';
  readonly reason: string;
}

export interface SetAlerts extends CommandBase {
  readonly type: 'SetAlerts';
  readonly thresholdsCredits: readonly Money[];
}

export interface SetTopUpRule extends CommandBase {
  readonly type: 'SetTopUpRule';
  readonly thresholdCredits: Money;
  readonly amountCredits: Money;
  readonly coolDownSeconds: number;
  readonly monthlyCapCredits: Money;
  readonly enabled: boolean;
}

/** Remembered by command id in the account's state. */
export type AdminCommand =
  | VoidGrant
  | ExpireGrant
  | SetRecurringGrant
  | PostRecurringGrant
  | Refund
  | Adjust
  | ChangeTier
  | Freeze
  | SetAlerts
  | SetTopUpRule;

export type CreditCommand =
  | AdminCommand
  | OpenAccount
  | GrantCredits
  | ReserveCompletion
  | ReserveAmount
  | Charge
  | Settle
  | Release
  | CorrectUsage
  | SetLimit
  | RemoveLimit;
