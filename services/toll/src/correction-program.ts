import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import {
  adjustBy,
  changeTierOf,
  freezeOrNot,
  refundTo,
  voidGrantOf,
  type Reasoned,
} from './commands/correction.js';
import { asOperator } from './commands/running.js';
import type { Operator } from './operator.js';
import { columns } from './print.js';

/** What an operator does to an account when something went wrong, or somebody asks for it. */
export const addCorrectionCommands = (program: Command, add: Add, run: Run): void => {
  const order = (work: (operator: Operator) => Promise<Readonly<Record<string, unknown>>>) =>
    run((print) =>
      asOperator(async (operator) => {
        const done = await work(operator);
        const fields = Object.entries(done).map(([name, value]) => [name, String(value)]);
        print.result(done, columns(Object.fromEntries(fields) as Record<string, string>));
        return 0;
      }),
    );
  const addReasoned = (nameAndArgs: string, description: string): Command =>
    add(program, nameAndArgs, description)
      .requiredOption('--reason <code>', 'why, as in goodwill or billing-error')
      .option('--reference <text>', 'a ticket or another id outside');

  addReasoned('void <id> <grantId>', 'take back what is unreserved of a grant').action(
    (id: string, grantId: string, why: Reasoned) =>
      order((operator) => voidGrantOf(operator, id, grantId, why)),
  );
  addReasoned(
    'refund <id> <reservationId> [credits]',
    'give back what a call was charged; all that is left of it by default',
  ).action((id: string, reservationId: string, amountCredits: string | undefined, why: Reasoned) =>
    order((operator) => refundTo(operator, id, { reservationId, amountCredits }, why)),
  );
  addReasoned('adjust <id> <credits>', 'add credits, or take them where the amount is negative')
    .option('--book-debt', 'let the account owe what it does not have', false)
    .action((id: string, amountCredits: string, options: Reasoned & { bookDebt: boolean }) =>
      order((operator) =>
        adjustBy(operator, id, { amountCredits, bookDebt: options.bookDebt }, options),
      ),
    );
  add(program, 'freeze <id> <reason>', 'let an account reserve nothing more').action(
    (id: string, reason: string) =>
      order((operator) => freezeOrNot(operator, id, 'freeze', reason)),
  );
  add(program, 'unfreeze <id> <reason>', 'let a frozen account reserve again').action(
    (id: string, reason: string) =>
      order((operator) => freezeOrNot(operator, id, 'unfreeze', reason)),
  );
  add(program, 'tier <id> <tier> <reason>', 'change the tier that calls are priced at').action(
    (id: string, tier: string, reason: string) =>
      order((operator) => changeTierOf(operator, id, tier, reason)),
  );
};
