import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rejectionOf } from './contract-kit.js';
import { StoreUnavailableError } from './event-store.js';
import { openKurrentdbEventStore } from './kurrentdb-event-store.js';
import { openEventStore } from './open-event-store.js';

describe('a KurrentDB that cannot be opened', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ['keepAliveInterval=ten', 'Integer'],
    ['tls=maybe', 'true or false'],
    ['foo=1&nodePreference=none', 'follower'],
  ])('is told about without its password: %s', async (setting, why) => {
    const told: unknown[] = [];
    vi.spyOn(console, 'warn').mockImplementation((...args) => told.push(args));
    const error = await rejectionOf(
      openEventStore({
        kurrentdbUrl: `kurrentdb://admin:s3cret@127.0.0.1:1?${setting}`,
        applicationName: 'spec',
        allowUnsafe: true,
        onError: (problem) => told.push(problem),
      }),
    );
    expect(inspect([error, told], { depth: 10, showHidden: true })).not.toContain('s3cret');
    expect(String(error)).toContain(why);
    expect(told.map(String)).toEqual(
      setting.startsWith('foo') ? ['Error: unknown settings, ignored: foo'] : [],
    );
  });

  it.each([
    ['a node', '127.0.0.1:1'],
    ['a cluster', '127.0.0.1:1,127.0.0.1:2'],
  ])(
    'because %s is away is told as such',
    async (_, hosts) => {
      const url = `kurrentdb://${hosts}?tls=false&maxDiscoverAttempts=2&discoveryInterval=50`;
      const times = { readyTimeoutMs: 300, appendTimeoutMs: 300 };
      const error = await rejectionOf(
        openKurrentdbEventStore({ url, applicationName: 'spec', ...times }),
      );
      expect(error).toBeInstanceOf(StoreUnavailableError);
    },
    60_000,
  );
});
