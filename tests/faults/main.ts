import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom, seedFor } from '@tollkeeper/testing';
import { root } from '../support/root.js';
import { faultKinds, type FaultKind } from './fault.js';
import { runFaults } from './fault-run.js';
import { isClean, summaryOf } from './fault-summary.js';

const usage = `npm run test:faults -- [model|concurrency|messages|faults …] [options]; without a name: all of them

  --seed N        of everything; a new one is printed otherwise
  --kills N       faults, kills and others, one after the other (200)
  --minutes N     no new fault after so long (120)
  --kinds a,b     of ${faultKinds.join(', ')} (all)
  --targets a,b   beginnings of names: credit, projection, nats, postgres, kurrentdb (all)
  --instances N   of the credit service (1)
  --store NAME    postgres or kurrentdb, which needs KURRENTDB_URL; KURRENTDB_RESTART_COMMAND lets its node be killed`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    kills: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '120' },
    kinds: { type: 'string', default: faultKinds.join() },
    targets: { type: 'string', default: '' },
    instances: { type: 'string', default: '1' },
    store: { type: 'string', default: 'postgres' },
    help: { type: 'boolean', default: false },
  },
});
const parts = ['model', 'concurrency', 'messages', 'faults'] as const;
type Part = (typeof parts)[number];

const wanted = positionals.length === 0 ? parts : positionals;
const seed = seedFor('test:faults', values.seed ?? process.env['SEED']);
const kurrentdbUrl = values.store === 'kurrentdb' ? process.env['KURRENTDB_URL'] : undefined;

/** The specs of `npm test` with the figures of a night. */
const runSpecs = (path: string, env: Readonly<Record<string, string>>): Promise<boolean> =>
  new Promise((resolve) => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', path], {
      cwd: root,
      env: { ...process.env, SEED: String(seed), CREDIT_INSTANCES: values.instances, ...env },
      stdio: 'inherit',
    });
    child.once('exit', (code) => resolve(code === 0));
  });

const runFaultsOnce = async (): Promise<boolean> => {
  const report = await runFaults(randomFrom(seed), {
    faults: Number(values.kills),
    timeMaxMs: Number(values.minutes) * 60_000,
    kinds: values.kinds.split(',') as FaultKind[],
    targets: values.targets.split(','),
    creditInstances: Number(values.instances),
    kurrentdbUrl,
    onFault: (line) => console.error(line),
  });
  console.log(summaryOf(report, seed));
  return isClean(report);
};

const runs: Readonly<Record<Part, () => Promise<boolean>>> = {
  model: () =>
    runSpecs('services/credit/src/model', {
      MODEL_RUNS: process.env['MODEL_RUNS'] ?? '20000',
      MODEL_STEPS: process.env['MODEL_STEPS'] ?? '200',
      REAL_LIVES: process.env['REAL_LIVES'] ?? '100',
    }),
  concurrency: () =>
    runSpecs('tests/concurrency', {
      HISTORIES: process.env['HISTORIES'] ?? '2500',
      FAULTY_HISTORIES: process.env['FAULTY_HISTORIES'] ?? '2500',
      ACCOUNTS: process.env['ACCOUNTS'] ?? '10000',
    }),
  messages: () => runSpecs('tests/faults', { MESSAGES: '100000' }),
  faults: runFaultsOnce,
};

if (values.help) {
  console.log(usage);
} else if (values.store === 'kurrentdb' && kurrentdbUrl === undefined) {
  throw new Error('--store kurrentdb needs KURRENTDB_URL');
} else {
  for (const name of wanted) {
    const part = parts.find((each) => each === name);
    if (!part) throw new Error(`no part ${name}\n${usage}`);
    if (!(await runs[part]())) process.exitCode = 1;
  }
}
