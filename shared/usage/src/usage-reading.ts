import type { Provenance, UsagePools } from '@tollkeeper/events';

/** What a vendor's answer says was used. */
export interface ReportedUsage {
  readonly kind: 'reported';
  /** Every token is in exactly one pool; a pool that is absent is empty. */
  readonly pools: UsagePools;
  /** Figures that cannot all be true, and were made to fit the vendor's totals; empty as a rule. */
  readonly contradictions: readonly string[];
  /** What a reader of the pools should know; nothing of it makes them wrong. */
  readonly notes: readonly UsageNote[];
}

/** Nothing that can be believed was said, which is not the same as nothing was used. */
export interface MissingUsage {
  readonly kind: 'missing';
  readonly why: 'absent' | 'not-believable' | 'several-models';
  readonly message: string;
}

export type UsageReading = ReportedUsage | MissingUsage;

/**
 * `reasoning-beside-output`: reasoning that only the vendor's total shows. `total-differs`: the parts stand, and the
 * vendor's total is another. `cache-modality-unknown`: which of the cached tokens were audio was not said; taken as few as
 * can be. `incomplete-stream`: the end of the stream is not there, so that the output is at least this.
 * `tool-not-metered`: billed by something that no pool counts.
 */
export type UsageNote =
  | 'reasoning-beside-output'
  | 'total-differs'
  | 'cache-modality-unknown'
  | 'incomplete-stream'
  | 'tool-not-metered';

/** A whole answer: its usage, and what it says of the call. */
export type AnswerReading =
  (ReportedUsage & AnswerFacts & { readonly provenance: Provenance }) | MissingUsage;

export interface AnswerFacts {
  /** As the vendor names the model that answered. */
  readonly model: string | undefined;
  /** As the vendor names the tier that served it. */
  readonly serviceTier: string | undefined;
  /** Where it ran, as the vendor names it; absent where it does not say, or says anywhere. */
  readonly region?: string;
  /** What the vendor says that the call cost: US dollars, decimal text. */
  readonly reportedCostUsd?: string;
}

export const absent = (message: string): MissingUsage => ({
  kind: 'missing',
  why: 'absent',
  message,
});

export const notBelievable = (message: string): MissingUsage => ({
  kind: 'missing',
  why: 'not-believable',
  message,
});
