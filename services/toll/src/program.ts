import { Command } from 'commander';

import { addAdminCommands } from './admin-program.js';
import {
  balanceOf,
  checkedAmount,
  checkedId,
  grantTo,
  openNewAccount,
  issueKeyTo,
  type OpenOptions,
} from './commands/account.js';
import { runAudit } from './commands/audit.js';
import { natsUrlFor } from './commands/nats-url.js';
import { costOfLines, type CostOptions } from './commands/prices.js';
import { asOperator } from './commands/running.js';
import { startPlatform } from './commands/start.js';
import { statusOf } from './commands/status.js';
import { stopPlatform } from './commands/stop.js';
import type { Add, Run, Work } from './command-line.js';
import { addCorrectionCommands } from './correction-program.js';
import { addPolicyCommands } from './policy-program.js';
import { addPriceImport } from './price-import-program.js';
import { homeOf } from './home/home.js';
import { addIdentityCommands } from './identity-program.js';
import { addPricingCommands } from './pricing-program.js';
import { columns, printer } from './print.js';
import { addSettingCommands } from './setting-program.js';

const JSON_FLAG = ['--json', 'print JSON for programs'] as const;

export const tollProgram = (argv: readonly string[]): Command => {
  const json = argv.includes('--json');
  const run = async (work: Work): Promise<void> => {
    const print = printer(json);
    try {
      process.exitCode = (await work(print)) ?? 0;
    } catch (error) {
      print.failure(error);
      process.exitCode = 1;
    }
  };
  const program = new Command('toll')
    .description('A ledger of prepaid credits for AI calls')
    .option(...JSON_FLAG);
  /** Every command takes the flag, so that it may stand before or after the command's name. */
  const add = (parent: Command, nameAndArgs: string, description: string): Command =>
    parent
      .command(nameAndArgs)
      .description(description)
      .option(...JSON_FLAG);

  addPlatformCommands(program, add, run);
  addAccountCommands(program, add, run);
  addCorrectionCommands(program, add, run);
  addPolicyCommands(program, add, run);
  addPriceCommands(program, add, run);
  addAdminCommands(program, add, run);
  addSettingCommands(program, add, run);
  addAuditCommands(program, add, (args) => run(() => runAudit(json ? [...args, '--json'] : args)));
  return program;
};

const addPlatformCommands = (program: Command, add: Add, run: Run): void => {
  add(program, 'start', 'start everything, in the foreground').action(() =>
    run(async (print) => {
      await startPlatform(homeOf(), print);
      return 0;
    }),
  );
  add(program, 'stop', 'stop what `toll start` started').action(() =>
    run(async (print) => {
      const stopped = await stopPlatform(homeOf(), print.progress);
      print.result({ stopped }, [stopped ? 'stopped' : 'nothing is running']);
      return 0;
    }),
  );
  add(program, 'status', 'what runs here; exit code 1 when not everything does').action(() =>
    run((print) => {
      const status = statusOf(homeOf());
      const pids = Object.entries(status.pids).map(
        ([name, pid]) => [name, pid.toString()] as const,
      );
      const fields = { url: status.gatewayUrl ?? '-', ...Object.fromEntries(pids) };
      print.result(status, [status.state, ...columns(fields)]);
      return Promise.resolve(status.state === 'running' ? 0 : 1);
    }),
  );
  add(program, 'nats-url [user]', 'the NATS URL for other services: platform or operator').action(
    (user: string | undefined) =>
      run((print) => {
        const natsUrl = natsUrlFor(homeOf(), user ?? 'platform');
        print.result({ natsUrl }, [natsUrl]);
        return Promise.resolve(0);
      }),
  );
};

const addAccountCommands = (program: Command, add: Add, run: Run): void => {
  const account = program.command('account').description('credit accounts');
  add(account, 'open', 'open an account, grant its first credits, issue a key')
    .option('--tier <tier>', 'free, pro, enterprise or enterprise_max', 'free')
    .option('--grant <credits>', 'its first credits, as in 100 or 12.5')
    .option('--id <id>', 'the account id; a new one by default')
    .option('--time-zone <zone>', 'for its days and months, as in Europe/Berlin')
    .option('--user <id>', 'the id of its owner; a new one by default')
    .action((options: OpenOptions) =>
      run((print) =>
        asOperator(async (operator) => {
          const opened = await openNewAccount(operator, options);
          print.result(opened, columns({ ...opened }));
          return 0;
        }),
      ),
    );
  add(account, 'show <id>', 'its balance').action((id: string) =>
    run((print) =>
      asOperator(async (operator) => {
        const view = await balanceOf(operator, checkedId(id));
        print.result(view, columns({ ...view }));
        return 0;
      }),
    ),
  );
  const key = add(account, 'key <id>', 'issue another API key')
    .option('--user <id>', 'whose key it is; the owner of the account by default')
    .option('--project <id>', 'the project that its calls are for; any by default')
    .action((id: string, { user, project }: { user?: string; project?: string }) =>
      run((print) =>
        asOperator(async (operator) => {
          const issued = await issueKeyTo(operator, checkedId(id), user, project);
          print.result(issued, columns({ ...issued }));
          return 0;
        }),
      ),
    );
  addIdentityCommands(account, key, add, run);
  add(program, 'grant <id> <credits>', 'grant credits to an account').action(
    (id: string, credits: string) =>
      run((print) =>
        asOperator(async (operator) => {
          const grant = { accountId: checkedId(id), amountCredits: checkedAmount(credits) };
          const granted = await grantTo(operator, { ...grant, kind: 'purchase' });
          print.result(granted, columns({ ...granted }));
          return 0;
        }),
      ),
  );
};

const addPriceCommands = (program: Command, add: Add, run: Run): void => {
  const prices = program
    .command('prices')
    .description('what calls cost, and what they are charged');
  addPricingCommands(prices, add, run);
  add(prices, 'cost [file]', 'JSON lines of usage in, JSON lines of cost and charge out')
    .option('--prices <book>', 'genai-prices: the pinned public table; else the running price book')
    .option(
      '--preset <name>',
      'whole-credits, usd-credits or markup-15 in place of the terms; may be given again',
      (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
    )
    .action((file: string | undefined, options: CostOptions) =>
      run(async () => {
        await costOfLines(file, options);
        return 0;
      }),
    );
  addPriceImport(prices, add, run);
};

const addAuditCommands = (
  program: Command,
  add: Add,
  audit: (args: readonly string[]) => Promise<void>,
): void => {
  const projections = program.command('projections').description('read models');
  add(projections, 'rebuild', 'drop the read models and build them from the events').action(() =>
    audit(['rebuild']),
  );
  const proof = program
    .command('audit')
    .description('the events, and the proof of what is derived');
  add(proof, 'replay <accountId>', 'every event of an account with the balance after it').action(
    (accountId: string) => audit(['replay', accountId]),
  );
  add(
    proof,
    'verify',
    'recompute every charge, hash and read model; exit code 1 on a difference',
  ).action(() => audit(['verify']));
};
