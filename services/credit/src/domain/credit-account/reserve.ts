import type { CreditAccountEvent, Quote, QuotedCandidate } from '@tollkeeper/events';
import { formatMoney, maxMoney, minMoney, Money, zero } from '@tollkeeper/kernel';
import {
  affordableOutputTokens,
  boundUsd,
  chargeFor,
  creditsToUsd,
  isUnpriced,
  marginGuardAt,
  mayChargeBelowCost,
  usdBudgetFor,
  type CreditPolicy,
  type MultiplierRule,
  type PriceVersion,
} from '@tollkeeper/pricing';
import {
  ceilingsOn,
  leftUnder,
  noCeilings,
  passedBy,
  refuseAt,
  type Ceiling,
  type Demand,
} from './ceilings.js';
import type {
  Bounds,
  Candidate,
  RequestedPurpose,
  ReserveAmount,
  ReserveCompletion,
} from './commands.js';
import { today, type DecisionContext } from './context.js';
import { drawFromGrants, toAllocation } from './draw.js';
import { modelBeyondTier } from './free-tier.js';
import { boundTokens, dearestUsd } from './limit-counts.js';
import { availableCredits, balanceCredits, freeCredits, type CreditAccount } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

/** A client's clock that is further off than this is not believed. */
const clockSkewMaxMs = 60_000;

/** A shrunk limit below this is of no use to anyone: the caller is told what it lacks instead. */
export const outputTokensMin = 16;

interface PricedCandidate {
  readonly version: PriceVersion;
  readonly rule: MultiplierRule;
}

export const reserveCompletion = (
  command: ReserveCompletion,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedReserve(command, account);
  if (repeated) return repeated;

  const startedAt = believedStart(command.requestStartedAt, context.at);
  const policy = context.prices.policyAt(startedAt);
  if (!policy) return unknownPrice('a credit policy');
  const candidates = priceCandidates(command.candidates, account, context, startedAt);
  if ('unpriced' in candidates) return unknownPrice(candidates.unpriced);
  const beyondTier = modelBeyondTier(candidates.priced, account, context, startedAt);
  if (beyondTier) return beyondTier;
  const call: Call = { candidates: candidates.priced, policy, at: startedAt };

  const asked = bounded(call, command.bounds);
  if ('unpriced' in asked) return unknownPrice(asked.unpriced);
  const belowCost = refusedBelowCost(asked, context, startedAt);
  if (belowCost) return belowCost;
  const available = availableCredits(account, context.at.getTime());
  if (isBlockedByDebt(account, available, context)) {
    return shortfall('debt-outstanding', account, asked.requiredCredits, context, policy);
  }
  const ceilings = ceilingsOn(account, command.purpose, context);
  const fitting = fit(call, command.bounds, asked, { available, ceilings });
  if (!fitting) {
    const demand = demandOf(asked, command.bounds);
    const passed = passedBy(ceilings, demand);
    return passed && fit(call, command.bounds, asked, { available, ceilings: noCeilings })
      ? refuseAt(passed, demand, account, context)
      : shortfall('insufficient-credits', account, asked.requiredCredits, context, policy);
  }
  const quote: Quote = {
    policyId: policy.id,
    requestStartedAt: startedAt.toISOString(),
    candidates: fitting.quoted,
    bound: quotedBound(command.bounds, fitting.outputTokens),
  };
  return accept(reserved(command, account, context, fitting.requiredCredits, quote));
};

/** Literals, no spread: quotes stay in memory, and objects made by a spread are thrice as large. */
const quotedBound = (bounds: Bounds, outputTokens: number): Quote['bound'] => {
  const { inputTokens, choices, serviceTier, region } = bounds;
  if (region === undefined) {
    return serviceTier === undefined
      ? { inputTokens, outputTokens, choices }
      : { inputTokens, outputTokens, choices, serviceTier };
  }
  return serviceTier === undefined
    ? { inputTokens, outputTokens, choices, region }
    : { inputTokens, outputTokens, choices, serviceTier, region };
};

const unknownPrice = (what: string): Verdict =>
  refuse('unknown-price', `no price is in force for ${what}`, { unpriced: what });

/** The margin guard: nothing is reserved that could be charged below what the vendor bills, unless it is to be flagged. */
const refusedBelowCost = (
  { belowCost }: Bounded,
  { prices }: DecisionContext,
  startedAt: Date,
): Verdict | undefined =>
  belowCost !== undefined && marginGuardAt(prices, startedAt) === 'refuse'
    ? refuse('below-cost', `${belowCost} is not sold below its cost`, { model: belowCost })
    : undefined;

interface Call {
  readonly candidates: readonly PricedCandidate[];
  readonly policy: CreditPolicy;
  readonly at: Date;
}

