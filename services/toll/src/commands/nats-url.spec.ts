import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadNatsPasswords } from '../home/credentials.js';
import { homeAt, type Home } from '../home/home.js';
import { writeJson } from '../home/json-file.js';
import { natsUrlFor } from './nats-url.js';

describe('the NATS URL of a user', () => {
  let home: Home;
  beforeEach(() => {
    home = homeAt(mkdtempSync(path.join(tmpdir(), 'toll-nats-url-')));
  });
  afterEach(() => {
    rmSync(home.directory, { recursive: true });
  });

  it('is the running server’s, with that user’s password', () => {
    const { platform } = loadNatsPasswords(home.credentialsFile);
    writeJson(home.readyFile, { natsUrl: 'nats://operator:secret@127.0.0.1:4567' });
    expect(natsUrlFor(home, 'platform')).toBe(`nats://platform:${platform}@127.0.0.1:4567`);
  });

  it('is not given out for a user that is a service of ours', () => {
    expect(() => natsUrlFor(home, 'credit')).toThrow('"credit" is none of platform, operator');
  });

  it('is known only while the platform runs, and for a server of ours', () => {
    expect(() => natsUrlFor(home, 'platform')).toThrow('not running');
    writeJson(home.readyFile, { natsUrl: 'nats://nats.example:4222' });
    expect(() => natsUrlFor(home, 'platform')).toThrow('NATS server of your own');
  });
});
