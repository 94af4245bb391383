import type { Allocation } from '@tollkeeper/events';
import { parseMoney, sumMoney, zero, type Money } from '@tollkeeper/kernel';

/** Credits of some allocations; an event names none where there are none. */
export const sumOf = (allocations: readonly Allocation[] | undefined): Money => {
  const first = allocations?.[0];
  if (!first) return zero;
  return allocations.length === 1
    ? parseMoney(first.amountCredits)
    : sumMoney(allocations.map((allocation) => parseMoney(allocation.amountCredits)));
};

export const amountOf = (text: string | undefined): Money =>
  text === undefined ? zero : parseMoney(text);
