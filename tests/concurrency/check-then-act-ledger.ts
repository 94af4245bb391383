import { CreditModel, decimalOf, type ModelReply, type Random } from '@tollkeeper/testing';
import type { LedgerCommand, LedgerPort, LedgerReply } from '../support/ledger-port.js';

const ttlMs = 720_000;

/**
 * A ledger with the defect that the checker is there for: it looks whether the account can pay, and writes a moment
 * later. Everything else is right.
 */
export const checkThenActLedger = (random: Random): LedgerPort => {
  const accounts = new Map<string, CreditModel>();
  const moment = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, random.int(0, 2)));
  return {
    send: async (accountId, command) => {
      const seen = accounts.get(accountId) ?? new CreditModel(ttlMs);
      if (command.verb === 'balance') return balanceReply(seen);
      const checked = seen.clone();
      const reply = checked.apply(command, Date.now());
      await moment();
      // Whatever was written in between is overwritten.
      accounts.set(accountId, checked);
      return toReply(command, reply);
    },
    close: () => Promise.resolve(),
  };
};

/** The same without the defect: the checker must find nothing here. */
export const soundLedger = (random: Random): LedgerPort => {
  const accounts = new Map<string, CreditModel>();
  const moment = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, random.int(0, 2)));
  return {
    send: async (accountId, command) => {
      await moment();
      const account = accounts.get(accountId) ?? new CreditModel(ttlMs);
      accounts.set(accountId, account);
      const reply =
        command.verb === 'balance'
          ? balanceReply(account)
          : toReply(command, account.apply(command, Date.now()));
      await moment();
      return reply;
    },
    close: () => Promise.resolve(),
  };
};

const balanceReply = (account: CreditModel): LedgerReply => {
  if (!account.isOpen) return { status: 'refused', reason: 'unknown-account' };
  const figures = Object.entries(account.balanceAt(Date.now()));
  return Object.fromEntries(figures.map(([name, units]) => [name, decimalOf(units as bigint)]));
};

const toReply = (command: LedgerCommand, reply: ModelReply): LedgerReply => {
  if (reply.verdict !== 'accepted') return { status: 'refused', reason: reply.verdict };
  const { reservedUnits, chargeUnits } = reply;
  return {
    status: 'accepted',
    verb: command.verb,
    ...(reservedUnits === undefined ? {} : { amountCredits: decimalOf(reservedUnits) }),
    ...(chargeUnits === undefined ? {} : { chargeCredits: decimalOf(chargeUnits) }),
  };
};
