import { AlertsController } from './alerts.controller.js';
import { ConfigsController } from './configs.controller.js';
import { ExplainController } from './explain.controller.js';
import { SettingsController } from './settings.controller.js';
import { VendorPricesController } from './vendor-prices.controller.js';

/** Everything under `/api/admin/pricing`. */
export const pricingControllers = [
  ConfigsController,
  VendorPricesController,
  AlertsController,
  SettingsController,
  ExplainController,
];
