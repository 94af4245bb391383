import { createLogger } from '@tollkeeper/telemetry';
import { runService } from '@tollkeeper/lifecycle';
import { readConfig } from './simulator.config.js';
import { startSimulator } from './simulator.js';

const logger = createLogger('simulator');

await runService(logger, () => startSimulator(readConfig(process.env)));
