import { pino, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

/**
 * JSON lines on standard output. Log ids, counts and money; never a prompt, an answer or a key.
 * The redaction is the second line of defence, not the first.
 */
export const createLogger = (service: string): Logger =>
  pino({
    name: service,
    level: process.env['LOG_LEVEL'] ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['apiKey', 'authorization', '*.apiKey', '*.authorization', '*.password'],
  });
