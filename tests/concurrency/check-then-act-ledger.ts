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
      return toReply(command, reply, checked);
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
          : toReply(command, account.apply(command, Date.now()), account);
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

/** Of the moment, besides what was done. */
const telling: ReadonlySet<string> = new Set(['grant', 'refund', 'adjust']);

const toReply = ({ verb }: LedgerCommand, reply: ModelReply, account: CreditModel): LedgerReply => {
  if (reply.verdict !== 'accepted') return { status: 'refused', reason: reply.verdict };
  const figures = {
    amountCredits: reply.reservedUnits,
    chargeCredits: reply.chargeUnits,
    debtCredits: reply.debtUnits,
    refundedCredits: reply.refundedUnits,
    available: telling.has(verb) ? account.balanceAt(Date.now()).available : undefined,
  };
  const shown = Object.entries(figures).flatMap(([name, units]) =>
    units === undefined ? [] : [[name, decimalOf(units)] as const],
  );
  return { status: 'accepted', verb, ...Object.fromEntries(shown) };
};
