import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { identifyProcess } from '@tollkeeper/servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { writeJson } from './json-file.js';
import { AlreadyRunningError, readRunFile, runRecorder, takeRunFile } from './run-file.js';

describe('the run file', () => {
  let directory: string;
  let file: string;
  const dead = { pid: process.pid, startedAt: 'another time' };

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'toll-run-'));
    file = path.join(directory, 'run.json');
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('has one holder at a time', () => {
    takeRunFile(file);
    expect(() => takeRunFile(file)).toThrow(AlreadyRunningError);
  });

  it('passes from a dead holder to the next, with what the dead one had started', () => {
    writeJson(file, { supervisor: dead, processes: { credit: { pid: 7, startedAt: 'then' } } });
    const { own, previous } = takeRunFile(file);
    expect(previous?.processes).toEqual({ credit: { pid: 7, startedAt: 'then' } });
    expect(readRunFile(file)).toEqual(own);
    expect(own.supervisor).toEqual(identifyProcess(process.pid));
  });

  it('is void when it cannot be understood', () => {
    writeJson(file, { something: 'else' });
    expect(takeRunFile(file).previous).toBeUndefined();
  });

  it('records each process, and leaves nothing behind when released', () => {
    const recorder = runRecorder(file, takeRunFile(file).own);
    recorder.record('credit', dead);
    expect(readRunFile(file)).toMatchObject({ processes: { credit: dead }, stopping: false });
    recorder.markStopping();
    expect(readRunFile(file)).toMatchObject({ processes: { credit: dead }, stopping: true });
    recorder.release();
    expect(readdirSync(directory)).toEqual([]);
  });
});
