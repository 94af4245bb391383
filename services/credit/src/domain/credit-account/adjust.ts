import { defaultGrantPriority } from '@tollkeeper/events';
import { formatMoney, type Money } from '@tollkeeper/kernel';
import type { Adjust } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { drawFromGrants, toAllocation } from './draw.js';
import { isKeptForRule } from './recurring-rule.js';
import { repeatedCommand } from './repeated.js';
import { shortfall } from './reserve.js';
import { availableCredits, type CreditAccount } from './state.js';
import { accept, refuse, type Verdict } from './verdict.js';

/** An operator's change of the balance: up by a grant, down by what is available or, where that is asked for, by debt. */
export const adjustCredits = (
  command: Adjust,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  if (command.amountCredits.isZero()) return refuse('invalid-request', 'nothing to adjust');
  return command.amountCredits.isNegative()
    ? down(command, command.amountCredits.negated(), account, context)
    : up(command, account, context);
};

const up = (command: Adjust, account: CreditAccount, context: DecisionContext): Verdict => {
  if (isKeptForRule(command.commandId, account.recurringGrants)) {
    return refuse('invalid-request', `${command.commandId} is the id of a recurring grant's month`);
  }
  return accept({
    type: 'CreditsGranted',
    data: {
      grantId: command.commandId,
      kind: 'adjustment',
      amountCredits: formatMoney(command.amountCredits),
      priority: defaultGrantPriority,
      effectiveAt: context.at.toISOString(),
      ...(command.reference === undefined ? {} : { externalReference: command.reference }),
      reasonCode: command.reasonCode,
      localDate: today(account, context),
    },
  });
};

const down = (
  command: Adjust,
  amount: Money,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const atMs = context.at.getTime();
  if (!command.bookDebt && amount.gt(availableCredits(account, atMs))) {
    const policy = context.prices.policyAt(context.at);
    return policy
      ? shortfall('insufficient-credits', account, amount, context, policy)
      : refuse('insufficient-credits', 'less is available than is to be taken');
  }
  const draw = drawFromGrants(account, amount, atMs);
  return accept({
    type: 'CreditsAdjusted',
    data: {
      adjustmentId: command.commandId,
      amountCredits: formatMoney(amount),
      reasonCode: command.reasonCode,
      ...(command.reference === undefined ? {} : { reference: command.reference }),
      drawn: draw.parts.map(toAllocation),
      ...(draw.short.isZero()
        ? {}
        : { debt: { amountCredits: formatMoney(draw.short), cause: 'adjustment' as const } }),
      localDate: today(account, context),
    },
  });
};
