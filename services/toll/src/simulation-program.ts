import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { asAdmin } from './commands/running.js';
import {
  rerateCalls,
  rerateLines,
  simulateProposal,
  simulationLines,
  writeCsv,
  type RangeOptions,
  type RerateOptions,
  type SimulateOptions,
} from './pricing/simulations.js';

const collect = (value: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];

const inRange = (command: Command): Command =>
  command
    .option('--days <days>', 'the last 7, 30 or 90 days')
    .option('--from <time>', 'ISO 8601, in place of --days')
    .option('--to <time>', 'ISO 8601, exclusive; now by default')
    .option('--account <id>', 'of one account only');

/** What a change of prices would have done to recorded calls, and doing it. */
export const addSimulationCommands = (prices: Command, add: Add, run: Run): void => {
  inRange(add(prices, 'simulate', 'recorded calls under other multipliers and vendor prices'))
    .option(
      '--multiplier <scope=multiplier>',
      'as in default=1.6, tier:pro=1.4, provider:openai,model:gpt-4o=2; may be given again',
      collect,
    )
    .option('--price <file>', 'a vendor price as for publish; may be given again', collect)
    .option('--csv <file>', 'all of it, with every affected user, as a table')
    .action(({ csv, ...options }: SimulateOptions & RangeOptions & { csv?: string }) =>
      run((print) =>
        asAdmin(async (operator) => {
          const view = await simulateProposal(operator, options);
          if (csv !== undefined) await writeCsv(operator, view, csv);
          print.result(view, simulationLines(view));
          return 0;
        }),
      ),
    );
  inRange(add(prices, 'rerate <priceVersion>', 'charge recorded calls at another price version'))
    .option('--post', 'book the differences; without it they are only listed')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .action((priceVersion: string, options: RerateOptions & RangeOptions) =>
      run((print) =>
        asAdmin(async (operator) => {
          const view = await rerateCalls(operator, priceVersion, options);
          print.result(view, rerateLines(view));
          return view.failed.length === 0 ? 0 : 1;
        }),
      ),
    );
};
