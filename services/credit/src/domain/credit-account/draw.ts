import type { Allocation } from '@tollkeeper/events';
import { formatMoney, minMoney, parseMoney, type Money } from '@tollkeeper/kernel';
import { isUsable, type CreditAccount, type Grant, type GrantPart } from './state.js';

/**
 * Lowest priority number first, then earliest expiry, then oldest: no two are equally old. Two that never expire differ by
 * NaN, which counts as no difference.
 */
export const drawOrder = (a: Grant, b: Grant): number =>
  a.priority - b.priority || a.expiresAtMs - b.expiresAtMs || a.order - b.order;

export interface Draw {
  readonly parts: readonly GrantPart[];
  /** What no grant covers. */
  readonly short: Money;
}

/** Takes an amount from the unreserved credits of the grants in force; changes nothing. */
export const drawFromGrants = (account: CreditAccount, amount: Money, atMs: number): Draw => {
  const parts: GrantPart[] = [];
  let left = amount;
  for (const grant of account.grants) {
    if (left.isZero()) break;
    if (grant.available.isZero() || !isUsable(grant, atMs)) continue;
    const part = minMoney(left, grant.available);
    parts.push({ grantId: grant.grantId, amountCredits: part });
    left = left.minus(part);
  }
  return { parts, short: left };
};

/** Takes an amount from the front of some parts: what is taken, what stays, what they do not cover. */
export const splitParts = (
  parts: readonly GrantPart[],
  amount: Money,
): { readonly taken: GrantPart[]; readonly rest: GrantPart[]; readonly short: Money } => {
  const taken: GrantPart[] = [];
  const rest: GrantPart[] = [];
  let left = amount;
  for (const part of parts) {
    const take = minMoney(left, part.amountCredits);
    const stay = part.amountCredits.minus(take);
    if (!take.isZero()) taken.push({ grantId: part.grantId, amountCredits: take });
    if (!stay.isZero()) rest.push({ grantId: part.grantId, amountCredits: stay });
    left = left.minus(take);
  }
  return { taken, rest, short: left };
};

/** Credits go back to the grants they came from; those of a grant that has expired or was voided since lapse. */
export const giveBack = (
  account: CreditAccount,
  parts: readonly GrantPart[],
  atMs: number,
): { readonly returned: Allocation[]; readonly lapsed: Allocation[] } => {
  const returned: Allocation[] = [];
  const lapsed: Allocation[] = [];
  for (const part of parts) {
    const grant = account.grantsById.get(part.grantId);
    const ended = !grant || grant.ended || grant.expiresAtMs <= atMs;
    (ended ? lapsed : returned).push(toAllocation(part));
  }
  return { returned, lapsed };
};

export const toAllocation = (part: GrantPart): Allocation => ({
  grantId: part.grantId,
  amountCredits: formatMoney(part.amountCredits),
});

export const toPart = (allocation: Allocation): GrantPart => ({
  grantId: allocation.grantId,
  amountCredits: parseMoney(allocation.amountCredits),
});
