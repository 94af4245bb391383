import type { Charge as ChargeData, PricedAttempt, Quote, Tier } from '@tollkeeper/events';
import { formatMoney, parseMoney, type Money } from '@tollkeeper/kernel';
import {
  chargeFor,
  isBelowCost,
  isUnpriced,
  priceUsage,
  type CreditPolicy,
  type PriceBook,
} from '@tollkeeper/pricing';
import type { Attempt, Charge } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { cannotTake, repeatedReserve, reserved } from './reserve.js';
import type { CreditAccount, Reservation } from './state.js';
import { accept, type Verdict } from './verdict.js';

export interface Pricing {
  readonly data: ChargeData;
  readonly chargeCredits: Money;
}

/** Prices what was quoted and used, at the versions, rules and policy that the quote fixed. */
export const priceAttempts = (
  attempts: readonly Attempt[],
  quote: Quote,
  tier: Tier,
  prices: PriceBook,
): Pricing => {
  const flags = new Set<string>();
  const priced = attempts.map((attempt) => priceAttempt(attempt, quote, prices, flags));
  const policy = known(prices.policy(quote.policyId), quote.policyId);
  const parts = priced.map((each) => ({
    costUsd: parseMoney(each.costUsd),
    multiplier: parseMoney(each.multiplier),
  }));
  const charge = chargeFor(parts, policy);
  if (isBelowCost(parts, charge, policy)) flags.add('below-cost');
  return {
    chargeCredits: charge.chargeCredits,
    data: {
      ...policyFields(policy),
      tier,
      attempts: priced,
      vendorCostUsd: formatMoney(charge.vendorCostUsd),
      chargeCredits: formatMoney(charge.chargeCredits),
      roundingCredits: formatMoney(charge.roundingCredits),
      ...(flags.size > 0 ? { flags: [...flags] } : {}),
    },
  };
};

const policyFields = (
  policy: CreditPolicy,
): Pick<ChargeData, 'policyId' | 'usdPerCredit' | 'creditDecimals' | 'rounding'> => ({
  policyId: policy.id,
  usdPerCredit: formatMoney(policy.usdPerCredit),
  creditDecimals: policy.decimals,
  rounding: 'ceil',
});

const priceAttempt = (
  attempt: Attempt,
  quote: Quote,
  prices: PriceBook,
  flags: Set<string>,
): PricedAttempt => {
  const quoted = quotedFor(attempt, quote, prices, flags);
  const version = known(prices.version(quoted.priceVersion), quoted.priceVersion);
  const rule = known(prices.rule(quoted.multiplierRule), quoted.multiplierRule);
  const base = {
    provider: quoted.provider,
    model: quoted.model,
    ...(attempt.answeredModel !== undefined && attempt.answeredModel !== quoted.model
      ? { answeredModel: attempt.answeredModel }
      : {}),
    ...(attempt.vendorRequestId === undefined ? {} : { vendorRequestId: attempt.vendorRequestId }),
    ...(attempt.serviceTier === undefined ? {} : { serviceTier: attempt.serviceTier }),
    ...(attempt.region === undefined ? {} : { region: attempt.region }),
    billed: attempt.billed,
    priceVersion: quoted.priceVersion,
    multiplier: formatMoney(rule.multiplier),
    multiplierRule: rule.ruleId,
    multiplierLevel: rule.level,
  };
  if (!attempt.billed) return { ...base, provenance: attempt.provenance, lines: [], costUsd: '0' };

  const missing = isMissing(attempt);
  const cost = missing
    ? undefined
    : priceUsage(version, attempt.usage, {
        serviceTier: attempt.serviceTier,
        region: attempt.region,
        at: new Date(quote.requestStartedAt),
      });
  if (cost && !isUnpriced(cost)) {
    for (const flag of cost.flags) flags.add(flag);
    return {
      ...base,
      provenance: attempt.provenance,
      lines: cost.lines,
      costUsd: formatMoney(cost.costUsd),
    };
  }
  // Unknown is never zero: what cannot be priced is charged at the bound, marked, and can be corrected.
  flags.add(cost ? `unpriced-meter:${cost.meter}` : 'usage-missing');
  return {
    ...base,
    provenance: 'unknown',
    lines: [{ meter: 'bound', quantity: '1', unit: 'call', per: '1', rateUsd: quoted.boundUsd }],
    costUsd: quoted.boundUsd,
  };
};

const isMissing = (attempt: Attempt): boolean =>
  attempt.provenance === 'unknown' ||
  Object.values(attempt.usage).every((quantity) => quantity === 0);

/** The candidate that was called; a model outside the quote settles at the quote's first, flagged. */
const quotedFor = (
  attempt: Attempt,
  quote: Quote,
  prices: PriceBook,
  flags: Set<string>,
): Quote['candidates'][number] => {
  const at = new Date(quote.requestStartedAt);
  const called = prices.priceAt(attempt, at);
  const match = quote.candidates.find(
    (each) => each.provider === attempt.provider && each.model === (called?.model ?? attempt.model),
  );
  const first = match ?? known(quote.candidates[0], 'a candidate');
  const answered =
    attempt.answeredModel === undefined
      ? undefined
      : prices.priceAt({ provider: first.provider, model: attempt.answeredModel }, at);
  if (!match || (answered && answered.model !== first.model)) flags.add('model-mismatch');
  return first;
};

/** Every replica keeps every version, so what a stored quote names exists. */
const known = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new Error(`the price book does not hold ${name}`);
  return value;
};

/** A plain amount: no vendor, no lines. */
export const plainCharge = (
  amountCredits: Money,
  tier: Tier,
  policy: CreditPolicy,
): ChargeData => ({
  ...policyFields(policy),
  tier,
  attempts: [],
  vendorCostUsd: '0',
  chargeCredits: formatMoney(amountCredits),
  roundingCredits: '0',
});

/** Reserved and Settled in one append. */
export const settlePlainCharge = (
  command: Charge,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedReserve(command, account);
  if (repeated) return repeated;
  const short = cannotTake(command, account, context);
  if (short) return short;
  const reservation = reserved(command, account, context, command.amountCredits, undefined);
  const policy = known(context.prices.policyAt(context.at), 'a credit policy');
  return accept(reservation, {
    type: 'Settled',
    data: {
      ...plainCharge(command.amountCredits, account.tier, policy),
      reservationId: command.commandId,
      drawn: reservation.data.allocations,
      returned: [],
      localDate: today(account, context),
    },
  });
};

/** What an `amountCredits` or some attempts come to, or why they do not fit the reservation. */
export const chargeOf = (
  command: { readonly attempts: readonly Attempt[]; readonly amountCredits: Money | undefined },
  reservation: Pick<Reservation, 'quote' | 'tier' | 'reservedAt'>,
  context: DecisionContext,
): Pricing | { readonly misfit: string } => {
  if (reservation.quote) {
    return command.attempts.length > 0
      ? priceAttempts(command.attempts, reservation.quote, reservation.tier, context.prices)
      : { misfit: 'a reserved completion is settled by its attempts' };
  }
  const amount = command.amountCredits;
  if (!amount || amount.isNegative()) {
    return { misfit: 'a reserved plain amount is settled by amountCredits' };
  }
  // As a completion is: credits that were finer when they were reserved are settled, however late.
  const policyThen = context.prices.policyAt(new Date(reservation.reservedAt));
  const policy = known(policyThen, 'a credit policy');
  if (amount.decimalPlaces() > policy.decimals) {
    return { misfit: `credits have ${String(policy.decimals)} decimals` };
  }
  return { data: plainCharge(amount, reservation.tier, policy), chargeCredits: amount };
};
