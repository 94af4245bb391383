import type { AlertSeverity, PriceBookEvent, RateChange } from '@tollkeeper/events';
import { assessChange, type TierTerms } from '../price-watch/assess-change.js';
import { comparePrice, type PriceChange } from '../price-watch/compare-price.js';
import { mayApply } from '../price-watch/may-apply.js';
import { isRefusal, type Refusal } from '../price-book/verdict.js';
import { appliedEvents } from './decide-alert.js';
import { candidateOf, type Candidate, type OfferedPrice, type PriceContext } from './offer.js';
import { nextVersionId, versionInForce, type Alert, type ModelPrices } from './state.js';

export interface ImportContext extends PriceContext {
  /** What each tier pays on top of the model's price now. */
  readonly tierTerms: (name: { readonly provider: string; readonly model: string }) => TierTerms[];
}

/** An offer of an import; `alertId` is what an alert about it would be called. */
export interface ImportedOffer {
  readonly offer: OfferedPrice;
  readonly alertId: string;
}

/** What becomes of an offer. */
export interface ImportOutcome {
  readonly outcome: 'new' | 'unchanged' | 'changed' | 'ignored' | 'quarantined' | 'refused';
  readonly message?: string;
  readonly priceVersion?: string;
  readonly alertId?: string;
  readonly severity?: AlertSeverity;
  readonly applied?: boolean;
  readonly changes?: readonly RateChange[];
}

export interface ImportPlan {
  /** In the order of the offers. */
  readonly outcomes: readonly ImportOutcome[];
  readonly events: readonly PriceBookEvent[];
}

interface Read {
  readonly place: number;
  readonly candidate: Candidate;
  readonly imported: ImportedOffer;
}

const unread = ({ refused, message }: Refusal): ImportOutcome => ({
  outcome: refused === 'implausible-rate' ? 'quarantined' : 'refused',
  message,
});

const byDate = (a: Read, b: Read): number =>
  Date.parse(a.candidate.effectiveFrom) - Date.parse(b.candidate.effectiveFrom);

class Plan {
  readonly events: PriceBookEvent[] = [];
  readonly outcomes = new Map<number, ImportOutcome>();
  private published = 0;

  constructor(
    private readonly state: ModelPrices,
    private readonly context: ImportContext,
    private readonly reason: string,
  ) {}

  /** All versions of a model that nobody knew, or none: one that is missing would leave another one's price in force. */
  begin(read: readonly Read[], isWhole: boolean): void {
    for (const { place, candidate } of read) {
      if (isWhole) this.publish(place, candidate);
      else {
        const message = 'another version of the model cannot be imported';
        this.outcomes.set(place, { outcome: 'refused', message });
      }
    }
  }

  /** Of a model that is known, only what is in force now or will be is of interest: its past has been charged. */
  compare(read: readonly Read[]): void {
    const nowMs = this.context.at.getTime();
    const current = read.findLast(({ imported: { offer } }) => isDue(offer, nowMs));
    for (const each of read) {
      const isPast = isDue(each.imported.offer, nowMs) && each !== current;
      if (isPast) this.comparePast(each);
      else this.compareOne(each);
    }
  }

  private publish(place: number, candidate: Candidate): void {
    const priceVersion = this.nextVersion(candidate);
    const data = { ...candidate, priceVersion, reason: this.reason };
    this.events.push({ type: 'VendorPricePublished', data });
    this.outcomes.set(place, { outcome: 'new', priceVersion });
  }

  private nextVersion({ provider, model }: Candidate): string {
    this.published += 1;
    return nextVersionId(this.state, provider, model, this.published);
  }

  private comparePast({ place, candidate }: Read): void {
    const then = versionInForce(this.state, new Date(candidate.effectiveFrom));
    const isKnown = comparePrice(then?.price, candidate) === 'unchanged';
    this.outcomes.set(
      place,
      isKnown
        ? { outcome: 'unchanged' }
        : {
            outcome: 'ignored',
            message: 'a later price is in force; corrections are published by hand',
          },
    );
  }

  private compareOne(read: Read): void {
    const { place, candidate } = read;
    const inForce = versionInForce(this.state, this.comparedAt(candidate));
    const found = comparePrice(inForce?.price, candidate);
    if (found === 'unchanged') this.outcomes.set(place, { outcome: 'unchanged' });
    else if (found !== 'new' && inForce) this.change(read, inForce.price, found);
    else if (this.state.versions.at(-1)?.withdrawnFrom === undefined)
      this.publish(place, candidate);
    else {
      const message = 'its price was withdrawn; publish it by hand';
      this.outcomes.set(place, { outcome: 'refused', message });
    }
  }

