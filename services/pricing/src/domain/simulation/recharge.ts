import type { ChargedAttempt, ChargedCall } from '@tollkeeper/contracts';
import type { PriceBook, PriceVersion } from '@tollkeeper/pricing';
import { reprice } from './proposal.js';
import { ceilDiv, toScaled } from './scaled.js';

/** What replaces an attempt's multiplier or price; undefined: it stays as recorded. */
export interface Replacement {
  readonly multiplierFor: (attempt: ChargedAttempt, tier: string) => bigint | undefined;
  readonly versionFor: (attempt: ChargedAttempt) => PriceVersion | undefined;
}

/** In 10⁻³⁰ US dollars and credits. */
export interface Recharged {
  readonly costUsd: bigint;
  readonly chargeCredits: bigint;
}

export interface Unpriced {
  readonly unpriced: string;
  readonly attempt: ChargedAttempt;
}

/** Texts that come again and again. */
const remembered = new Map<string, bigint>();
const rememberedMax = 1_000;

export const toScaledOnce = (text: string): bigint => {
  let value = remembered.get(text);
  if (value !== undefined) return value;
  if (remembered.size >= rememberedMax) remembered.clear();
  value = toScaled(text);
  remembered.set(text, value);
  return value;
};

/** Steps of 10⁻ᵈ credits, in 10⁻³⁰. */
const steps = Array.from({ length: 31 }, (_, decimals) => 10n ** BigInt(30 - decimals));

/**
 * The charge of a call with some attempts' multiplier or price replaced: rounded up once, as `chargeFor` does, by the credit value
 * that it was charged by. Undefined where nothing is replaced.
 */
export const recharge = (
  call: ChargedCall,
  replacement: Replacement,
  book: Pick<PriceBook, 'policyAt'>,
): Recharged | Unpriced | undefined => {
  let isReplaced = false;
  let costUsd = 0n;
  let chargeUsd = 0n;
  for (const attempt of call.attempts) {
    if (!attempt.billed) continue;
    const version = replacement.versionFor(attempt);
    const multiplier = replacement.multiplierFor(attempt, call.tier);
    isReplaced ||= version !== undefined || multiplier !== undefined;
    const cost = version
      ? reprice(attempt, version, new Date(call.requestedAt))
      : { costUsd: toScaled(attempt.costUsd) };
    if ('unpriced' in cost) return { unpriced: cost.unpriced, attempt };
    costUsd += cost.costUsd;
    chargeUsd += cost.costUsd * (multiplier ?? toScaledOnce(attempt.multiplier));
  }
  if (!isReplaced) return undefined;
  const decimals = book.policyAt(new Date(call.requestedAt))?.decimals ?? 0;
  const step = steps[decimals] ?? 1n;
  return {
    costUsd,
    chargeCredits: ceilDiv(chargeUsd, toScaledOnce(call.usdPerCredit) * step) * step,
  };
};
