import type {
  RateFactor,
  RatioFallback,
  VendorPricePublished,
  VendorRate,
} from '@tollkeeper/events';
import { formatMoney, messageOf, Money, parseMoney } from '@tollkeeper/kernel';
import { compilePriceVersion, toStoredPlaces } from '@tollkeeper/pricing';
import type { DecisionContext } from '../price-book/decision-context.js';
import { nameFault } from '../price-book/names.js';
import { refuse, type Refusal } from '../price-book/verdict.js';

type Absent<T> = { readonly [K in keyof T]?: T[K] | undefined };

interface OfferedRate extends Absent<
  Pick<VendorRate, 'serviceTier' | 'inputTokensOver' | 'window' | 'region'>
> {
  readonly meter: string;
  readonly unit: string;
  readonly per: string;
  /** In the offer's currency. */
  readonly rate: string;
}

/** US dollars for one unit of a currency, on a day. */
export interface ExchangeRate {
  readonly usdPerUnit: string;
  readonly asOf: string;
}

/** A price as an admin or an import names it. */
export interface OfferedPrice {
  readonly provider: string;
  readonly model: string;
  readonly aliases?: readonly string[] | undefined;
  readonly effectiveFrom?: string | undefined;
  readonly effectiveTo?: string | undefined;
  readonly rates: readonly OfferedRate[];
  readonly factors?: readonly Absent<RateFactor>[] | undefined;
  readonly fallbacks?: readonly RatioFallback[] | undefined;
  readonly currency: string;
  readonly exchangeRate?: ExchangeRate | undefined;
  readonly contextTokensMax?: number | undefined;
  readonly outputTokensMax?: number | undefined;
  readonly source: {
    readonly name: string;
    readonly version?: string | undefined;
    readonly url?: string | undefined;
  };
  readonly notes?: string | undefined;
}

export interface PriceContext extends DecisionContext {
  /** As set by an admin; undefined where nobody has. */
  readonly exchangeRate: (currency: string) => ExchangeRate | undefined;
  /** Why rates are not what a vendor asks; undefined where they may be. */
  readonly priceFault: (model: string, rates: readonly VendorRate[]) => string | undefined;
}

/** All of a price version but its id. */
export type Candidate = Omit<VendorPricePublished, 'priceVersion'>;

/** As many as a vendor may print; see the sanity gate. Converted amounts have more. */
const significantDigitsMax = 12;

/** The object without fields that are undefined: events store what is there. */
const present = <T extends object>(fields: T): T => JSON.parse(JSON.stringify(fields)) as T;

type OfferedRateInUsd = Omit<OfferedRate, 'rate'> & Pick<VendorRate, 'rateUsd' | 'listedRate'>;

const inUsd = (rates: readonly OfferedRate[], usdPerUnit: string | undefined): VendorRate[] =>
  rates.map(({ rate, ...conditions }) => {
    const converted: OfferedRateInUsd = {
      ...conditions,
      rateUsd:
        usdPerUnit === undefined
          ? rate
          : formatMoney(toStoredPlaces(parseMoney(rate).times(parseMoney(usdPerUnit)))),
      ...(usdPerUnit === undefined ? {} : { listedRate: rate }),
    };
    return present(converted as VendorRate);
  });

/** The gate looks for the noise of binary fractions in what the vendor lists, and for slips in what that is in dollars. */
const implausible = (
  rates: readonly VendorRate[],
  model: string,
  { priceFault }: PriceContext,
): Refusal | undefined => {
  const noisy = rates.find(
    ({ listedRate }) =>
      listedRate !== undefined && new Money(listedRate).precision() > significantDigitsMax,
  );
  if (noisy) {
    const message = `noise: more than ${String(significantDigitsMax)} significant digits: ${noisy.meter} ${noisy.listedRate ?? ''}`;
    return refuse('implausible-rate', message);
  }
  const rounded = rates.map((rate) =>
    rate.listedRate === undefined
      ? rate
      : {
          ...rate,
          rateUsd: formatMoney(new Money(rate.rateUsd).toSignificantDigits(significantDigitsMax)),
        },
  );
  const reason = priceFault(model, rounded);
  return reason === undefined ? undefined : refuse('implausible-rate', reason);
};

