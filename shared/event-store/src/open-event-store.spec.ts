import { describe, expect, it } from 'vitest';
import { rejectionOf } from './contract-kit.js';
import { StoreUnavailableError } from './event-store.js';
import { openKurrentdbEventStore } from './kurrentdb-event-store.js';

describe('a KurrentDB that cannot be opened', () => {
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
