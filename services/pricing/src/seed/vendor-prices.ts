import { z } from 'zod';
import { priceBookSchemas, type VendorPricePublished } from '@tollkeeper/events';
import committed from './vendor-prices.json' with { type: 'json' };

/** The vendor prices that Tollkeeper ships with; made by `npm run generate-seed`. */
export const vendorPrices = (): VendorPricePublished[] =>
  z.array(priceBookSchemas.VendorPricePublished).parse(committed);
