import { quoteOperation } from '../quote/quote.operation.js';
import {
  decideAlertOperation,
  ignoreAlertOperation,
  listAlertsOperation,
} from '../pricing-admin/alerts.operations.js';
import {
  approveConfigOperation,
  listConfigsOperation,
  proposeConfigOperation,
  rejectConfigOperation,
  reviseConfigOperation,
  withdrawConfigOperation,
} from '../pricing-admin/configs.operations.js';
import { explainOperation } from '../pricing-admin/explain.operations.js';
import type { Operation } from '../http/operation.js';
import {
  changeSettingOperation,
  listSettingsOperation,
} from '../pricing-admin/settings.operations.js';
import {
  listVendorPricesOperation,
  publishVendorPriceOperation,
  reviseVendorPriceOperation,
  vendorPriceHistoryOperation,
  withdrawVendorPriceOperation,
} from '../pricing-admin/vendor-prices.operations.js';

/** Every route that the OpenAPI document describes. */
export const operations: readonly Operation[] = [
  listConfigsOperation,
  proposeConfigOperation,
  reviseConfigOperation,
  withdrawConfigOperation,
  approveConfigOperation,
  rejectConfigOperation,
  listVendorPricesOperation,
  vendorPriceHistoryOperation,
  publishVendorPriceOperation,
  reviseVendorPriceOperation,
  withdrawVendorPriceOperation,
  listAlertsOperation,
  decideAlertOperation,
  ignoreAlertOperation,
  listSettingsOperation,
  changeSettingOperation,
  quoteOperation,
  explainOperation,
];
