import { formatMoney } from '@tollkeeper/kernel';
import type { ChangeTier, Freeze, SetAlerts, SetTopUpRule } from './commands.js';
import { repeatedCommand } from './repeated.js';
import type { CreditAccount } from './state.js';
import { accept, refuse, type Verdict } from './verdict.js';

/** What an operator sets is stored also where it changes nothing, so that the command is known when it comes again. */

export const changeTier = (command: ChangeTier, account: CreditAccount): Verdict =>
  repeatedCommand(command, account) ??
  accept({
    type: 'TierChanged',
    data: { from: account.tier, to: command.tier, reason: command.reason },
  });

export const freezeAccount = (command: Freeze, account: CreditAccount): Verdict =>
  repeatedCommand(command, account) ??
  accept({
    type: command.type === 'Freeze' ? 'AccountFrozen' : 'AccountUnfrozen',
    data: { reason: command.reason },
  });

export const setAlerts = (command: SetAlerts, account: CreditAccount): Verdict =>
  repeatedCommand(command, account) ??
  accept({
    type: 'BalanceAlertsSet',
    data: { thresholdsCredits: [...new Set(command.thresholdsCredits.map(formatMoney))] },
  });

/** A cap below one request's amount would never let it come. */
export const setTopUpRule = (command: SetTopUpRule, account: CreditAccount): Verdict => {
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  if (command.amountCredits.gt(command.monthlyCapCredits)) {
    return refuse('invalid-request', 'the monthly cap is below the amount of one top-up');
  }
  return accept({
    type: 'TopUpRuleSet',
    data: {
      thresholdCredits: formatMoney(command.thresholdCredits),
      amountCredits: formatMoney(command.amountCredits),
      coolDownSeconds: command.coolDownSeconds,
      monthlyCapCredits: formatMoney(command.monthlyCapCredits),
      enabled: command.enabled,
    },
  });
};
