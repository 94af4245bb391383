/**
 * What `npm start`, `npm stop`, `npm test` and `npm run bench` run, on a clone where nothing is
 * installed yet: it installs what is missing, builds what has changed, and hands over. It may use
 * nothing but Node, hence plain JavaScript.
 */
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const inRoot = (...names) => path.join(root, ...names);
const modules = inRoot('node_modules');
const lockFile = inRoot('package-lock.json');
/** Holds the hash of the lock file that node_modules was installed from. */
const marker = path.join(modules, '.tollkeeper-lock');
const toll = inRoot('services/toll/dist/main.js');

const quietTools = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const say = (line) => console.error(line);

class BootstrapError extends Error {}

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new BootstrapError(
    `Tollkeeper needs Node 20.19 or newer; this is ${process.versions.node} (${process.execPath})`,
  );
};

/** The child's exit code; it gets our signals, and we outlive it. */
const run = (command, args, { quiet = false, env = {} } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['inherit', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    const kept = [];
    child.stdout?.on('data', (chunk) => kept.push(chunk));
    child.stderr?.on('data', (chunk) => kept.push(chunk));
    const forward = (signal) => child.kill(signal);
    for (const signal of forwarded) process.on(signal, forward);
    const finish = () => {
      for (const signal of forwarded) process.off(signal, forward);
    };
    child.once('error', (error) => {
      finish();
      reject(new BootstrapError(`${command} cannot be run: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      finish();
      if (code !== 0 && kept.length > 0) process.stderr.write(Buffer.concat(kept));
      resolve(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : code);
    });
  });

const runOrThrow = async (what, ...command) => {
  const code = await run(...command);
  if (code !== 0) throw new BootstrapError(`${what} failed (exit code ${code})`);
};

/**
 * npm puts a shell between itself and us, which dies of a signal without passing it on: the orphan
 * that we are then must stop as if the signal had been ours.
 */
const followParent = () => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  timer.unref();
};

// --- one at a time ---------------------------------------------------------------------------

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const LOCK_AGE_MAX_MS = 30 * 60_000;

/** A lock whose holder is dead, or so old that its pid must be somebody else's, is void. */
const isVoid = (file) => {
  try {
    const pid = Number(fs.readFileSync(file, 'utf8'));
    const ageMs = Date.now() - fs.statSync(file).mtimeMs;
    // Empty: its holder is just writing, or died doing so.
    return pid > 0 ? !isAlive(pid) || ageMs > LOCK_AGE_MAX_MS : ageMs > 2_000;
  } catch {
    return false;
  }
};

/** `npm start` and `npm test` at once must not install or build over each other. */
const locked = async (work) => {
  const directory = inRoot('.turbo');
  fs.mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'bootstrap.lock');
  for (let told = false; ;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isVoid(file)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!told) say('waiting for another run that installs or builds');
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
};

// --- dependencies ----------------------------------------------------------------------------

const readJson = (file) => {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

const hashOf = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** What an `npm install` by hand left counts as well, when it is what the lock file says. */
const matchesLockFile = () => {
  const wanted = readJson(lockFile)?.packages;
  const found = readJson(path.join(modules, '.package-lock.json'))?.packages;
  if (!wanted || !found) return false;
  const same = ([name, entry]) => {
    const other = found[name];
    if (!other)
      return Boolean(entry.optional || entry.devOptional || entry.peer || isWorkspace(name));
    return other.version === entry.version && other.integrity === entry.integrity;
  };
  return (
    Object.entries(wanted).every(same) &&
    Object.keys(found).every((name) => name in wanted) &&
    Object.keys(wanted).every((name) => !wanted[name].link || fs.existsSync(inRoot(name)))
  );
};

/** The root and the workspaces are sources, not something installed. */
const isWorkspace = (name) => !name.includes('node_modules/');

const ensureDependencies = async () => {
  const hash = hashOf(lockFile);
  if (fs.existsSync(marker) && fs.readFileSync(marker, 'utf8').trim() === hash) return;
  if (!matchesLockFile()) {
    say('installing dependencies (npm ci; about a minute the first time)');
    const npm = process.env.npm_execpath;
    const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
    const args = [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    await runOrThrow('npm ci', command, args, { quiet: true });
  }
  fs.writeFileSync(marker, `${hash}\n`);
};

const build = async () => {
  say('building what has changed');
  const turbo = createRequire(inRoot('package.json')).resolve('turbo/bin/turbo');
  const args = [turbo, 'run', 'build', '--output-logs=errors-only', '--no-update-notifier'];
  await runOrThrow('the build', process.execPath, args, { quiet: true, env: quietTools });
};

const prepare = () =>
  locked(async () => {
    await ensureDependencies();
    await build();
  });

// --- verbs -----------------------------------------------------------------------------------

/** In this very process, so that signals and the exit code need no forwarding. */
const handOver = async (program, args) => {
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
};

const start = async (args) => {
  await prepare();
  await handOver(toll, ['start', ...args]);
};

const stop = async (args) => {
  if (fs.existsSync(toll) && fs.existsSync(modules)) return handOver(toll, ['stop', ...args]);
  const home = path.resolve(process.env.TOLLKEEPER_HOME || inRoot('.tollkeeper'));
  const pid = readJson(path.join(home, 'run.json'))?.supervisor?.pid;
  if (!pid || !isAlive(pid)) return console.log('nothing is running');
  say(`stopping Tollkeeper (pid ${pid})`);
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; isAlive(pid); waitedMs += 100) {
    if (waitedMs > 120_000) throw new BootstrapError(`pid ${pid} does not stop`);
    await sleep(100);
  }
  console.log('stopped');
};

const test = async (args) => {
  await prepare();
  const vitest = path.join(modules, 'vitest', 'vitest.mjs');
  process.exitCode = await run(process.execPath, [vitest, 'run', ...args]);
};

const bench = async (args) => {
  await prepare();
  process.exitCode = await run(process.execPath, [inRoot('tests/dist/bench/main.js'), ...args]);
};

const faults = async (args) => {
  await prepare();
  process.exitCode = await run(process.execPath, [inRoot('tests/dist/faults/main.js'), ...args]);
};

const ciCheck = async () => {
  await locked(ensureDependencies);
  process.exitCode = await run('npm', ['run', '--silent', 'check'], { env: quietTools });
};

const verbs = { start, stop, test, bench, faults, 'ci-check': ciCheck };

const main = async ([verb, ...args]) => {
  checkNode();
  followParent();
  const work = Object.hasOwn(verbs, verb ?? '') ? verbs[verb] : undefined;
  if (!work) throw new BootstrapError(`usage: bootstrap.mjs ${Object.keys(verbs).join('|')}`);
  await work(args);
};

main(process.argv.slice(2)).catch((error) => {
  say(error instanceof BootstrapError ? `error: ${error.message}` : error);
  process.exitCode = 1;
});
