import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { asOperator } from './commands/running.js';
import {
  explanationOf,
  questionOf,
  quoteFor,
  quoteLines,
  type QuoteOptions,
} from './pricing/quote.js';

/** What a call would be charged, and why one was charged what it was. */
export const addQuoteCommands = (prices: Command, add: Add, run: Run): void => {
  add(prices, 'quote <provider> <model>', 'what a call would be charged; nothing is reserved')
    .option('--tier <tier>', 'free, pro, enterprise or enterprise_max', 'pro')
    .option(
      '--usage <pool=tokens>',
      'what it uses, as in input=1000; again for each pool',
      (pool: string, pools: readonly string[] | undefined) => [...(pools ?? []), pool],
    )
    .option('--input-tokens <count>', 'in place of usage: the most that it takes')
    .option('--output-tokens <count>', 'the most that it gives')
    .option('--choices <count>', 'how many answers; 1 by default')
    .option('--at <time>', 'when it begins, ISO 8601; now by default')
    .option('--service-tier <name>', 'as the vendor names it, such as batch')
    .option('--region <name>', 'where the vendor runs it')
    .action((provider: string, model: string, options: QuoteOptions) =>
      run((print) => {
        const question = questionOf(provider, model, options);
        return asOperator(async (operator) => {
          const quote = await quoteFor(operator, question);
          print.result(quote, quoteLines(quote));
          return 0;
        });
      }),
    );
  add(prices, 'explain <accountId> <reservationId>', 'a charge, step by step').action(
    (accountId: string, reservationId: string) =>
      run((print) =>
        asOperator(async (operator) => {
          const explanation = await explanationOf(operator, accountId, reservationId);
          print.result(explanation, explanation.text);
          return 0;
        }),
      ),
  );
};
