import { CreditModel, decimalOf, type SequentialSpecification } from '@tollkeeper/testing';
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
      const { reservedUnits, chargeUnits } = expected;
      const same = (units: bigint | undefined, name: string): boolean =>
        units === undefined || reply[name] === decimalOf(units);
      return same(reservedUnits, 'amountCredits') && same(chargeUnits, 'chargeCredits')
        ? after
        : undefined;
    },
    key: (state) => state.digest(),
  };

const isBalanceOf = (state: CreditModel, reply: LedgerReply | undefined): boolean => {
  if (reply === undefined) return true;
  if (!state.isOpen) return reply['reason'] === 'unknown-account';
  const expected = state.balanceAt(nowMs);
  return (['balance', 'reserved', 'available', 'debt'] as const).every(
    (figure) => reply[figure] === decimalOf(expected[figure]),
  );
};
