import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import {
  alertAt,
  limitAt,
  limitLines,
  limitsOf,
  recurAt,
  topUpAt,
  unlimit,
  type LimitOptions,
  type RecurOptions,
  type TopUpOptions,
} from './commands/policy.js';
import { asOperator } from './commands/running.js';
import type { Operator } from './operator.js';
import { columns } from './print.js';

/** What an operator settles for an account ahead of its calls: limits, monthly grants, alerts and top-ups. */
export const addPolicyCommands = (program: Command, add: Add, run: Run): void => {
  const order = (work: (operator: Operator) => Promise<Readonly<Record<string, string>>>) =>
    run((print) =>
      asOperator(async (operator) => {
        const done = await work(operator);
        print.result(done, columns(done));
        return 0;
      }),
    );
  const limit = program.command('limit').description('what an account may use of a time or in all');
  add(limit, 'set <id> <limitId> <amount>', 'set a limit, or change its amount or mode')
    .requiredOption('--scope <scope>', 'account, key:<id>, user:<id> or project:<id>')
    .requiredOption('--window <window>', 'minute, hour, day, month or total')
    .requiredOption('--unit <unit>', 'credits, usd, tokens or requests')
    .option('--mode <mode>', 'hard refuses, soft reports, rate is counted in memory only', 'hard')
    .action((id: string, limitId: string, amount: string, options: LimitOptions) =>
      order((operator) => limitAt(operator, id, { limitId, amount }, options)),
    );
  add(limit, 'list <id>', 'its limits, and what of them is used').action((id: string) =>
    run((print) =>
      asOperator(async (operator) => {
        const view = await limitsOf(operator, id);
        print.result(view, limitLines(view));
        return 0;
      }),
    ),
  );
  add(limit, 'remove <id> <limitId>', 'remove a limit').action((id: string, limitId: string) =>
    order((operator) => unlimit(operator, id, limitId)),
  );
  add(program, 'recur <id> <recurringId> <credits>', 'grant credits each month; 0 ends it')
    .option('--day <day>', 'of the month, 1 to 28', '1')
    .option('--rollover-cap <credits>', 'the most that a month hands on to the next')
    .option('--kind <kind>', 'subscription, promotion, initial or purchase', 'subscription')
    .action((id: string, recurringId: string, amountCredits: string, options: RecurOptions) =>
      order((operator) => recurAt(operator, id, { recurringId, amountCredits }, options)),
    );
  add(program, 'alerts <id> <credits...>', 'report when the account falls below these').action(
    (id: string, thresholds: string[]) => order((operator) => alertAt(operator, id, thresholds)),
  );
  add(program, 'top-up-rule <id>', 'ask for more credits when the account falls below')
    .requiredOption('--below <credits>', 'ask when less than this is available')
    .requiredOption('--amount <credits>', 'how many to ask for')
    .requiredOption('--monthly-cap <credits>', 'the most to ask for in a month')
    .option('--cool-down <seconds>', 'between two requests; an hour by default')
    .option('--off', 'keep the rule, and ask for nothing', false)
    .action((id: string, options: TopUpOptions) =>
      order((operator) => topUpAt(operator, id, options)),
    );
};
