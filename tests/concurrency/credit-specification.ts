import {
  CreditModel,
  decimalOf,
  type ModelReply,
  type SequentialSpecification,
} from '@tollkeeper/testing';
import type { LedgerCommand, LedgerReply } from '../support/ledger-port.js';

/** The model's clock stands still: histories are short, and nothing in them expires. */
const nowMs = Date.parse('2026-03-01T12:00:00.000Z');
const reservationTtlMs = 720_000;

/** One account as the model has it: an operation fits where it gives the reply that was seen. */
export const creditSpecification: SequentialSpecification<CreditModel, LedgerCommand, LedgerReply> =
  {
    initial: () => new CreditModel(reservationTtlMs),
    step: (state, command, reply) => {
      if (command.verb === 'balance') return isBalanceOf(state, reply) ? state : undefined;
      const after = state.clone();
      const expected = after.apply(command, nowMs);
      if (reply === undefined) return after;
      const verdict = reply['status'] === 'accepted' ? 'accepted' : reply['reason'];
      if (verdict !== expected.verdict) return undefined;
      return isReplyOf(expected, reply) && isMomentOf(after, reply) ? after : undefined;
    },
    key: (state) => state.digest(),
  };

const isReplyOf = (expected: ModelReply, reply: LedgerReply): boolean => {
  const same = (units: bigint | undefined, name: string): boolean =>
    units === undefined || reply[name] === decimalOf(units);
  return (
    same(expected.reservedUnits, 'amountCredits') &&
    same(expected.chargeUnits, 'chargeCredits') &&
    same(expected.refundedUnits, 'refundedCredits') &&
    (expected.chargeUnits === undefined ||
      reply['debtCredits'] ===
        (expected.debtUnits === undefined ? undefined : decimalOf(expected.debtUnits)))
  );
};

/** What a reply says of the moment besides, where it says so: also a refusal tells what there was. */
const isMomentOf = (state: CreditModel, reply: LedgerReply): boolean => {
  const { available, debt } = state.balanceAt(nowMs);
  const details = reply['details'] as { readonly available?: string } | undefined;
  const told = reply['available'] ?? details?.available;
  return (
    (told === undefined || told === decimalOf(available)) &&
    (reply['debt'] === undefined || reply['debt'] === decimalOf(debt))
  );
};

const isBalanceOf = (state: CreditModel, reply: LedgerReply | undefined): boolean => {
  if (reply === undefined) return true;
  if (!state.isOpen) return reply['reason'] === 'unknown-account';
  const expected = state.balanceAt(nowMs);
  return (['balance', 'reserved', 'available', 'debt'] as const).every(
    (figure) => reply[figure] === decimalOf(expected[figure]),
  );
};
