import 'reflect-metadata';
import { runService } from '@tollkeeper/lifecycle';
import { createLogger } from '@tollkeeper/telemetry';
import { readConfig } from './credit.config.js';
import { startCredit } from './credit.module.js';

const logger = createLogger('credit');
await runService(logger, () => startCredit(readConfig(process.env), logger));
