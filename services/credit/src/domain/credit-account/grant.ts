import { formatMoney } from '@tollkeeper/kernel';
import type { ExpireGrant, GrantCredits, VoidGrant } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { isKeptForRule } from './recurring-rule.js';
import { repeatedCommand } from './repeated.js';
import type { CreditAccount } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

/** Puts credits in, under the command's id. */
export const grantCredits = (
  command: GrantCredits,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const grantId = command.commandId;
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  if (isKeptForRule(grantId, account.recurringGrants)) {
    return refuse('invalid-request', `${grantId} is the id of a recurring grant's month`);
  }
  const effectiveAt = command.effectiveAt ?? context.at;
  if (command.expiresAt && command.expiresAt <= effectiveAt) {
    return refuse('invalid-request', 'a grant must not expire before it takes effect');
  }
  const { topUpId } = command;
  if (topUpId !== undefined && !account.watch?.topUps.unfulfilled.has(topUpId)) {
    return refuse('invalid-request', `${topUpId} was not requested, or has been granted already`);
  }
  return accept({
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
      ...(topUpId === undefined ? {} : { topUpId }),
      localDate: today(account, context),
    },
  });
};

/**
 * Takes back what is unreserved of a grant. One with nothing unreserved is voided as well, at zero: what is
 * reserved of it lapses when it returns. One that has ended is refused: no event would remember the command, and its id would be free for another.
 */
export const voidGrant = (
  command: VoidGrant,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  const grant = account.grantsById.get(command.grantId);
  if (!grant) return refuse('unknown-grant', `no grant ${command.grantId}`);
  if (grant.ended)
    return refuse('grant-ended', `grant ${grant.grantId} has expired or been voided`);
  return accept({
    type: 'GrantVoided',
    data: {
      grantId: grant.grantId,
      amountCredits: formatMoney(grant.available),
      reasonCode: command.reasonCode,
      ...(command.reference === undefined ? {} : { reference: command.reference }),
      localDate: today(account, context),
    },
  });
};

/**
 * Posts what is unreserved of a grant whose time is over, also where that is nothing: so the account need not look at
 * the grant again, and nobody finds it due.
 */
export const expireGrant = (
  command: ExpireGrant,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const grant = account.grantsById.get(command.grantId);
  if (!grant) return refuse('unknown-grant', `no grant ${command.grantId}`);
  if (context.at.getTime() < grant.expiresAtMs) {
    return refuse('invalid-request', `${grant.grantId} has not expired`);
  }
  if (grant.ended) return nothing;
  return accept({
    type: 'GrantExpired',
    data: {
      grantId: grant.grantId,
      amountCredits: formatMoney(grant.available),
      localDate: today(account, context),
    },
  });
};
