import { formatMoney, maxMoney, parseMoney, zero } from '@tollkeeper/kernel';
import { provenances, type Charge, type PricedAttempt, type Provenance } from '@tollkeeper/events';
import type { LedgerEventOf } from '../projector/ledger-event.js';
import type {
  OpenReservationRow,
  ReleasedReservationRow,
} from '../open-reservations/open-reservations.projection.js';

/** What a charge says; a correction replaces all of it. */
export interface ChargedFigures {
  readonly tier: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly answered_model: string | null;
  readonly vendor_request_id: string | null;
  readonly service_tier: string | null;
  readonly price_version: string | null;
  readonly multiplier: string | null;
  readonly multiplier_rule: string | null;
  readonly multiplier_level: string | null;
  readonly provenance: Provenance | null;
  /** Null where nobody knows: unknown is never zero. */
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly pools: Readonly<Record<string, number>>;
  readonly vendor_cost_usd: string;
  readonly usd_per_credit: string;
  readonly charge_credits: string;
  readonly charge_usd: string;
  readonly rounding_credits: string;
  readonly flags: readonly string[];
  readonly attempts: readonly PricedAttempt[];
}

/** A row of `usage_log`, by the table's own names. */
export interface UsageRow extends ChargedFigures {
  readonly account_id: string;
  readonly reservation_id: string;
  readonly revision: number;
  readonly user_id: string;
  readonly project_id: string | null;
  readonly key_id: string | null;
  readonly task_type: string | null;
  readonly context: Readonly<Record<string, string>> | null;
  readonly debt_credits: string;
  /** Of `charge_credits`, which stays as it was charged. */
  readonly refunded_credits: string;
  readonly late: boolean;
  readonly corrected: boolean;
  readonly requested_at: string;
  readonly settled_at: string;
  readonly local_date: string;
  /** Of all events about the reservation, ascending. */
  readonly revisions: readonly number[];
}

/** What a correction or a refund must know of its call. */
export type PriorUsage = Pick<
  UsageRow,
  | 'account_id'
  | 'reservation_id'
  | 'user_id'
  | 'project_id'
  | 'tier'
  | 'input_tokens'
  | 'output_tokens'
  | 'vendor_cost_usd'
  | 'usd_per_credit'
  | 'charge_credits'
  | 'charge_usd'
  | 'refunded_credits'
  | 'revisions'
>;

const isTokens = (unit: string): boolean => unit.startsWith('token');
const isInput = (meter: string): boolean => meter.startsWith('input') || meter.startsWith('cache_');
const isOutput = (meter: string): boolean =>
  meter.startsWith('output') || meter.startsWith('reasoning');

/** A plain amount has no tokens; a billed attempt of unknown usage hides how many there were. */
const areTokensKnown = (attempts: readonly PricedAttempt[]): boolean =>
  attempts.length > 0 &&
  !attempts.some(({ billed, provenance }) => billed && provenance === 'unknown');

/** The pools are exclusive, so their sum counts no token twice. */
const countPools = (
  attempts: readonly PricedAttempt[],
): Pick<ChargedFigures, 'pools' | 'input_tokens' | 'output_tokens'> => {
  const pools: Record<string, number> = {};
  let inputTokens = 0;
  let outputTokens = 0;
  for (const attempt of attempts) {
    for (const line of attempt.lines) {
      const quantity = Number(line.quantity);
      pools[line.meter] = (pools[line.meter] ?? 0) + quantity;
      if (!isTokens(line.unit)) continue;
      if (isInput(line.meter)) inputTokens += quantity;
      else if (isOutput(line.meter)) outputTokens += quantity;
    }
  }
  return areTokensKnown(attempts)
    ? { pools, input_tokens: inputTokens, output_tokens: outputTokens }
    : { pools, input_tokens: null, output_tokens: null };
};

