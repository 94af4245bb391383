export { silent, type Log } from './log.js';
export { cacheDirectory } from './directories.js';
export {
  freePort,
  freePortFrom,
  isPortFree,
  portMemory,
  type PortMemory,
} from './process/free-port.js';
export {
  commandLineOf,
  identifyProcess,
  isRunning,
  type ProcessIdentity,
} from './process/process-identity.js';
export {
  launchServer,
  tailOf,
  type LaunchedServer,
  type ServerCommand,
  type ServerExit,
} from './process/launch-server.js';
export { newSecret } from './process/secret.js';
export { politelyThenKill, stopProcess, type StopStep } from './process/stop-process.js';
export { waitUntil, type Patience } from './process/wait-until.js';
export { stopLeftOverServers } from './left-over-servers.js';
export { isRoot } from './postgres/os-user.js';
export { createDatabase, databaseUrl } from './postgres/database.js';
export {
  startEphemeralPostgres,
  type EphemeralOptions,
  type EphemeralPostgres,
} from './postgres/ephemeral-postgres.js';
export {
  startPostgres,
  type PostgresOptions,
  type RunningPostgres,
} from './postgres/start-postgres.js';
export { newNatsPasswords, startEphemeralNats, type EphemeralNats } from './nats/ephemeral-nats.js';
export { findNatsServer, type FindOptions, type NatsServerBinary } from './nats/nats-binary.js';
export {
  NATS_USERS,
  startNats,
  type NatsOptions,
  type NatsUser,
  type RunningNats,
} from './nats/start-nats.js';
