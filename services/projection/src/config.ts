import { z } from 'zod';

const url = (...protocols: string[]): z.ZodType<string> =>
  z.string().refine((text) => protocols.some((protocol) => text.startsWith(`${protocol}://`)), {
    error: `must begin with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
  });

const stores = {
  DATABASE_URL: url('postgres', 'postgresql'),
  /** Where the ledger's events are, if not in DATABASE_URL. */
  KURRENTDB_URL: z.preprocess(
    (value) => (value === '' ? undefined : value),
    url(
      'esdb',
      'esdb+discover',
      'kurrentdb',
      'kurrentdb+discover',
      'kdb',
      'kdb+discover',
    ).optional(),
  ),
};

const auditConfig = z.object(stores);
export type StoreConfig = z.infer<typeof auditConfig>;

const serviceConfig = z.object({ ...stores, NATS_URL: url('nats', 'tls') });
export type ServiceConfig = z.infer<typeof serviceConfig>;

const read = <T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): T => {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new Error(`invalid configuration\n${z.prettifyError(parsed.error)}`);
};

export const readServiceConfig = (env: NodeJS.ProcessEnv): ServiceConfig =>
  read(serviceConfig, env);
export const readStoreConfig = (env: NodeJS.ProcessEnv): StoreConfig => read(auditConfig, env);
