import type { Allocation } from '@tollkeeper/events';
import { parseMoney, zero, type Money } from '@tollkeeper/kernel';
import { corrupt } from './corrupt-stream.js';
import { splitParts, toPart } from './draw.js';
import type { Charged, CreditAccount, GrantPart } from './state.js';

/** How events move credits between grants, charges and debt; each applies a fact and throws when it cannot be one. */

export const take = (account: CreditAccount, allocations: readonly Allocation[]): GrantPart[] =>
  allocations.map((allocation) => {
    const part = toPart(allocation);
    const grant = account.grantsById.get(part.grantId);
    if (!grant) throw corrupt(account, part.grantId, 'drawn, but never granted');
    grant.available = grant.available.minus(part.amountCredits);
    if (grant.available.isNegative()) throw corrupt(account, part.grantId, 'overdrawn');
    return part;
  });

export const putBack = (account: CreditAccount, allocations: readonly Allocation[]): void => {
  for (const allocation of allocations) {
    const grant = account.grantsById.get(allocation.grantId);
    if (!grant) throw corrupt(account, allocation.grantId, 'returned to, but never granted');
    if (grant.ended) throw corrupt(account, allocation.grantId, 'returned to, but it has ended');
    grant.available = grant.available.plus(parseMoney(allocation.amountCredits));
  }
};

export const owe = (
  account: CreditAccount,
  debt: { readonly amountCredits: string } | undefined,
): void => {
  if (!debt) return;
  account.debtCredits = account.debtCredits.plus(parseMoney(debt.amountCredits));
};

export const lowerDebt = (account: CreditAccount, amount: Money): void => {
  if (amount.gt(account.debtCredits)) throw corrupt(account, 'debt', 'repaid more than is owed');
  account.debtCredits = account.debtCredits.minus(amount);
};

/** One part for each run of repayments by the same grant, so that small debts do not add up in memory. */
export const keepRepaid = (account: CreditAccount, parts: readonly GrantPart[]): void => {
  for (const part of parts) {
    const last = account.repaid.at(-1);
    if (last?.grantId !== part.grantId) {
      account.repaid.push(part);
      continue;
    }
    const amountCredits = last.amountCredits.plus(part.amountCredits);
    account.repaid[account.repaid.length - 1] = { grantId: part.grantId, amountCredits };
  }
};

/** What a correction or a refund gives back of a charge. */
interface GivenBack {
  readonly returned: readonly Allocation[];
  readonly lapsed?: readonly Allocation[] | undefined;
  readonly debtCancelledCredits?: string | undefined;
}

/**
 * Takes what was given back off what a charge and repaid debts have drawn: what stays drawn by the charge. `netCredits` is
 * what it comes to now. Where the charge's debt was another's, credits that it drew for itself have paid that
 * one's: they are kept as a repayment, so that whoever is given back next finds them.
 */
export const undraw = (
  account: CreditAccount,
  charged: Charged,
  back: GivenBack,
  netCredits: Money,
): GrantPart[] => {
  const sums = sumByGrant(back.lapsed ? [...back.returned, ...back.lapsed] : back.returned);
  const kept = lessen(charged.drawn.map(toPart), sums);
  account.repaid = lessen(account.repaid, sums);
  putBack(account, back.returned);
  if (back.debtCancelledCredits === undefined) return kept;
  lowerDebt(account, parseMoney(back.debtCancelledCredits));
  const split = splitParts(kept, netCredits);
  keepRepaid(account, split.rest);
  return split.taken;
};

const sumByGrant = (allocations: readonly Allocation[]): Map<string, Money> => {
  const sums = new Map<string, Money>();
  for (const { grantId, amountCredits } of allocations) {
    sums.set(grantId, (sums.get(grantId) ?? zero).plus(parseMoney(amountCredits)));
  }
  return sums;
};

/** What stays drawn after some was given back, last drawn first; uses up `back`. */
const lessen = (drawn: readonly GrantPart[], back: Map<string, Money>): GrantPart[] => {
  const kept: GrantPart[] = [];
  for (const part of drawn.toReversed()) {
    const less = back.get(part.grantId) ?? zero;
    const cut = less.lt(part.amountCredits) ? less : part.amountCredits;
    back.set(part.grantId, less.minus(cut));
    const amountCredits = part.amountCredits.minus(cut);
    if (!amountCredits.isZero()) kept.push({ grantId: part.grantId, amountCredits });
  }
  return kept.reverse();
};
