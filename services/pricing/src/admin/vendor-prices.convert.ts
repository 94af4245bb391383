import type { ListVendorPricesReply, VendorPriceView } from '@tollkeeper/contracts';
import { versionInForce, type ModelPrices, type Version } from '../domain/vendor-price/state.js';
import { compare } from './configs.convert.js';
import { pageOf, type PageQuery } from './page.js';

/** A version as it stands at a moment. */
export const toVendorPriceView = (
  state: ModelPrices,
  { price, publishedBy, publishedAt, withdrawnFrom }: Version,
  at: Date,
): VendorPriceView => ({
  ...price,
  aliases: price.aliases ?? [],
  ...(withdrawnFrom === undefined ? {} : { withdrawnFrom }),
  inForce: versionInForce(state, at)?.price.priceVersion === price.priceVersion,
  publishedBy,
  publishedAt,
});

interface Row {
  readonly state: ModelPrices;
  readonly version: Version;
  readonly name: string;
}

interface Query extends PageQuery {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly history: boolean;
}

const rowsOf = (state: ModelPrices, query: Query): Row[] => {
  const named = state.versions[0]?.price;
  if (!named) return [];
  const { provider, model } = named;
  if (query.provider !== undefined && query.provider !== provider) return [];
  if (query.model !== undefined && query.model !== model) return [];
  const name = `${provider}:${model}`;
  return state.versions.map((version) => ({ state, version, name })).reverse();
};

/** By name, the newest version of a model first; without `history` those in force alone. */
export const toVendorPricesReply = (
  states: Iterable<ModelPrices>,
  query: Query,
  at: Date,
): ListVendorPricesReply => {
  const rows = [...states].flatMap((state) => rowsOf(state, query));
  rows.sort((a, b) => compare(a.name, b.name));
  const isShown = ({ state, version }: Row): boolean =>
    query.history || versionInForce(state, at) === version;
  const { items, next } = pageOf(
    rows,
    query,
    ({ version }) => version.price.priceVersion,
    (row) => (isShown(row) ? toVendorPriceView(row.state, row.version, at) : undefined),
  );
  return { prices: items, ...(next === undefined ? {} : { next }), asOf: at.toISOString() };
};
