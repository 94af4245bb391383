import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { commandLineOf, identifyProcess, isRunning, parseProcStat } from './process-identity.js';
import { stopProcess } from './stop-process.js';

describe('a process identity', () => {
  it('names a running process until it ends', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const identity = identifyProcess(child.pid ?? 0);
    expect(identity && isRunning(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identity && isRunning(identity)).toBe(false);
  });

  it('is not fooled by another process under the same pid', () => {
    expect(isRunning({ pid: process.pid, startedAt: 'another time' })).toBe(false);
  });

  it.each([0, -1, Number.NaN, 2 ** 30])('does not exist for pid %s', (pid) => {
    expect(identifyProcess(pid)).toBeUndefined();
  });

  it('reads the start behind a command name that holds spaces and parentheses', () => {
    const stat = `7 (a) b (c)) S ${Array.from({ length: 18 }, () => '0').join(' ')} 4711 9`;
    expect(parseProcStat(stat)).toEqual({ state: 'S', startTicks: '4711' });
  });

  it('shows its command line', () => {
    expect(commandLineOf(process.pid)).toContain('node');
  });
});

describe('stopping a process', () => {
  it('goes from asking to killing when it does not listen', async () => {
    const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done']);
    await once(child.stdout, 'data');
    const identity = identifyProcess(child.pid ?? 0);
    if (!identity) throw new Error('not started');
    const exited = once(child, 'exit');
    const steps = [
      { signal: 'SIGTERM', graceMs: 100 },
      { signal: 'SIGKILL', graceMs: 5_000 },
    ] as const;
    expect(await stopProcess(identity, steps)).toBe(true);
    expect((await exited)[1]).toBe('SIGKILL');
  });

  it('leaves a stranger under the same pid alone', async () => {
    const stranger = { pid: process.pid, startedAt: 'another time' };
    expect(await stopProcess(stranger, [{ signal: 'SIGKILL', graceMs: 0 }])).toBe(true);
  });
});
