import type { VendorPriceBody } from '@tollkeeper/contracts';

/** What a message of an import may hold; NATS carries 1 MB. */
export const batchPricesMax = 200;
export const batchBytesMax = 800_000;

const bytesOf = (prices: readonly VendorPriceBody[]): number =>
  Buffer.byteLength(JSON.stringify(prices));

const byModel = (prices: readonly VendorPriceBody[]): VendorPriceBody[][] => {
  const models = new Map<string, VendorPriceBody[]>();
  for (const price of prices) {
    const key = `${price.provider}\n${price.model}`;
    const known = models.get(key);
    if (known) known.push(price);
    else models.set(key, [price]);
  }
  return [...models.values()];
};

/**
 * Prices by message. All versions of a model travel in one: the other side publishes a model that is new as a whole.
 */
export const batchesOf = (prices: readonly VendorPriceBody[]): VendorPriceBody[][] => {
  const batches: VendorPriceBody[][] = [];
  let batch: VendorPriceBody[] = [];
  let bytes = 0;
  for (const model of byModel(prices)) {
    const own = bytesOf(model);
    if (
      batch.length > 0 &&
      (batch.length + model.length > batchPricesMax || bytes + own > batchBytesMax)
    ) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(...model);
    bytes += own;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
};
