import 'reflect-metadata';
import { runService } from '@tollkeeper/lifecycle';
import { createLogger } from '@tollkeeper/telemetry';
import { readConfig } from './gateway.config.js';
import { startGateway } from './gateway.module.js';

const logger = createLogger('gateway');
await runService(logger, () => startGateway(readConfig(process.env), logger));
