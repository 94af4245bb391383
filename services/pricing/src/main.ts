import 'reflect-metadata';
import { runService } from '@tollkeeper/lifecycle';
import { createLogger } from '@tollkeeper/telemetry';
import { readConfig } from './pricing.config.js';
import { startPricing } from './pricing.module.js';

const logger = createLogger('pricing');
await runService(logger, () => startPricing(readConfig(process.env), logger));