  /** Later by the lead time: what was published a moment ago has not begun. */
  private comparedAt(candidate: Candidate): Date {
    const { at, leadMs } = this.context;
    return new Date(Math.max(at.getTime() + leadMs, Date.parse(candidate.effectiveFrom)));
  }

  private change(
    { place, candidate, imported }: Read,
    current: ModelPrices['versions'][number]['price'],
    change: PriceChange,
  ): void {
    const known = this.knownAlert(candidate);
    if (known) {
      const { alertId, severity, changes } = known.raised;
      const outcome = known.state === 'ignored' ? 'ignored' : 'changed';
      this.outcomes.set(place, { outcome, alertId, severity, changes });
      return;
    }
    const { alertId } = imported;
    const { provider, model } = candidate;
    const { changes, costChange } = change;
    const assessed = assessChange(current, candidate, change, this.context.tierTerms(candidate));
    const { severity, margins, recommended } = assessed;
    this.events.push({
      type: 'PriceAlertRaised',
      data: {
        alertId,
        provider,
        model,
        severity,
        priceVersion: current.priceVersion,
        candidate,
        changes: [...changes],
        costChange,
        margins,
        ...(recommended ? { recommended } : {}),
      },
    });
    const found = { outcome: 'changed', alertId, severity, changes } as const;
    if (!mayApply(change, severity, this.context.setting('auto_apply_change_max'))) {
      this.outcomes.set(place, { ...found, applied: false });
      return;
    }
    const priceVersion = this.nextVersion(candidate);
    const applied = { alertId, priceVersion, reason: this.reason, automatic: true } as const;
    this.events.push(...appliedEvents(candidate, applied, undefined, this.context));
    this.outcomes.set(place, { ...found, applied: true, priceVersion });
  }

  /** The same price from the same source: raised and not decided yet, or ignored for good. */
  private knownAlert(candidate: Candidate): Alert | undefined {
    return this.state.alerts.findLast(
      ({ state, raised }) =>
        state !== 'applied' &&
        raised.candidate.source.name === candidate.source.name &&
        comparePrice(raised.candidate, candidate) === 'unchanged',
    );
  }
}

const isDue = ({ effectiveFrom }: OfferedPrice, nowMs: number): boolean =>
  effectiveFrom === undefined || Date.parse(effectiveFrom) <= nowMs;

/**
 * What an import does to one model: a model that is new is published with all its versions; a changed price raises an alert,
 * once, and is published only where the change is within `auto_apply_change_max`; anything else records nothing.
 */
export const planImport = (
  state: ModelPrices,
  offers: readonly ImportedOffer[],
  reason: string,
  context: ImportContext,
): ImportPlan => {
  const plan = new Plan(state, context, reason);
  const read: Read[] = [];
  for (const [place, imported] of offers.entries()) {
    const candidate = candidateOf(imported.offer, context);
    if (isRefusal(candidate)) plan.outcomes.set(place, unread(candidate));
    else read.push({ place, candidate, imported });
  }
  read.sort(byDate);
  if (state.versions.length === 0) plan.begin(read, read.length === offers.length);
  else plan.compare(read);
  return {
    outcomes: offers.map((_, place) => plan.outcomes.get(place) ?? { outcome: 'unchanged' }),
    events: plan.events,
  };
};

/** The outcomes of an import that was carried out before, by what it recorded; it said nothing of what it left alone. */
export const outcomesOf = (
  events: readonly PriceBookEvent[],
  offers: readonly ImportedOffer[],
  context: ImportContext,
): ImportOutcome[] => {
  const left = [...events];
  const take = (candidate: Candidate): PriceBookEvent | undefined => {
    const place = left.findIndex((event) => isAbout(event, candidate));
    return place < 0 ? undefined : left.splice(place, 1)[0];
  };
  return offers.map(({ offer }) => {
    const candidate = candidateOf(offer, context);
    if (isRefusal(candidate)) return unread(candidate);
    const event = take(candidate);
    if (event?.type === 'VendorPricePublished') {
      return { outcome: 'new', priceVersion: event.data.priceVersion };
    }
    if (event?.type !== 'PriceAlertRaised') return { outcome: 'unchanged' };
    const { alertId, severity, changes } = event.data;
    const applied = events.find(
      (each) => each.type === 'PriceAlertApplied' && each.data.alertId === alertId,
    );
    return {
      outcome: 'changed',
      alertId,
      severity,
      changes,
      applied: applied !== undefined,
      ...(applied?.type === 'PriceAlertApplied' ? { priceVersion: applied.data.priceVersion } : {}),
    };
  });
};

const isAbout = (event: PriceBookEvent, candidate: Candidate): boolean => {
  if (event.type === 'PriceAlertRaised') {
    return comparePrice(event.data.candidate, candidate) === 'unchanged';
  }
  return (
    event.type === 'VendorPricePublished' && comparePrice(event.data, candidate) === 'unchanged'
  );
};