const exchangeOf = (
  offer: OfferedPrice,
  context: PriceContext,
): Candidate['exchange'] | Refusal => {
  const { currency, exchangeRate } = offer;
  if (currency === 'USD') {
    return exchangeRate && refuse('invalid-request', 'US dollars are not exchanged');
  }
  const rate = exchangeRate ?? context.exchangeRate(currency);
  return rate
    ? { currency, usdPerUnit: rate.usdPerUnit, asOf: rate.asOf }
    : refuse('exchange-rate-missing', `no dated exchange rate of ${currency} is known`);
};

const isoTime = (text: string): string => new Date(text).toISOString();

/**
 * An offer as a version to be: in US dollars, dated, sane.
 *
 * Without a date it begins the lead time from now. A date in the past is a correction and stands as it is; a date before the
 * lead time is over would reach some replicas in time and others late, so it is moved.
 *
 * Refused: `invalid-request`, `exchange-rate-missing`, `implausible-rate`.
 */
export const candidateOf = (offer: OfferedPrice, context: PriceContext): Candidate | Refusal => {
  const fault = nameFault(offer);
  if (fault) return fault;
  const exchange = exchangeOf(offer, context);
  if (exchange && 'refused' in exchange) return exchange;
  const effectiveFrom = priceFrom(offer.effectiveFrom, context);
  const effectiveTo = offer.effectiveTo === undefined ? undefined : isoTime(offer.effectiveTo);
  if (effectiveTo !== undefined && effectiveTo <= effectiveFrom) {
    return refuse('invalid-request', 'effectiveTo comes before the price begins');
  }
  const { provider, model, aliases, factors, fallbacks, source, notes } = offer;
  const candidate = present({
    provider,
    model,
    aliases: unlessEmpty(aliases),
    effectiveFrom,
    effectiveTo,
    rates: inUsd(offer.rates, exchange?.usdPerUnit),
    factors: unlessEmpty(factors),
    fallbacks: unlessEmpty(fallbacks),
    exchange,
    contextTokensMax: offer.contextTokensMax,
    outputTokensMax: offer.outputTokensMax,
    source,
    notes,
  } as Candidate);
  return (
    implausible(candidate.rates, model, context) ??
    entangled(candidate) ??
    uncompiled(candidate) ??
    candidate
  );
};

/** Hundreds of times what any vendor lists; a replica compiles so much in a fraction of a second. */
const resolvedMax = 1_000_000;

const distinct = (values: Iterable<unknown>): number => new Set(values).size + 1;

/**
 * Every replica resolves each meter for each combination of region, service tier, threshold and time of day, and looks through
 * all rates for it: a few hundred rates, each under conditions of its own, would keep it busy for hours.
 */
const entangled = ({ rates, factors = [], fallbacks = [] }: Candidate): Refusal | undefined => {
  const listed = [...rates, ...factors];
  const meters = [...rates, ...fallbacks].map(({ meter }) => meter);
  const resolved =
    distinct(listed.map(({ region }) => region)) *
    distinct(listed.map(({ serviceTier }) => serviceTier)) *
    distinct(rates.map(({ inputTokensOver }) => inputTokensOver)) *
    distinct(rates.flatMap(({ window }) => (window ? [window.from, window.to] : []))) *
    distinct([...meters, ...factors.flatMap(({ meters: named = [] }) => named)]) *
    rates.length;
  return resolved > resolvedMax
    ? refuse('invalid-request', 'too many conditions: list fewer rates, or use factors')
    : undefined;
};

const unlessEmpty = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list && list.length > 0 ? list : undefined;

/** A version that no replica could read is none. */
const uncompiled = (candidate: Candidate): Refusal | undefined => {
  try {
    compilePriceVersion({ ...candidate, priceVersion: 'candidate' });
    return undefined;
  } catch (error) {
    return refuse('invalid-request', messageOf(error));
  }
};

/** When a price begins that was asked to begin then. */
export const priceFrom = (
  asked: string | undefined,
  { at, leadMs }: Pick<DecisionContext, 'at' | 'leadMs'>,
): string => {
  const nowMs = at.getTime();
  const askedMs = asked === undefined ? nowMs : Date.parse(asked);
  const isPast = asked !== undefined && askedMs < nowMs;
  return new Date(isPast ? askedMs : Math.max(askedMs, nowMs + leadMs)).toISOString();
};
