import 'reflect-metadata';
import { runService } from '@tollkeeper/lifecycle';
import { createLogger } from '@tollkeeper/telemetry';
import { readConfig } from '../credit.config.js';
import { startCredit } from '../credit.module.js';

/** The credit service as it is, but for its clock: the process that started it says what time it is. */

let nowMs = Number(process.env['MODEL_NOW_MS']);
process.on('message', (message: { readonly nowMs: number }) => {
  nowMs = message.nowMs;
  process.send?.({ type: 'clock' });
});

const clock = { now: () => new Date(nowMs), isSteady: () => true };
const logger = createLogger('credit');
await runService(logger, () => startCredit(readConfig(process.env), logger, clock));
