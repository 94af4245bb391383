import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { asAdmin } from './commands/running.js';
import type { Operator } from './operator.js';
import {
  decideOn,
  multiplierLines,
  multipliers,
  proposeMultiplier,
  withdrawMultiplier,
  type ProposeOptions,
  type WithdrawOptions,
} from './pricing/multipliers.js';
import type { ConfigView } from '@tollkeeper/contracts';

const FROM = [
  '--effective-from <time>',
  'ISO 8601; by default as soon as every service knows',
] as const;
const REASON = ['--reason <text>', 'why, for the audit trail'] as const;

/** Multipliers: a change is a proposal, and somebody else than the proposer decides on it. */
export const addMultiplierCommands = (prices: Command, add: Add, run: Run): void => {
  const change = (work: (operator: Operator) => Promise<ConfigView>) =>
    run((print) =>
      asAdmin(async (operator) => {
        const config = await work(operator);
        print.result(config, multiplierLines([config]));
        return 0;
      }),
    );
  add(prices, 'configs', 'multipliers, and what became of their proposals')
    .option('--status <status>', 'proposed, approved, rejected or withdrawn')
    .action(({ status }: { status?: string }) =>
      run((print) =>
        asAdmin(async (operator) => {
          const configs = await multipliers(operator, status);
          print.result(configs, multiplierLines(configs));
          return 0;
        }),
      ),
    );
  add(prices, 'propose <multiplier>', 'propose a multiplier, which somebody else approves')
    .option('--tier <tier>', 'free, pro, enterprise or enterprise_max')
    .option('--provider <name>')
    .option('--model <name>')
    .option('--default', 'for calls that no other rule is about')
    .requiredOption(...REASON)
    .option(...FROM)
    .action((multiplier: string, options: ProposeOptions) =>
      change((operator) => proposeMultiplier(operator, multiplier, options)),
    );
  add(prices, 'withdraw <ruleId>', 'propose to withdraw a multiplier')
    .requiredOption(...REASON)
    .option(...FROM)
    .action((ruleId: string, options: WithdrawOptions) =>
      change((operator) => withdrawMultiplier(operator, ruleId, options)),
    );
  for (const decision of ['approve', 'reject'] as const) {
    add(prices, `${decision} <proposalId>`, `${decision} what somebody else proposed`)
      .requiredOption(...REASON)
      .action((proposalId: string, { reason }: { reason: string }) =>
        change((operator) => decideOn(operator, decision, proposalId, reason)),
      );
  }
};
