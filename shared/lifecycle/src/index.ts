import type { Logger } from '@tollkeeper/telemetry';

/** What a started service hands back: how to stop it, and what its parent may want to know. */
export interface RunningService {
  readonly stop: () => Promise<void>;
  /** Sent to the supervisor beside `ready`; the gateway and the simulator give their URL. */
  readonly url?: string;
}

export interface ReadyMessage {
  readonly type: 'ready';
  readonly url?: string;
}

const stopTimeoutMs = 20_000;

/**
 * Runs one service as this process: starts it, tells a supervising parent over IPC when it is
 * ready, and stops it on SIGTERM or SIGINT. Whatever nobody caught ends the process with code 1, so that
 * the supervisor starts a clean one; state lives in the event store, so dying is safe.
 */
export const runService = async (
  logger: Logger,
  start: () => Promise<RunningService>,
): Promise<void> => {
  const die = (error: unknown): void => {
    logger.fatal({ err: error }, 'the service dies of an error that nobody caught');
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);

  let service: RunningService;
  try {
    service = await start();
  } catch (error) {
    logger.fatal({ err: error }, 'the service could not start');
    process.exit(1);
  }

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    service.stop().then(() => process.exit(0), die);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A supervisor that was killed leaves its services running: they serve on until the next start.
  process.on('disconnect', () => logger.warn('the supervisor is gone'));

  const ready: ReadyMessage = { type: 'ready', ...(service.url ? { url: service.url } : {}) };
  process.send?.(ready);
  logger.info(service.url ? { url: service.url } : {}, 'ready');
};

/**
 * Node's flags for a service that makes many short-lived objects: with the default nursery a batch's objects
 * outlive a scavenge and are copied, which took a fifth of the credit service's time.
 */
export const nodeFlags: readonly string[] = [
  '--max-semi-space-size=64',
  '--min-semi-space-size=16',
];
