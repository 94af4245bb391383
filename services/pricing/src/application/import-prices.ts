import { vendorPriceStream } from '@tollkeeper/events';
import { uuidv7 } from '@tollkeeper/kernel';
import { tierTermsAt } from '../domain/price-watch/assess-change.js';
import {
  outcomesOf,
  planImport,
  type ImportContext,
  type ImportedOffer,
  type ImportOutcome,
  type ImportPlan,
} from '../domain/vendor-price/import-prices.js';
import type { OfferedPrice } from '../domain/vendor-price/offer.js';
import { noPrices } from '../domain/vendor-price/state.js';
import type { BookPolicy } from './book-policy.js';
import { isRefused, type BookCommand, type BookWriter, type WriteRefusal } from './book-writer.js';
import { modelPrices } from './price-book-commands.js';
import type { PriceBookReplica } from './price-book-replica.js';

const modelsAtOnce = 16;

export interface PriceImport {
  readonly prices: readonly OfferedPrice[];
  readonly dryRun: boolean;
  readonly reason: string;
}

interface Placed extends ImportedOffer {
  readonly place: number;
}

const groupByModel = (prices: readonly OfferedPrice[]): [string, Placed[]][] => {
  const groups = new Map<string, Placed[]>();
  for (const [place, offer] of prices.entries()) {
    const stream = vendorPriceStream(offer.provider, offer.model);
    const group = groups.get(stream) ?? [];
    group.push({ place, offer, alertId: uuidv7() });
    groups.set(stream, group);
  }
  return [...groups];
};

/** Imports of vendor prices, model by model: each in one append of its own, under the command's id. */
export class PriceImports {
  constructor(
    private readonly writer: BookWriter,
    private readonly policy: BookPolicy,
    private readonly replica: PriceBookReplica,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** What becomes of each price, in their order. A refusal that is retryable goes on where it stopped. */
  async import(
    { prices, dryRun, reason }: PriceImport,
    command: BookCommand,
  ): Promise<readonly ImportOutcome[] | WriteRefusal> {
    const outcomes: ImportOutcome[] = [];
    const groups = groupByModel(prices);
    for (let first = 0; first < groups.length; first += modelsAtOnce) {
      const some = groups.slice(first, first + modelsAtOnce);
      const results = await Promise.all(
        some.map(([stream, group]) => this.importModel(stream, group, reason, command, dryRun)),
      );
      for (const [place, result] of results.entries()) {
        const group = some[place]?.[1] ?? [];
        if (isRefused(result) && result.retryable) return result;
        for (const [index, each] of group.entries()) {
          outcomes[each.place] = isRefused(result)
            ? { outcome: 'refused', message: result.message }
            : (result[index] ?? { outcome: 'unchanged' });
        }
      }
    }
    return outcomes;
  }

  private async importModel(
    stream: string,
    group: readonly Placed[],
    reason: string,
    command: BookCommand,
    dryRun: boolean,
  ): Promise<readonly ImportOutcome[] | WriteRefusal> {
    const known = this.replica.records.prices.get(stream) ?? noPrices;
    const expected = planImport(known, group, reason, this.contextAt(this.now(), command));
    const isKnown = this.replica.records.commandHash(command.commandId) !== undefined;
    // Most of a price table is unchanged: nothing is read from the store for it.
    if (dryRun || (expected.events.length === 0 && !isKnown)) return expected.outcomes;
    let plan: ImportPlan | undefined;
    const written = await this.writer.write(stream, modelPrices, command, (state, at) => {
      plan = planImport(state, group, reason, this.contextAt(at, command));
      return plan.events;
    });
    if (isRefused(written)) return written;
    return plan
      ? plan.outcomes
      : outcomesOf(written.events, group, this.contextAt(written.at, command));
  }

  private contextAt(at: Date, { actor }: BookCommand): ImportContext {
    const { prices } = this.replica;
    return {
      ...this.policy.contextAt(at, actor),
      tierTerms: (name) => tierTermsAt(prices, name, at),
    };
  }
}