interface Bounded {
  readonly outputTokens: number;
  /** Credits that cover whichever candidate answers. */
  readonly requiredCredits: Money;
  readonly quoted: QuotedCandidate[];
  /** The first candidate that may be charged below what its vendor bills. */
  readonly belowCost: string | undefined;
}

/** The bound of each candidate, and what the dearest one takes. */
const bounded = (call: Call, bounds: Bounds): Bounded | { readonly unpriced: string } => {
  let requiredCredits = zero;
  let belowCost: string | undefined;
  const quoted: QuotedCandidate[] = [];
  for (const { version, rule } of call.candidates) {
    const costUsd = boundUsd(version, { ...bounds, at: call.at });
    if (isUnpriced(costUsd)) {
      return { unpriced: `${version.provider}/${version.model} (${costUsd.meter})` };
    }
    if (belowCost === undefined && mayChargeBelowCost(costUsd, rule.multiplier)) {
      belowCost = `${version.provider}/${version.model}`;
    }
    const parts = [{ costUsd, multiplier: rule.multiplier }];
    requiredCredits = maxMoney(requiredCredits, chargeFor(parts, call.policy).chargeCredits);
    quoted.push({
      provider: version.provider,
      model: version.model,
      priceVersion: version.id,
      multiplierRule: rule.ruleId,
      boundUsd: formatMoney(costUsd),
    });
  }
  return { outputTokens: bounds.outputTokens, requiredCredits, quoted, belowCost };
};

/** What a reservation may come to. */
interface Room {
  readonly available: Money;
  readonly ceilings: readonly Ceiling[];
}

/** The bound that there is room for: as asked or, where the caller lets it, with less output. */
const fit = (call: Call, bounds: Bounds, asked: Bounded, room: Room): Bounded | undefined => {
  if (fits(asked, bounds, room)) return asked;
  if (!bounds.outputMayShrink) return undefined;
  const outputTokens = affordable(call, bounds, room);
  if (outputTokens < Math.min(outputTokensMin, bounds.outputTokens)) return undefined;
  const less = bounded(call, { ...bounds, outputTokens });
  return 'unpriced' in less || !fits(less, bounds, room) ? undefined : less;
};

const fits = (bound: Bounded, bounds: Bounds, { available, ceilings }: Room): boolean =>
  bound.requiredCredits.lte(available) &&
  (ceilings.length === 0 || passedBy(ceilings, demandOf(bound, bounds)) === undefined);

/** As it will be counted. */
const demandOf =
  (bound: Bounded, bounds: Bounds): Demand =>
  (unit) => {
    switch (unit) {
      case 'credits':
        return bound.requiredCredits;
      case 'usd':
        return dearestUsd(bound.quoted);
      case 'tokens':
        return new Money(boundTokens(quotedBound(bounds, bound.outputTokens)));
      case 'requests':
        return oneRequest;
    }
  };

export const reserveAmount = (
  command: ReserveAmount,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedReserve(command, account);
  if (repeated) return repeated;
  const short = cannotTake(command, account, context);
  return short ?? accept(reserved(command, account, context, command.amountCredits, undefined));
};

/** A refusal when the account cannot pay a plain amount now, or its limits do not allow it. */
export const cannotTake = (
  command: Pick<ReserveAmount, 'amountCredits' | 'purpose'>,
  account: CreditAccount,
  context: DecisionContext,
): Verdict | undefined => {
  const short = lacksFor(command.amountCredits, account, context);
  if (short) return short;
  const ceilings = ceilingsOn(account, command.purpose, context);
  if (ceilings.length === 0) return undefined;
  const demand = plainDemand(command.amountCredits);
  const passed = passedBy(ceilings, demand);
  return passed && refuseAt(passed, demand, account, context);
};

const oneRequest = new Money(1);

/** A plain amount is of no vendor: it costs no dollars and takes no tokens. */
const plainDemand =
  (credits: Money): Demand =>
  (unit) =>
    unit === 'credits' ? credits : unit === 'requests' ? oneRequest : zero;

/** A refusal when the account cannot pay a plain amount now. */
const lacksFor = (
  amountCredits: Money,
  account: CreditAccount,
  context: DecisionContext,
): Verdict | undefined => {
  const policy = context.prices.policyAt(context.at);
  if (!policy) return refuse('unknown-price', 'no credit policy is in force');
  if (amountCredits.decimalPlaces() > policy.decimals) {
    return refuse('amount-not-chargeable', `credits have ${String(policy.decimals)} decimals`);
  }
  const available = availableCredits(account, context.at.getTime());
  if (isBlockedByDebt(account, available, context)) {
    return shortfall('debt-outstanding', account, amountCredits, context, policy);
  }
  return amountCredits.gt(available)
    ? shortfall('insufficient-credits', account, amountCredits, context, policy)
    : undefined;
};

