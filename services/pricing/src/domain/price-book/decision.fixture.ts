import type { PriceBookEvent } from '@tollkeeper/events';
import { settingDefinition } from '@tollkeeper/pricing';
import { priceFault } from '@tollkeeper/price-table/sanity-gate';
import type { ImportContext } from '../vendor-price/import-prices.js';
import type { Recorded } from './recorded.js';
import { isRefusal, type Refusal, type Verdict } from './verdict.js';

export const leadMs = 60_000;
export const noon = new Date('2026-11-20T12:00:00.000Z');

/** So many seconds after noon, ISO. */
export const afterNoon = (seconds: number): string =>
  new Date(noon.getTime() + seconds * 1000).toISOString();

/** At noon, with a lead time of a minute; only what a spec is about differs. */
export const contextOf = (
  actor: string,
  settings: Readonly<Record<string, string>> = {},
  more: Partial<ImportContext> = {},
): ImportContext => ({
  at: noon,
  actor,
  leadMs,
  setting: (name) => settings[name] ?? settingDefinition(name)?.standard ?? '',
  settingSetBy: () => undefined,
  exchangeRate: () => undefined,
  priceFault,
  tierTerms: () => [],
  ...more,
});

/** As the store would have it. */
export const recorded = (
  event: PriceBookEvent,
  actor = 'seed',
  occurredAt = '2026-01-01T00:00:00.000Z',
): Recorded => ({
  ...event,
  metadata: {
    schemaVersion: 1,
    occurredAt,
    correlationId: 'c',
    causationId: 'c',
    actor,
    commandId: 'c',
    commandHash: 'h',
    prevHash: 'p',
  },
});

interface Given<S> {
  readonly state: S;
  /** Decided at noon by somebody; `then…` says what of it. */
  readonly when: (actor: string, decide: (state: S) => Verdict) => Then<S>;
}

interface Then<S> {
  readonly events: readonly PriceBookEvent[];
  readonly refusal: Refusal['refused'] | undefined;
  /** The story goes on from what was decided. */
  readonly and: Given<S>;
}

/** A stream's story: what was recorded, what somebody decides, what comes of it. */
export const storyOf = <S>(
  evolve: (state: S, event: Recorded) => S,
  state: S,
  ...events: readonly Recorded[]
): Given<S> => {
  const folded = events.reduce(evolve, state);
  return {
    state: folded,
    when: (actor, decide) => {
      const verdict = decide(folded);
      const made = isRefusal(verdict) ? [] : verdict;
      return {
        events: made,
        refusal: isRefusal(verdict) ? verdict.refused : undefined,
        and: storyOf(
          evolve,
          folded,
          ...made.map((event) => recorded(event, actor, noon.toISOString())),
        ),
      };
    },
  };
};
