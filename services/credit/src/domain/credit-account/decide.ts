import { unreachable } from '@tollkeeper/kernel';
import { adjustCredits } from './adjust.js';
import { settlePlainCharge } from './charge.js';
import type { CreditCommand } from './commands.js';
import type { DecisionContext } from './context.js';
import { correctUsage } from './correct.js';
import { expireGrant, grantCredits, voidGrant } from './grant.js';
import { idTakenByAnother } from './known-commands.js';
import { accountAfter, isSpending, openAccount, openingBySpending } from './open-account.js';
import { postRecurringGrant, setRecurringGrant } from './recur.js';
import { refundCharge } from './refund.js';
import { releaseReservation } from './release.js';
import { reserveAmount, reserveCompletion } from './reserve.js';
import { removeLimit, setLimit } from './set-limit.js';
import { settleReservation } from './settle.js';
import { changeTier, freezeAccount, setAlerts, setTopUpRule } from './settings.js';
import type { CreditAccount } from './state.js';
import { accept, refuse, type Verdict } from './verdict.js';

/**
 * Sending a command again adds no second event, so every command is safe to retry. One whose id was taken with other fields is
 * refused here; the verbs know only that theirs was carried out.
 */
export const decide = (
  command: CreditCommand,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  if (command.type === 'OpenAccount') return openAccount(command, account, context);
  if (!account.opened) return decideUnopened(command, account, context);
  const taken = idTakenByAnother(command, account);
  if (taken) return taken;
  if (account.frozen && isSpending(command) && !account.reservations.has(command.commandId)) {
    return refuse('account-frozen', `account ${account.accountId} is frozen`);
  }
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
    case 'VoidGrant':
      return voidGrant(command, account, context);
    case 'ExpireGrant':
      return expireGrant(command, account, context);
    case 'SetRecurringGrant':
      return setRecurringGrant(command, account, context);
    case 'PostRecurringGrant':
      return postRecurringGrant(command, account, context);
    case 'Refund':
      return refundCharge(command, account, context);
    case 'Adjust':
      return adjustCredits(command, account, context);
    case 'ChangeTier':
      return changeTier(command, account);
    case 'Freeze':
    case 'Unfreeze':
      return freezeAccount(command, account);
    case 'SetAlerts':
      return setAlerts(command, account);
    case 'SetTopUpRule':
      return setTopUpRule(command, account);
    case 'SetLimit':
      return setLimit(command, account);
    case 'RemoveLimit':
      return removeLimit(command, account);
    default:
      return unreachable(command);
  }
};

/** A spending that may open its account is decided on the account as it then is, and both are stored in one append. */
const decideUnopened = (
  command: CreditCommand,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const opening = openingBySpending(command, account, context);
  if (!opening) return refuse('unknown-account', `no account ${account.accountId}`);
  if (opening.type === 'refuse') return opening;
  const opened = accountAfter(opening.events, account.accountId, command, context);
  const verdict = decide(command, opened, context);
  return verdict.type === 'accept' ? accept(...opening.events, ...verdict.events) : verdict;
};
