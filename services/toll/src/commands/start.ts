import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Log } from '@tollkeeper/servers';

import { CommandError } from '../command-error.js';
import { makeHome, type Home } from '../home/home.js';
import { readReadyFile, type Ready } from '../home/ready-file.js';
import { AlreadyRunningError } from '../home/run-file.js';
import { columns, type Printer } from '../print.js';
import { seedDemoAccount } from '../supervisor/demo-account.js';
import { stages } from '../supervisor/services.js';
import { supervise } from '../supervisor/supervise.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the platform in the foreground until a signal says stop. */
export const startPlatform = async (home: Home, print: Printer): Promise<void> => {
  await makeHome(home);
  const stop = new AbortController();
  // A terminal that went away must not keep us from stopping everything in order.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const { log, close } = supervisorLog(home, print);
  const onSignal = (signal: NodeJS.Signals): void => {
    log(stop.signal.aborted ? 'still stopping' : `${signal}: stopping`);
    stop.abort();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  try {
    await supervise({
      home,
      log,
      stages,
      env: process.env,
      seed: seedDemoAccount,
      stopRequested: stop.signal,
      onReady: (ready) => {
        print.result(ready, banner(ready));
      },
    });
  } catch (error) {
    throw error instanceof AlreadyRunningError ? alreadyRunning(home, error) : error;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    close();
  }
};

const alreadyRunning = (home: Home, { message }: AlreadyRunningError): CommandError => {
  const url = readReadyFile(home.readyFile)?.gatewayUrl;
  const where = url ? ` at ${url}` : ', and still starting';
  return new CommandError('already-running', `${message}${where}; stop it with \`npm stop\``);
};

/** On the terminal, and in logs/supervisor.log for the time when nobody looks. */
const supervisorLog = (home: Home, print: Printer): { log: Log; close: () => void } => {
  const file = openSync(path.join(home.logs, 'supervisor.log'), 'a', 0o600);
  return {
    log: (line) => {
      print.progress(line);
      writeSync(file, `${new Date().toISOString()} ${line}\n`);
    },
    close: () => {
      closeSync(file);
    },
  };
};

const banner = ({ gatewayUrl, apiKey, accountId }: Ready): string[] => [
  '',
  'Tollkeeper is ready.',
  '',
  ...columns({ gateway: gatewayUrl, 'API key': apiKey, account: accountId }),
  '',
  'Try it:',
  '',
  `  curl -s ${gatewayUrl}/v1/chat/completions \\`,
  `    -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' \\`,
  `    -d '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}'`,
  '',
  `Balance: npx toll account show ${accountId}`,
  'Ctrl-C stops everything.',
  '',
];