/** Debt that a grant which came into force since could pay blocks nothing: the reserve's follow-up pays it. */
const isBlockedByDebt = (
  account: CreditAccount,
  available: Money,
  { rules }: DecisionContext,
): boolean => !account.debtCredits.isZero() && available.isZero() && rules.excessPolicy !== 'allow';

export const repeatedReserve = (
  { commandId }: { readonly commandId: string },
  account: CreditAccount,
): Verdict | undefined => (account.reservations.has(commandId) ? nothing : undefined);

export const reserved = (
  command: { readonly commandId: string; readonly purpose: RequestedPurpose },
  account: CreditAccount,
  context: DecisionContext,
  amountCredits: Money,
  quote: Quote | undefined,
): Extract<CreditAccountEvent, { type: 'Reserved' }> => ({
  type: 'Reserved',
  data: {
    reservationId: command.commandId,
    amountCredits: formatMoney(amountCredits),
    allocations: drawFromGrants(account, amountCredits, context.at.getTime()).parts.map(
      toAllocation,
    ),
    tier: account.tier,
    localDate: today(account, context),
    expiresAt: new Date(context.at.getTime() + context.reservationTtlMs).toISOString(),
    purpose: { ...command.purpose, userId: command.purpose.userId ?? account.ownerUserId },
    ...(quote ? { quote } : {}),
  },
});

const believedStart = (startedAt: Date | undefined, at: Date): Date =>
  startedAt && Math.abs(at.getTime() - startedAt.getTime()) <= clockSkewMaxMs ? startedAt : at;

const priceCandidates = (
  candidates: readonly Candidate[],
  account: CreditAccount,
  context: DecisionContext,
  startedAt: Date,
): { readonly priced: readonly PricedCandidate[] } | { readonly unpriced: string } => {
  const priced: PricedCandidate[] = [];
  for (const candidate of candidates) {
    const version = context.prices.priceAt(candidate, startedAt);
    const rule =
      version &&
      context.prices.multiplierFor(
        { provider: version.provider, model: version.model, tier: account.tier },
        startedAt,
      );
    if (!version || !rule) return { unpriced: `${candidate.provider}/${candidate.model}` };
    priced.push({ version, rule });
  }
  return { priced };
};

/** The greatest output limit for each choice that there is room for with every candidate. */
const affordable = (call: Call, bounds: Bounds, { available, ceilings }: Room): number => {
  const credits = minMoney(available, leftUnder(ceilings, 'credits') ?? available);
  const leftUsd = leftUnder(ceilings, 'usd');
  let least = Math.min(bounds.outputTokens, outputUnder(ceilings, bounds));
  for (const { version, rule } of call.candidates) {
    const chargeableUsd = usdBudgetFor(credits, rule.multiplier, call.policy);
    const budgetUsd = leftUsd ? minMoney(leftUsd, chargeableUsd) : chargeableUsd;
    const tokens = affordableOutputTokens(version, { ...bounds, at: call.at }, budgetUsd);
    least = Math.min(least, tokens ?? 0);
  }
  return least;
};

/** The output tokens of each choice that limits in tokens leave beside the input. */
const outputUnder = (ceilings: readonly Ceiling[], bounds: Bounds): number => {
  const tokens = leftUnder(ceilings, 'tokens');
  if (!tokens) return Infinity;
  return Math.floor((tokens.toNumber() - bounds.inputTokens) / bounds.choices);
};

/** What is lacking, what there is and what may be done, in credits and US dollars. */
export const shortfall = (
  reason: 'insufficient-credits' | 'debt-outstanding',
  account: CreditAccount,
  required: Money,
  context: DecisionContext,
  policy: CreditPolicy,
): Verdict => {
  const atMs = context.at.getTime();
  const available = availableCredits(account, atMs);
  const balance = balanceCredits(account, atMs);
  const lacking = required.minus(freeCredits(account, atMs));
  const usd = (credits: Money): string => formatMoney(creditsToUsd(credits, policy));
  const message =
    reason === 'debt-outstanding'
      ? `the account owes ${formatMoney(account.debtCredits)} credits`
      : `${formatMoney(required)} credits are required and ${formatMoney(available)} are available`;
  return refuse(reason, message, {
    balance: formatMoney(balance),
    available: formatMoney(available),
    required: formatMoney(required),
    balanceUsd: usd(balance),
    availableUsd: usd(available),
    requiredUsd: usd(required),
    suggestions: [
      { action: 'top-up', credits: formatMoney(lacking), usd: usd(lacking) },
      ...(available.gt(0)
        ? [
            {
              action: 'lower-max-tokens',
              credits: formatMoney(minMoney(available, required)),
              usd: usd(minMoney(available, required)),
            },
          ]
        : []),
    ],
  });
};
