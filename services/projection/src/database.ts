import { fileURLToPath } from 'node:url';
import { createPool, migrate, type Pool } from '@tollkeeper/postgres';

export const readSchema = 'read';

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

export interface ReadPoolOptions {
  readonly databaseUrl: string;
  readonly applicationName: string;
  readonly schema?: string;
  readonly onError?: (error: Error) => void;
}

const open = (
  options: ReadPoolOptions,
  connectionsMax: number,
  settings: Readonly<Record<string, string>>,
): Pool => {
  const url = new URL(options.databaseUrl);
  const given = url.searchParams.get('options');
  const all = Object.entries({
    search_path: options.schema ?? readSchema,
    TimeZone: 'UTC',
    ...settings,
  });
  url.searchParams.set(
    'options',
    [...(given === null ? [] : [given]), ...all.map(([name, value]) => `-c ${name}=${value}`)].join(
      ' ',
    ),
  );
  return createPool({
    url: url.href,
    connectionsMax,
    applicationName: options.applicationName,
    ...(options.onError ? { onError: options.onError } : {}),
  });
};

/**
 * For the projector: unqualified names mean one schema's tables.
 *
 * Commits do not wait for the disk: a crash loses the latest batches together with their checkpoint, and they are
 * projected again. Plans are generic, because planning the one big statement costs more than running it.
 */
export const openProjectorPool = (options: ReadPoolOptions): Pool =>
  open(options, 2, { synchronous_commit: 'off', plan_cache_mode: 'force_generic_plan' });

/** For queries, so that a slow one neither blocks the projector nor runs for ever. */
export const openQueryPool = (options: ReadPoolOptions): Pool =>
  open(options, 4, { statement_timeout: '10s', default_transaction_read_only: 'on' });

export const migrateReadModels = (pool: Pool, schema = readSchema): Promise<void> =>
  migrate(pool, schema, migrations);
