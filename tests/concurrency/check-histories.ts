import { linearize, type Random } from '@tollkeeper/testing';
import type { LedgerPort } from '../support/ledger-port.js';
import { creditSpecification } from './credit-specification.js';
import {
  defaultHistory,
  recordHistory,
  type CreditOperation,
  type HistoryOptions,
} from './record-history.js';

export interface CheckedHistories {
  readonly histories: number;
  readonly operations: number;
  /** Operations of which no answer came. */
  readonly unanswered: number;
  /** Histories that no order explains, with the longest order that was found. */
  readonly wrong: readonly {
    readonly accountId: string;
    readonly history: readonly CreditOperation[];
    readonly order: readonly number[];
  }[];
}

/** Records histories on accounts of their own, some at a time, and looks for an order that explains each. */
export const checkHistories = async (
  ledger: LedgerPort,
  random: Random,
  {
    count,
    atOnce = 8,
    options = defaultHistory,
  }: { count: number; atOnce?: number; options?: HistoryOptions },
): Promise<CheckedHistories> => {
  const run = random.int(0, 1e9).toString(36);
  const wrong: CheckedHistories['wrong'][number][] = [];
  let operations = 0;
  let unanswered = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const accountId = `history_${run}_${String(next++)}`;
      const history = await recordHistory(ledger, accountId, random, options);
      operations += history.length;
      unanswered += history.filter(({ reply }) => reply === undefined).length;
      const { linearizable, order } = linearize(history, creditSpecification);
      if (!linearizable) wrong.push({ accountId, history, order });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { histories: count, operations, unanswered, wrong };
};
