import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  launchServer,
  politelyThenKill,
  stopProcess,
  tailOf,
  waitUntil,
} from '@tollkeeper/servers';
import type { Life } from './kept-running.js';

/** A node of KurrentDB or EventStoreDB of our own, by the path of its program. */
export interface KurrentdbNode extends Life {
  readonly url: string;
  /** After its end: on the same data and port. */
  readonly startAgain: () => Promise<Life>;
  /** Its files go, too. */
  readonly stop: () => Promise<void>;
}

const readyTimeoutMs = 90_000;

export const startKurrentdbNode = async (
  program: string,
  /** Told the data directory before each start; what it adds to the node's environment. */
  prepare: (data: string) => Promise<NodeJS.ProcessEnv> = () => Promise.resolve({}),
): Promise<KurrentdbNode> => {
  const folder = mkdtempSync(join(tmpdir(), 'tollkeeper-kurrentdb-'));
  const [data, settings] = [join(folder, 'data'), join(folder, 'node.conf')];
  mkdirSync(data);
  writeFileSync(settings, '');
  const [port, replicationPort] = [await freePort(), await freePort()];
  const options = {
    config: settings,
    db: data,
    log: join(folder, 'log'),
    'cluster-size': '1',
    'node-ip': '127.0.0.1',
    'node-port': String(port),
    'replication-ip': '127.0.0.1',
    'replication-port': String(replicationPort),
    'run-projections': 'None',
    // Small files, because a disk that loses its power compares whole ones at each flush.
    'chunk-size': String(8 * 1024 * 1024),
  };
  const args = [
    '--insecure',
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  ];
  const logFile = join(folder, 'node.log');
  let stopNode = (): Promise<unknown> => Promise.resolve();

  const start = async (): Promise<Life> => {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, EVENTSTORE_TELEMETRY_OPTOUT: 'true', ...(await prepare(data)) };
    const node = await launchServer({ command: program, args, cwd: folder, logFile, env });
    stopNode = () => stopProcess(node.identity, politelyThenKill(20_000));
    const isLeader = async (): Promise<boolean> => {
      const answer = await fetch(`http://127.0.0.1:${String(port)}/info`).catch(() => undefined);
      return /"state": *"leader"/.test((await answer?.text()) ?? '');
    };
    const isOver = async (): Promise<boolean> => node.exit() !== undefined || (await isLeader());
    await waitUntil(isOver, { timeoutMs: readyTimeoutMs, intervalMs: 100 });
    if (node.exit() !== undefined || !(await isLeader())) {
      await stopNode();
      throw new Error(`the node did not start:\n${await tailOf(logFile)}`);
    }
    return { pid: node.identity.pid, exited: node.exited };
  };

  return {
    ...(await start()),
    url: `kurrentdb://127.0.0.1:${String(port)}?tls=false`,
    startAgain: start,
    stop: async () => {
      await stopNode();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
