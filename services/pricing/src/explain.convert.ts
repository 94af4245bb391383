import type { ExplainView, RuleTrail } from '@tollkeeper/contracts';
import type { PricedAttempt } from '@tollkeeper/events';
import { explainCharge, type ExplainedAttempt, type ExplainedCharge } from '@tollkeeper/pricing';
import type { PriceBookRecords } from './application/price-book-records.js';
import type { StoredCharge } from './application/stored-charge.js';
import { ruleOf, type Rule } from './domain/multiplier/state.js';
import { nameOfId } from './domain/price-book/recorded.js';
import { versionOf } from './domain/vendor-price/state.js';

const findRule = ({ multipliers }: PriceBookRecords, ruleId: string): Rule | undefined => {
  const state = multipliers.get(`multiplier-${nameOfId(ruleId)}`);
  return state && ruleOf(state, ruleId);
};

const sourceOf = ({ prices }: PriceBookRecords, priceVersion: string): string => {
  const state = prices.get(`vendorPrice-${nameOfId(priceVersion)}`);
  const source = state && versionOf(state, priceVersion)?.price.source;
  return source ? [source.name, source.version].filter(Boolean).join(' ') : 'unknown';
};

/** The attempt says which multiplier it was charged by; the book, how that came to be. */
const toTrail = (
  { multiplierRule: ruleId, multiplierLevel: level, multiplier }: Omit<PricedAttempt, 'lines'>,
  rule: Rule,
): RuleTrail => {
  const { effectiveFrom, proposedBy, proposedAt, reason } = rule;
  const { decidedBy, decidedAt, decisionReason } = rule;
  return {
    ruleId,
    level,
    multiplier,
    effectiveFrom,
    proposedBy,
    proposedAt,
    reason,
    ...(decidedBy === undefined ? {} : { decidedBy }),
    ...(decidedAt === undefined ? {} : { decidedAt }),
    ...(decisionReason === undefined ? {} : { decisionReason }),
  };
};

const trailSentence = ({ ruleId, effectiveFrom, ...trail }: RuleTrail): string => {
  const { proposedBy, proposedAt, reason, decidedBy, decidedAt, decisionReason } = trail;
  const proposed = `proposed by ${proposedBy} at ${proposedAt} (${reason})`;
  const because = decisionReason === undefined ? '' : ` (${decisionReason})`;
  const decided =
    decidedBy === undefined
      ? 'approved by the rule for small changes'
      : `approved by ${decidedBy} at ${String(decidedAt)}${because}`;
  return `Rule ${ruleId}, from ${effectiveFrom}: ${proposed}, ${decided}.`;
};

type AttemptView = ExplainView['attempts'][number];

const toAttempt = (
  attempt: ExplainedAttempt,
  records: PriceBookRecords,
): AttemptView | undefined => {
  const rule = findRule(records, attempt.multiplierRule);
  if (!rule) return undefined;
  const { provider, model, billed, provenance, priceVersion, lines, costUsd, multiplier } = attempt;
  return {
    provider,
    model,
    billed,
    provenance,
    priceVersion,
    source: sourceOf(records, priceVersion),
    lines: [...lines],
    costUsd,
    multiplier,
    rule: toTrail(attempt, rule),
  };
};

const textOf = (
  explained: ExplainedCharge,
  attempts: readonly AttemptView[],
  refundedCredits: string,
): string[] => [
  ...explained.text,
  ...new Set(attempts.filter(({ billed }) => billed).map(({ rule }) => trailSentence(rule))),
  ...(refundedCredits === '0' ? [] : [`Given back since: ${refundedCredits} credits.`]),
];

/** Undefined where the book does not hold a rule of the charge yet. */
export const toExplainView = (
  { accountId, reservationId }: { readonly accountId: string; readonly reservationId: string },
  { requestedAt, charge, refundedCredits }: StoredCharge,
  records: PriceBookRecords,
  at: Date,
): ExplainView | undefined => {
  const explained = explainCharge(charge);
  const attempts = explained.attempts.flatMap((each) => toAttempt(each, records) ?? []);
  if (attempts.length < explained.attempts.length) return undefined;
  const { vendorCostUsd, usdPerCredit, creditDecimals, chargeCredits, roundingCredits } = explained;
  return {
    accountId,
    reservationId,
    requestedAt,
    attempts,
    vendorCostUsd,
    usdPerCredit,
    creditDecimals,
    chargeCredits,
    roundingCredits,
    refundedCredits,
    flags: [...explained.flags],
    text: textOf(explained, attempts, refundedCredits),
    asOf: at.toISOString(),
  };
};
