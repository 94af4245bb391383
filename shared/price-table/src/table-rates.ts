import { formatMoney, Money } from '@tollkeeper/kernel';
import type { VendorRate } from '@tollkeeper/events';
import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';

/** Before the first dated price there is no date to give. */
export const beginning = '2020-01-01T00:00:00.000Z';

/** Thrown for a price that a vendor rate cannot say; the message says what. */
export class NotExpressibleError extends Error {
  override readonly name = 'NotExpressibleError';
}

const perMillionTokens = { unit: 'token', per: '1000000' } as const;
/** The rates of a model that the table names as free and lists none for. */
export const freeRates: readonly VendorRate[] = ['input', 'output'].map((meter) => ({
  meter,
  ...perMillionTokens,
  rateUsd: '0',
}));
const perHour = { unit: 'second', per: '3600' } as const;
const perThousand = (unit: string) => ({ unit, per: '1000' }) as const;

/** The table's keys, and what they price. */
const meterOf: Readonly<Record<string, Pick<VendorRate, 'meter' | 'unit' | 'per'>>> = {
  input_mtok: { meter: 'input', ...perMillionTokens },
  cache_read_mtok: { meter: 'cache_read', ...perMillionTokens },
  cache_write_mtok: { meter: 'cache_write', ...perMillionTokens },
  cache_write_1h_mtok: { meter: 'cache_write_1h', ...perMillionTokens },
  output_mtok: { meter: 'output', ...perMillionTokens },
  output_reasoning_mtok: { meter: 'reasoning', ...perMillionTokens },
  output_citation_mtok: { meter: 'citation', ...perMillionTokens },
  input_audio_mtok: { meter: 'input_audio', ...perMillionTokens },
  cache_audio_read_mtok: { meter: 'cache_read_audio', ...perMillionTokens },
  output_audio_mtok: { meter: 'output_audio', ...perMillionTokens },
  input_image_mtok: { meter: 'input_image', ...perMillionTokens },
  cache_image_read_mtok: { meter: 'cache_read_image', ...perMillionTokens },
  output_image_mtok: { meter: 'output_image', ...perMillionTokens },
  input_video_mtok: { meter: 'input_video', ...perMillionTokens },
  output_video_mtok: { meter: 'output_video', ...perMillionTokens },
  audio_hours: { meter: 'audio_second', ...perHour },
  input_audio_hours: { meter: 'input_audio_second', ...perHour },
  input_document_kpages: { meter: 'page', ...perThousand('page') },
  input_annotated_document_kpages: { meter: 'annotated_page', ...perThousand('page') },
  input_text_messages_kcount: { meter: 'text_message', ...perThousand('message') },
  web_searches_kcount: { meter: 'web_search', ...perThousand('search') },
  storage_searches_kcount: { meter: 'file_search', ...perThousand('search') },
  requests_kcount: { meter: 'request', ...perThousand('request') },
};

/** The shortest decimal text of the table's double: what its authors wrote. */
const decimalOf = (amount: number): string => formatMoney(new Money(String(amount)));

type Window = NonNullable<VendorRate['window']>;

const ratesOf = (price: ModelPrice, window: Window | undefined): VendorRate[] => {
  const when = window ? { window } : {};
  return Object.entries(price).flatMap(([key, amount]): VendorRate[] => {
    if (amount === undefined) return [];
    const meter = meterOf[key];
    if (!meter) throw new NotExpressibleError(`a meter without a name here: ${key}`);
    if (typeof amount === 'number') return [{ ...meter, rateUsd: decimalOf(amount), ...when }];
    return [
      { ...meter, rateUsd: decimalOf(amount.base), ...when },
      ...amount.tiers.map((tier) => ({
        ...meter,
        rateUsd: decimalOf(tier.price),
        inputTokensOver: tier.start,
        ...when,
      })),
    ];
  });
};

const minuteOf = (time: string): string => {
  const match = /^(\d\d:\d\d):00Z$/.exec(time);
  if (!match?.[1]) {
    throw new NotExpressibleError(`a time of day that is not a minute of UTC: ${time}`);
  }
  return match[1];
};

export interface DatedRates {
  readonly effectiveFrom: string;
  readonly rates: VendorRate[];
}

const shapeOf = (rates: readonly VendorRate[]): string =>
  [...new Set(rates.map(({ meter, inputTokensOver }) => `${meter} ${String(inputTokensOver)}`))]
    .sort()
    .join();

/** A window's price replaces the whole price around it, so it must price the same meters at the same thresholds. */
const addWindow = (around: DatedRates, rates: readonly VendorRate[]): void => {
  const base = around.rates.filter(({ window }) => !window);
  if (shapeOf(base) !== shapeOf(rates)) {
    throw new NotExpressibleError('a window that prices other meters than the price around it');
  }
  around.rates.push(...rates);
};

/**
 * A price's history. The table's windows carry no date, although they came with the dated price that
 * stands before them: they belong to that one, and do not reach back before it as the table's own lookup does.
 */
const historyOf = (prices: readonly ConditionalPrice[]): DatedRates[] => {
  const history: DatedRates[] = [];
  for (const { constraint, prices: price } of prices) {
    const last = history.at(-1);
    if (constraint?.type === 'time_of_date') {
      if (!last) throw new NotExpressibleError('a window without a price around it');
      const window = { from: minuteOf(constraint.start_time), to: minuteOf(constraint.end_time) };
      addWindow(last, ratesOf(price, window));
    } else {
      const effectiveFrom = constraint ? `${constraint.start_date}T00:00:00.000Z` : beginning;
      if (last && effectiveFrom <= last.effectiveFrom) {
        throw new NotExpressibleError('dates out of order');
      }
      history.push({ effectiveFrom, rates: ratesOf(price, undefined) });
    }
  }
  return history;
};

/** The dated rates of a model, oldest first. @throws NotExpressibleError */
export const datedRatesOf = ({ prices }: ModelInfo): DatedRates[] =>
  historyOf(Array.isArray(prices) ? prices : [{ prices }]);
