import { setTimeout as sleep } from 'node:timers/promises';
import type { ChargedCall, ChargedCallsQuery, ChargedCallsReply } from '@tollkeeper/contracts';

/** A page of what calls were charged for, from whoever keeps it. May throw. */
export type ReadChargedCalls = (query: ChargedCallsQuery) => Promise<ChargedCallsReply>;

export interface CallRange {
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly accountId?: string | undefined;
  readonly of?: { readonly provider: string; readonly model: string };
}

/** How current what was read is: of its last page. */
export interface Currency {
  readonly asOf: string;
  readonly stale: boolean;
}

const triesMax = 3;
const restMs = 300;

/** A long read outlives a restart of whoever answers. */
const readPage = async (
  read: ReadChargedCalls,
  query: ChargedCallsQuery,
): Promise<ChargedCallsReply> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read(query);
    } catch (error) {
      if (tries >= triesMax) throw error;
      await sleep(restMs * tries);
    }
  }
};

/** Hands over every call of the range, page by page, so that a range of any length takes the same memory. */
export const eachCall = async (
  read: ReadChargedCalls,
  range: CallRange,
  use: (calls: readonly ChargedCall[]) => Promise<void> | void,
): Promise<Currency> => {
  let after: ChargedCallsQuery['after'];
  for (;;) {
    const page = await readPage(read, { ...range, ...(after ? { after } : {}) });
    await use(page.calls);
    if (!page.next) return { asOf: page.asOf, stale: page.stale };
    after = page.next;
  }
};

const dayMs = 86_400_000;

interface AskedRange {
  readonly days?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The last so many days up to now, or from one moment to another. */
export const rangeOf = ({ days, from, to }: AskedRange, at: Date): CallRange => {
  const end = to === undefined ? at : new Date(to);
  const begin = from === undefined ? new Date(end.getTime() - (days ?? 0) * dayMs) : new Date(from);
  return { from: begin.toISOString(), to: end.toISOString() };
};
