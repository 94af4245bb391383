import type { EventStore } from './event-store.js';
import { refuseUnsafeNodes } from './kurrentdb-safety.js';
import { openPostgresEventStore } from './postgres-event-store.js';

export interface OpenEventStoreOptions {
  /** Its schema `event_store` holds the events unless a `kurrentdbUrl` is given. */
  readonly databaseUrl?: string | undefined;
  readonly kurrentdbUrl?: string | undefined;
  /** Shown by the server beside the connections. */
  readonly applicationName: string;
  /** Start even if the server may lose what it has acknowledged; for tests. */
  readonly allowUnsafe?: boolean | undefined;
  /** Told of failures that the store deals with by itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Told once whether KurrentDB is given the appends of several streams together. */
  readonly onMerging?: ((merging: boolean) => void) | undefined;
}

/** KurrentDB where there is one, else PostgreSQL, brought to the newest schema. */
export const openEventStore = async ({
  databaseUrl,
  kurrentdbUrl,
  applicationName,
  allowUnsafe = false,
  onError = () => undefined,
  onMerging = () => undefined,
}: OpenEventStoreOptions): Promise<EventStore> => {
  if (kurrentdbUrl) {
    if (!allowUnsafe) await refuseUnsafeNodes(kurrentdbUrl, { onError });
    // Loaded on demand: its native client costs every start 0.1 s and 20 MB.
    const { openKurrentdbEventStore } = await import('./kurrentdb-event-store.js');
    return openKurrentdbEventStore({ url: kurrentdbUrl, applicationName, onError, onMerging });
  }
  if (!databaseUrl) throw new Error('no event store: neither a KurrentDB nor a PostgreSQL URL');
  return openPostgresEventStore({ url: databaseUrl, applicationName, allowUnsafe, onError });
};
