import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { asAdmin } from './commands/running.js';
import {
  alertDecisions,
  alertLines,
  decidedLines,
  decideOnAlert,
  priceAlerts,
  type AlertOptions,
} from './pricing/price-alerts.js';

const descriptions = {
  acknowledge: 'say that somebody looks into it',
  apply: 'publish the price that was found',
  ignore: 'leave the price as it is; the same one raises no other alert',
} as const;

/** What imports found changed, and what becomes of it. */
export const addPriceAlertCommands = (prices: Command, add: Add, run: Run): void => {
  add(prices, 'alerts', 'prices that an import found changed')
    .option('--state <state>', 'open, acknowledged, applied or ignored')
    .action(({ state }: { state?: string }) =>
      run((print) =>
        asAdmin(async (operator) => {
          const alerts = await priceAlerts(operator, state);
          print.result(alerts, alertLines(alerts));
          return 0;
        }),
      ),
    );
  const alert = prices.command('alert').description('decide on an alert');
  for (const decision of alertDecisions) {
    const command = add(alert, `${decision} <alertId>`, descriptions[decision]).requiredOption(
      '--reason <text>',
      'why, for the audit trail',
    );
    if (decision === 'apply') {
      command
        .option('--propose-multiplier', 'also propose what the alert recommends')
        .option('--effective-from <time>', 'ISO 8601; by default as soon as every service knows');
    }
    command.action((alertId: string, options: AlertOptions) =>
      run((print) =>
        asAdmin(async (operator) => {
          const decided = await decideOnAlert(operator, decision, alertId, options);
          print.result(decided, decidedLines(decided));
          return 0;
        }),
      ),
    );
  }
};
