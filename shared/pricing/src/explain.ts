import { formatMoney, parseMoney, sumMoney, type Money } from '@tollkeeper/kernel';
import type { Charge, PricedAttempt, PricedLine } from '@tollkeeper/events';
import { flagInWords } from './flags.js';
import { firstChargeDifference, lineCostUsd } from './recompute.js';

/** A priced line with what it comes to: `quantity` × `rateUsd` ÷ `per`, to 30 decimals. */
export interface CostedLine extends PricedLine {
  readonly costUsd: string;
}

type Unlined = Omit<PricedAttempt, 'lines'>;

export interface ExplainedAttempt extends Unlined {
  readonly lines: readonly CostedLine[];
}

/** A charge step by step. Amounts are decimal strings: US dollars in `…Usd`, credits in `…Credits`. */
export interface ExplainedCharge {
  readonly attempts: readonly ExplainedAttempt[];
  readonly vendorCostUsd: string;
  readonly policyId: string;
  readonly usdPerCredit: string;
  readonly creditDecimals: number;
  readonly chargeCredits: string;
  readonly roundingCredits: string;
  readonly waivedCredits?: string;
  readonly flags: readonly string[];
  /** The same as sentences, one step each. */
  readonly text: readonly string[];
}

export const costedLine = (line: PricedLine): CostedLine => ({
  meter: line.meter,
  quantity: line.quantity,
  unit: line.unit,
  per: line.per,
  rateUsd: line.rateUsd,
  costUsd: formatMoney(lineCostUsd(line)),
});

const explainedAttempt = (attempt: PricedAttempt): ExplainedAttempt => ({
  ...attempt,
  lines: attempt.lines.map(costedLine),
});

const nameOf = ({ provider, model }: Unlined): string => `${provider}/${model}`;

const headline = (attempt: Unlined): string => {
  if (!attempt.billed) return `${nameOf(attempt)}: the vendor billed nothing.`;
  const details = [
    `price version ${attempt.priceVersion}`,
    ...(attempt.answeredModel === undefined ? [] : [`answered by ${attempt.answeredModel}`]),
    ...(attempt.serviceTier === undefined ? [] : [`service tier ${attempt.serviceTier}`]),
    ...(attempt.region === undefined ? [] : [`region ${attempt.region}`]),
    `usage ${attempt.provenance}`,
  ];
  return `${nameOf(attempt)}: ${details.join(', ')}.`;
};

const lineSentence = ({ meter, quantity, unit, per, rateUsd, costUsd }: CostedLine): string => {
  if (meter === 'bound') return `bound: the most that the call could cost, ${costUsd} USD.`;
  const divided = per === '1' ? '' : ` ÷ ${per}`;
  return `${meter}: ${quantity} ${unit} × ${rateUsd} USD${divided} = ${costUsd} USD.`;
};

const markedUpUsd = ({ costUsd, multiplier }: Unlined): Money =>
  parseMoney(costUsd).times(parseMoney(multiplier));

const sumSentence = (what: string, parts: readonly string[], total: string): string =>
  `${what}: ${parts.length > 1 ? `${parts.join(' + ')} = ` : ''}${total} USD.`;

const attemptSentences = (attempt: ExplainedAttempt): string[] => {
  if (!attempt.billed) return [headline(attempt)];
  const { lines, costUsd, multiplier, multiplierRule, multiplierLevel } = attempt;
  const costs = lines.map((line) => line.costUsd);
  const markup = `${costUsd} USD × ${multiplier} (rule ${multiplierRule}, level ${multiplierLevel})`;
  return [
    headline(attempt),
    ...lines.map(lineSentence),
    sumSentence('Vendor cost', costs, costUsd),
    `Markup: ${markup} = ${formatMoney(markedUpUsd(attempt))} USD.`,
  ];
};

const creditSentences = (charge: Charge): string[] => {
  const { usdPerCredit, creditDecimals, roundingCredits, waivedCredits, chargeCredits } = charge;
  const billed = charge.attempts.filter((attempt) => attempt.billed).map(markedUpUsd);
  const chargeUsd = sumMoney(billed);
  const roundedCredits = parseMoney(chargeCredits).plus(parseMoney(waivedCredits ?? '0'));
  const exactCredits = roundedCredits.minus(parseMoney(roundingCredits));
  const divides = exactCredits.times(parseMoney(usdPerCredit)).eq(chargeUsd);
  const sentences = [
    `In credits: ${formatMoney(chargeUsd)} USD ÷ ${usdPerCredit} USD per credit ${divides ? '=' : '≈'} ${formatMoney(exactCredits)} credits.`,
    `Rounded up to ${String(creditDecimals)} decimals, by ${roundingCredits}: ${formatMoney(roundedCredits)} credits.`,
  ];
  if (billed.length > 1) {
    const total = formatMoney(chargeUsd);
    sentences.unshift(sumSentence('All attempts', billed.map(formatMoney), total));
  }
  if (waivedCredits !== undefined) {
    sentences.push(`Waived, as beyond the reservation: ${waivedCredits} credits.`);
  }
  return sentences;
};

const textOf = (charge: Charge, attempts: readonly ExplainedAttempt[]): string[] => {
  const difference = firstChargeDifference(charge);
  return [
    ...(attempts.length === 0
      ? ['A plain amount of credits: priced by whoever asked for it, at no vendor cost of ours.']
      : [...attempts.flatMap(attemptSentences), ...creditSentences(charge)]),
    `Charged: ${charge.chargeCredits} credits.`,
    ...(charge.flags ?? []).map((flag) => `Flag ${flag}: ${flagInWords(flag)}.`),
    ...(difference
      ? [
          `Not proven: ${difference.field} is stored as ${difference.stored} and comes to ${difference.recomputed}.`,
        ]
      : []),
  ];
};

/**
 * Explains a charge from its stored event alone (`Settled`, `SettledLate` or `UsageCorrected`): each line's cost, their
 * sum, the multiplier with its rule and level, the credit value, the rounding, what was waived, and the flags in words.
 * A stored figure that does not follow from the rest is named in the last sentence.
 */
export const explainCharge = (charge: Charge): ExplainedCharge => {
  const attempts = charge.attempts.map(explainedAttempt);
  return {
    attempts,
    vendorCostUsd: charge.vendorCostUsd,
    policyId: charge.policyId,
    usdPerCredit: charge.usdPerCredit,
    creditDecimals: charge.creditDecimals,
    chargeCredits: charge.chargeCredits,
    roundingCredits: charge.roundingCredits,
    ...(charge.waivedCredits === undefined ? {} : { waivedCredits: charge.waivedCredits }),
    flags: charge.flags ?? [],
    text: textOf(charge, attempts),
  };
};
