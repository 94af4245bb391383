import type { CreditAccountEvent } from '@tollkeeper/events';
import { formatMoney, minMoney, unreachable, zero } from '@tollkeeper/kernel';
import { settlePlainCharge } from './charge.js';
import type { CreditCommand, GrantCredits, OpenAccount } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { correctUsage } from './correct.js';
import { releaseReservation } from './release.js';
import { reserveAmount, reserveCompletion } from './reserve.js';
import { removeLimit, setLimit } from './set-limit.js';
import { settleReservation } from './settle.js';
import type { CreditAccount } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

/** Sending a command again adds no second event, so every command is safe to retry. */
export const decide = (
  command: CreditCommand,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  if (command.type === 'OpenAccount') return openAccount(command, account);
  if (!account.opened) return refuse('unknown-account', `no account ${account.accountId}`);
  switch (command.type) {
    case 'GrantCredits':
      return grantCredits(command, account, context);
    case 'ReserveCompletion':
      return reserveCompletion(command, account, context);
    case 'ReserveAmount':
      return reserveAmount(command, account, context);
    case 'Charge':
      return settlePlainCharge(command, account, context);
    case 'Settle':
      return settleReservation(command, account, context);
    case 'Release':
      return releaseReservation(command, account, context);
    case 'CorrectUsage':
      return correctUsage(command, account, context);
    case 'SetLimit':
      return setLimit(command, account);
    case 'RemoveLimit':
      return removeLimit(command, account);
    default:
      return unreachable(command);
  }
};

const openAccount = (command: OpenAccount, account: CreditAccount): Verdict => {
  if (account.openedBy) {
    return account.openedBy.commandHash === command.commandHash
      ? nothing
      : refuse('account-exists', `account ${account.accountId} is open already`);
  }
  return accept({
    type: 'AccountOpened',
    data: {
      accountId: account.accountId,
      kind: command.kind,
      ownerUserId: command.ownerUserId,
      tier: command.tier,
      timeZone: command.timeZone,
    },
  });
};

const grantCredits = (
  command: GrantCredits,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const grantId = command.commandId;
  const known = account.grantHashes.get(grantId);
  if (known !== undefined) {
    return known === command.commandHash
      ? nothing
      : refuse('replay-mismatch', `grant ${grantId} was made with other fields`);
  }
  const effectiveAt = command.effectiveAt ?? context.at;
  if (command.expiresAt && command.expiresAt <= effectiveAt) {
    return refuse('invalid-request', 'a grant must not expire before it takes effect');
  }
  const granted: CreditAccountEvent = {
    type: 'CreditsGranted',
    data: {
      grantId,
      kind: command.kind,
      amountCredits: formatMoney(command.amountCredits),
      priority: command.priority,
      effectiveAt: effectiveAt.toISOString(),
      ...(command.expiresAt ? { expiresAt: command.expiresAt.toISOString() } : {}),
      ...(command.costBasisUsd ? { costBasisUsd: formatMoney(command.costBasisUsd) } : {}),
      ...(command.externalReference === undefined
        ? {}
        : { externalReference: command.externalReference }),
      localDate: today(account, context),
    },
  };
  const inForce =
    effectiveAt <= context.at && !(command.expiresAt && command.expiresAt <= context.at);
  const repays = inForce ? minMoney(account.debtCredits, command.amountCredits) : zero;
  return repays.isZero()
    ? accept(granted)
    : accept(granted, {
        type: 'DebtRepaid',
        data: { grantId, amountCredits: formatMoney(repays) },
      });
};