/** One estimated attempt makes the whole call's usage an estimate. */
const leastCertain = (attempts: readonly PricedAttempt[]): Provenance | null => {
  let least = -1;
  for (const attempt of attempts) {
    if (attempt.billed) least = Math.max(least, provenances.indexOf(attempt.provenance));
  }
  return provenances[least] ?? attempts.at(-1)?.provenance ?? null;
};

type Answered = Pick<
  ChargedFigures,
  | 'provider'
  | 'model'
  | 'answered_model'
  | 'vendor_request_id'
  | 'service_tier'
  | 'price_version'
  | 'multiplier'
  | 'multiplier_rule'
  | 'multiplier_level'
>;

const plainAmount: Answered = {
  provider: null,
  model: null,
  answered_model: null,
  vendor_request_id: null,
  service_tier: null,
  price_version: null,
  multiplier: null,
  multiplier_rule: null,
  multiplier_level: null,
};

/** The attempt that answered: the last one billed. */
const answered = (attempts: readonly PricedAttempt[]): Answered => {
  const attempt = attempts.findLast(({ billed }) => billed) ?? attempts.at(-1);
  if (!attempt) return plainAmount;
  return {
    provider: attempt.provider,
    model: attempt.model,
    answered_model: attempt.answeredModel ?? null,
    vendor_request_id: attempt.vendorRequestId ?? null,
    service_tier: attempt.serviceTier ?? null,
    price_version: attempt.priceVersion,
    multiplier: attempt.multiplier,
    multiplier_rule: attempt.multiplierRule,
    multiplier_level: attempt.multiplierLevel,
  };
};

export const chargedFigures = (charge: Charge): ChargedFigures => ({
  tier: charge.tier,
  ...answered(charge.attempts),
  provenance: leastCertain(charge.attempts),
  ...countPools(charge.attempts),
  vendor_cost_usd: charge.vendorCostUsd,
  usd_per_credit: charge.usdPerCredit,
  charge_credits: charge.chargeCredits,
  charge_usd: formatMoney(parseMoney(charge.chargeCredits).times(parseMoney(charge.usdPerCredit))),
  rounding_credits: charge.roundingCredits,
  flags: charge.flags ?? [],
  attempts: charge.attempts,
});

export const usageRow = (
  call: OpenReservationRow | ReleasedReservationRow,
  event: LedgerEventOf<'Settled'> | LedgerEventOf<'SettledLate'>,
): UsageRow => ({
  account_id: call.account_id,
  reservation_id: call.reservation_id,
  revision: event.revision,
  user_id: call.user_id,
  project_id: call.project_id,
  key_id: call.key_id,
  task_type: call.task_type,
  context: call.context,
  ...chargedFigures(event.data),
  debt_credits: event.data.debt?.amountCredits ?? '0',
  refunded_credits: '0',
  late: event.type === 'SettledLate',
  corrected: false,
  requested_at: call.requested_at,
  settled_at: event.metadata.occurredAt,
  local_date: event.data.localDate,
  revisions: [...('revisions' in call ? call.revisions : [call.revision]), event.revision],
});

type NetFigures = Pick<ChargedFigures, 'usd_per_credit' | 'charge_credits' | 'charge_usd'>;

/** What is left of a charge after its refunds; never negative, also where a correction undercuts them. */
const net = <F extends NetFigures>(figures: F, refundedCredits: string): F => {
  const refunded = parseMoney(refundedCredits);
  if (refunded.isZero()) return figures;
  const credits = maxMoney(zero, parseMoney(figures.charge_credits).minus(refunded));
  return {
    ...figures,
    charge_credits: formatMoney(credits),
    charge_usd: formatMoney(credits.times(parseMoney(figures.usd_per_credit))),
  };
};

/** What a correction takes out of margins and summaries, and what it puts in. */
export const netOfRefunds = (
  prior: PriorUsage,
  figures: ChargedFigures,
): readonly [out: PriorUsage, into: ChargedFigures] => [
  net(prior, prior.refunded_credits),
  net(figures, prior.refunded_credits),
];
