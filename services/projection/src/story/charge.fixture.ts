import type { Charge, PricedAttempt, Provenance } from '@tollkeeper/events';
import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import { recomputeCharge } from '@tollkeeper/pricing';

export interface CallUsage {
  readonly input?: number;
  readonly output?: number;
  readonly cacheRead?: number;
  readonly model?: string;
  readonly provenance?: Provenance;
}

const rates: Readonly<Record<string, string>> = { input: '2.5', cache_read: '1.25', output: '10' };

const attemptOf = (usage: CallUsage): PricedAttempt => {
  const pools = { input: usage.input, cache_read: usage.cacheRead, output: usage.output };
  const lines = Object.entries(pools).flatMap(([meter, quantity]) =>
    quantity === undefined
      ? []
      : [
          {
            meter,
            quantity: String(quantity),
            unit: 'token',
            per: '1000000',
            rateUsd: rates[meter] ?? '0',
          },
        ],
  );
  const attempt: PricedAttempt = {
    provider: 'openai',
    model: usage.model ?? 'gpt-4o',
    vendorRequestId: 'req_1',
    billed: true,
    provenance: usage.provenance ?? 'exact',
    priceVersion: 'openai:gpt-4o@1',
    lines,
    costUsd: '0',
    multiplier: '1.5',
    multiplierRule: 'tier-pro',
    multiplierLevel: 'tier',
  };
  const [costUsd = zero] = recomputeCharge(chargeAround([attempt])).perAttemptCost;
  return { ...attempt, costUsd: formatMoney(costUsd) };
};

const chargeAround = (attempts: PricedAttempt[]): Charge => ({
  tier: 'pro',
  attempts,
  vendorCostUsd: '0',
  policyId: 'default',
  usdPerCredit: '0.01',
  creditDecimals: 4,
  rounding: 'ceil',
  chargeCredits: '0',
  roundingCredits: '0',
});

/** A charge as the credit service computes it: a plain amount, or what some usage costs. */
export const chargeOf = (what: string | CallUsage): Charge => {
  if (typeof what === 'string') return { ...chargeAround([]), chargeCredits: what };
  const charge = chargeAround([attemptOf(what)]);
  const { vendorCostUsd, chargeCredits, roundingCredits } = recomputeCharge(charge);
  return {
    ...charge,
    vendorCostUsd: formatMoney(vendorCostUsd),
    chargeCredits: formatMoney(chargeCredits),
    roundingCredits: formatMoney(roundingCredits),
  };
};

/** What comes to more than the most is waived. */
export const waivedAbove = (charge: Charge, most: Money): Charge => {
  const waived = parseMoney(charge.chargeCredits).minus(most);
  return waived.lte(0)
    ? charge
    : {
        ...charge,
        chargeCredits: formatMoney(most),
        waivedCredits: formatMoney(waived),
        flags: ['excess-waived'],
      };
};
