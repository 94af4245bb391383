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
  /** Histories that lasted too long to be checked. */
  readonly tooLong: number;
  /** Histories that no order explains, with the longest order that was found. */
  readonly wrong: readonly {
    readonly accountId: string;
    readonly history: readonly CreditOperation[];
    readonly order: readonly number[];
  }[];
}

export interface HistoriesWanted {
  /** Asked before each; it is told how many have begun. */
  readonly goOn: (begun: number) => boolean;
  readonly atOnce?: number;
  readonly options?: HistoryOptions;
  /** Longer ones are not checked: reservations may have expired in them, which nobody saw. */
  readonly lastsMsMax?: number;
}

/**
 * Records histories on accounts of their own, some at a time, and looks for an order that explains each. When all are
 * recorded: a search can take minutes, in which the relays of this process would stand still, and every service with them.
 */
export const checkHistories = async (
  ledger: LedgerPort,
  random: Random,
  { goOn, atOnce = 8, options = defaultHistory, lastsMsMax = Infinity }: HistoriesWanted,
): Promise<CheckedHistories> => {
  const run = random.int(0, 1e9).toString(36);
  const recorded = new Map<string, readonly CreditOperation[]>();
  const counts = { histories: 0, operations: 0, unanswered: 0, tooLong: 0 };
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (goOn(begun)) {
      const accountId = `history_${run}_${String(begun++)}`;
      const startedAt = performance.now();
      const history = await recordHistory(ledger, accountId, random, options);
      if (performance.now() - startedAt > lastsMsMax) {
        counts.tooLong++;
        continue;
      }
      counts.histories++;
      counts.operations += history.length;
      counts.unanswered += history.filter(({ reply }) => reply === undefined).length;
      recorded.set(accountId, history);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const wrong: CheckedHistories['wrong'][number][] = [];
  for (const [accountId, history] of recorded) {
    const { linearizable, order } = linearize(history, creditSpecification);
    if (!linearizable) wrong.push({ accountId, history, order });
  }
  return { ...counts, wrong };
};
