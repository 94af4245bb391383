import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NATS_USERS } from '@tollkeeper/servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadNatsPasswords } from './credentials.js';

describe('the passwords of the NATS users', () => {
  let file: string;
  beforeEach(() => {
    file = path.join(mkdtempSync(path.join(tmpdir(), 'toll-credentials-')), 'credentials.json');
  });
  afterEach(() => {
    rmSync(path.dirname(file), { recursive: true });
  });

  it('are made once, one for each', () => {
    const made = loadNatsPasswords(file);
    expect(Object.keys(made).sort()).toEqual([...NATS_USERS].sort());
    expect(new Set(Object.values(made)).size).toBe(NATS_USERS.length);
    expect(loadNatsPasswords(file)).toEqual(made);
  });

  it('stay as others know them when a user is added, and one that is gone is dropped', () => {
    const { platform, ...before } = loadNatsPasswords(file);
    writeFileSync(file, JSON.stringify({ ...before, retired: 'x' }));
    const after = loadNatsPasswords(file);
    expect(after).toMatchObject(before);
    expect(after.platform).not.toBe(platform);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(after);
    expect(after).not.toHaveProperty('retired');
  });
});
