import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom, seedFor } from '@tollkeeper/testing';
import { root } from '../support/root.js';
import { compileVolatileDisk } from '../support/volatile-disk.js';
import { faultKinds, type FaultCounts, type FaultKind } from './fault.js';
import { runFaults } from './fault-run.js';
import { isClean, summaryOf } from './fault-summary.js';
import { figure, figuresUsage, type FigureName } from './figures.js';
import { runUnsafeStores } from './unsafe-store.js';

const usage = `npm run test:faults -- [model|concurrency|messages|faults|power|gateway …] [options]; without a name: all of them

  --night         the second figure of each line below instead of the first; an environment variable comes before both
${figuresUsage}
  --seed N        of everything; a new one is printed otherwise
  --minutes N     no new fault after so long (120)
  --kinds a,b     of ${faultKinds.join(', ')} (all)
  --targets a,b   beginnings of names: credit, projection, nats, postgres, machine, kurrentdb (all)
  --instances N   of the credit service (1)
  --store NAME    postgres or kurrentdb: KURRENTDB_PROGRAM is the path of a node's program, which may be killed, paused and lose
                  its power; or KURRENTDB_URL is a node of somebody else, killed by KURRENTDB_RESTART_COMMAND`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    night: { type: 'boolean', default: false },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '120' },
    kinds: { type: 'string', default: faultKinds.join() },
    targets: { type: 'string', default: '' },
    instances: { type: 'string', default: '1' },
    store: { type: 'string', default: 'postgres' },
    help: { type: 'boolean', default: false },
  },
});
const parts = ['model', 'concurrency', 'messages', 'faults', 'power', 'gateway'] as const;
type Part = (typeof parts)[number];

const wanted = positionals.length === 0 ? parts : positionals;
const seed = seedFor('test:faults', values.seed ?? process.env['SEED']);
const isKurrentdb = values.store === 'kurrentdb';
const kurrentdbProgram = isKurrentdb ? process.env['KURRENTDB_PROGRAM'] : undefined;
const kurrentdbUrl = isKurrentdb ? process.env['KURRENTDB_URL'] : undefined;
const count = (name: FigureName): number => figure(name, values.night);

/** The specs of `npm test` with larger figures. */
const runSpecs = (
  paths: readonly string[],
  figures: readonly FigureName[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> =>
  new Promise((resolve) => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const counts = Object.fromEntries(figures.map((name) => [name, String(count(name))]));
    const child = spawn(process.execPath, [vitest, 'run', ...paths], {
      cwd: root,
      env: {
        ...process.env,
        SEED: String(seed),
        CREDIT_INSTANCES: values.instances,
        ...counts,
        ...env,
      },
      stdio: 'inherit',
    });
    child.once('exit', (code) => resolve(code === 0));
  });

const runCounted = async (counts: FaultCounts, volatileDisk?: string): Promise<boolean> => {
  const kinds = values.kinds.split(',');
  const chosen = faultKinds.map((kind) => [kind, kinds.includes(kind) ? counts[kind] : 0]);
  const report = await runFaults(randomFrom(seed), {
    counts: Object.fromEntries(chosen) as Record<FaultKind, number>,
    timeMaxMs: Number(values.minutes) * 60_000,
    targets: values.targets.split(','),
    creditInstances: Number(values.instances),
    kurrentdbUrl,
    kurrentdbProgram,
    volatileDisk,
    onFault: (line) => console.error(line),
  });
  console.log(summaryOf(report, seed));
  return isClean(report);
};

const none = { kill: 0, pause: 0, cut: 0, 'half-open': 0, stall: 0, latency: 0, 'power-loss': 0 };

const runKillsAndCuts = (): Promise<boolean> => {
  const pauses = count('PAUSES');
  const links = { cut: pauses, 'half-open': pauses, stall: pauses, latency: pauses };
  return runCounted({ ...none, ...links, kill: count('KILLS'), pause: pauses });
};

/** First that the test would notice: the same loss with a store that does not wait for its disk. */
const runPowerLosses = async (): Promise<boolean> => {
  const volatileDisk = await compileVolatileDisk();
  if (volatileDisk === undefined) return true;
  try {
    const noticed = await runUnsafeStores(randomFrom(seed), { volatileDisk, kurrentdbProgram });
    const clean = await runCounted({ ...none, 'power-loss': count('LOSSES') }, volatileDisk);
    return noticed && clean;
  } finally {
    rmSync(dirname(volatileDisk), { recursive: true });
  }
};

const runs: Readonly<Record<Part, () => Promise<boolean>>> = {
  model: () =>
    runSpecs(['services/credit/src/model'], ['MODEL_RUNS', 'MODEL_STEPS', 'REAL_LIVES'], {
      PLANTED_BUGS: 'all',
    }),
  concurrency: () =>
    runSpecs(['tests/concurrency'], ['HISTORIES', 'FAULTY_HISTORIES'], { ACCOUNTS: '10000' }),
  messages: () => runSpecs(['tests/faults/duplicates'], ['MESSAGES']),
  faults: runKillsAndCuts,
  power: runPowerLosses,
  gateway: () =>
    runSpecs(['tests/e2e/kills', 'tests/e2e/pauses'], ['KILLS'], {
      VICTIMS: 'gateway',
      PAUSED: 'credit,nats,postgres',
    }),
};

if (values.help) {
  console.log(usage);
} else if (isKurrentdb && kurrentdbUrl === undefined && kurrentdbProgram === undefined) {
  throw new Error('--store kurrentdb needs KURRENTDB_PROGRAM or KURRENTDB_URL');
} else {
  for (const name of wanted) {
    const part = parts.find((each) => each === name);
    if (!part) throw new Error(`no part ${name}\n${usage}`);
    if (!(await runs[part]())) process.exitCode = 1;
  }
}
