import path from 'node:path';

import {
  freePort,
  freePortFrom,
  isPortFree,
  portMemory,
  type Log,
  type ProcessIdentity,
} from '@tollkeeper/servers';

import { projectRoot, type Home } from '../home/home.js';
import type { ServerAddresses } from './embedded-servers.js';
import { launchService, type ServiceInstance } from './launch-service.js';
import type { ServiceDefinition } from './services.js';
import { Supervised } from './supervised.js';

export interface ServiceContext {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly addresses: ServerAddresses;
  readonly log: Log;
  /** Of services that were started before, by name. */
  readonly urlOf: (name: string) => string | undefined;
  readonly onSpawned: (name: string, identity: ProcessIdentity) => void;
  readonly onStarted: (name: string, instance: ServiceInstance) => void;
}

/** Its environment is made anew for each life, because addresses may have changed since the last. */
export const superviseService = (
  service: ServiceDefinition,
  context: ServiceContext,
): Supervised<ServiceInstance> =>
  new Supervised<ServiceInstance>({
    name: service.name,
    log: context.log,
    onStarted: (instance) => {
      context.onStarted(service.name, instance);
    },
    launch: async (signal) =>
      launchService(
        {
          name: service.name,
          entry: service.entry,
          cwd: projectRoot,
          env: {
            ...context.env,
            ...addressEnv(service, context),
            ...(await httpEnv(service, context)),
          },
          logFile: path.join(context.home.logs, `${service.name}.log`),
          onSpawned: (identity) => {
            context.onSpawned(service.name, identity);
          },
        },
        signal,
      ),
  });

const addressEnv = (
  { natsUser, name }: ServiceDefinition,
  { home, addresses, urlOf }: ServiceContext,
): NodeJS.ProcessEnv => {
  const simulatorUrl = urlOf('simulator');
  return {
    TOLLKEEPER_HOME: home.directory,
    DATABASE_URL: addresses.databaseUrl(),
    ...(natsUser ? { NATS_URL: addresses.natsUrl(natsUser) } : {}),
    ...(name === 'gateway' ? { GATEWAY_DATA_DIR: home.gateway } : {}),
    ...(name === 'simulator' ? { SIM_DATA_DIR: home.simulator } : {}),
    ...(name === 'gateway' && simulatorUrl ? { SIMULATOR_URL: simulatorUrl } : {}),
  };
};

/** The port of the life before when it is free, so that clients need not look for it. */
const httpEnv = async (
  { http, name }: ServiceDefinition,
  { home, env }: ServiceContext,
): Promise<NodeJS.ProcessEnv> => {
  if (!http) return {};
  const memory = portMemory(path.join(home.ports, name));
  const wished = name === 'gateway' && env['PORT'] ? Number(env['PORT']) : http.firstPort;
  const known = await memory.recall();
  const port = known !== undefined && (await isPortFree(known)) ? known : await choosePort(wished);
  await memory.remember(port);
  const host = name === 'gateway' ? env['HOST'] : undefined;
  return { HOST: host ?? '127.0.0.1', PORT: port.toString() };
};

const choosePort = (wished: number | undefined): Promise<number> =>
  wished === undefined ? freePort() : freePortFrom(wished);
