import 'reflect-metadata';
import { runService } from '@tollkeeper/lifecycle';
import { createLogger } from '@tollkeeper/telemetry';
import { readServiceConfig } from './config.js';
import { startProjectionService } from './projection.module.js';

const logger = createLogger('projection');

await runService(logger, () => startProjectionService(readServiceConfig(process.env), logger));
