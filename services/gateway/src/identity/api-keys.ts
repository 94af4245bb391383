import { messageOf } from '@tollkeeper/kernel';
import { forbidden, unauthorized, unavailable } from '../http/http-refusal.js';
import { bearerKeyOf, hashOf } from './api-key.js';
import type { Caller, KnownKey } from './api-key.store.js';

export interface ApiKeysPort {
  find(keyHash: string): Promise<KnownKey | undefined>;
}

interface Entry {
  /** Undefined: no such key. */
  readonly caller: KnownKey | undefined;
  readonly readAtMs: number;
}

export interface ApiKeysOptions {
  /** A younger entry is used as it is. */
  readonly ttlMs: number;
  readonly entriesMax?: number;
  readonly lookupsMax?: number;
  readonly onError?: (message: string) => void;
}

/**
 * Who calls. Answers from memory, keyed by the full hash; an entry that is past its time is used once more
 * while it is read again, so that no request of a busy key waits for the database. A revoked key is refused
 * as soon as `forget` is told of its account. Where it is not, the key is refused after `ttlMs` where it is busy,
 * and at once where it was not used for six times that long.
 */
export class ApiKeys {
  private readonly known = new Map<string, Entry>();
  /** Unknown keys have a cache of their own: a flood of guesses must not push out the known ones. */
  private readonly unknown = new Map<string, Entry>();
  private readonly lookups = new Map<string, Promise<Entry>>();
  /** How often something was forgotten: what was asked before may be answered too late. */
  private forgotten = 0;

  constructor(
    private readonly store: ApiKeysPort,
    private readonly options: ApiKeysOptions,
  ) {}

  /** @throws HttpRefusal 401, 403 where the key's project is archived, or 503 where the database cannot be asked. */
  async identify(authorization: string | undefined): Promise<Caller> {
    const key = bearerKeyOf(authorization);
    if (key === undefined) {
      throw unauthorized(
        authorization === undefined
          ? 'You did not provide an API key. Send it as "Authorization: Bearer tk_…".'
          : 'The API key is not valid.',
      );
    }
    const keyHash = hashOf(key);
    const { caller } = this.remembered(keyHash) ?? (await this.lookUp(keyHash));
    if (!caller) throw unauthorized('The API key is not valid.');
    if (caller.projectArchived === true) {
      throw forbidden('The project of this API key is archived.', 'project_archived');
    }
    return caller;
  }

  /** Nothing that was read of the account's keys until now is used again. */
  forget(accountId: string): void {
    this.forgotten += 1;
    for (const [keyHash, { caller }] of this.known) {
      if (caller?.accountId === accountId) this.known.delete(keyHash);
    }
  }

  private remembered(keyHash: string): Entry | undefined {
    const entry = this.known.get(keyHash) ?? this.unknown.get(keyHash);
    if (!entry) return undefined;
    const ageMs = Date.now() - entry.readAtMs;
    if (ageMs < this.options.ttlMs) return entry;
    if (!entry.caller || ageMs > 6 * this.options.ttlMs) return undefined;
    this.lookUp(keyHash).catch((error: unknown) => {
      this.options.onError?.(messageOf(error));
    });
    return entry;
  }

  private lookUp(keyHash: string): Promise<Entry> {
    const running = this.lookups.get(keyHash);
    if (running) return running;
    if (this.lookups.size >= (this.options.lookupsMax ?? 1_000)) {
      return Promise.reject(unavailable('Too many keys are being looked up.', 'overloaded'));
    }
    const lookup = this.read(keyHash).finally(() => this.lookups.delete(keyHash));
    this.lookups.set(keyHash, lookup);
    return lookup;
  }

  private async read(keyHash: string): Promise<Entry> {
    let caller: KnownKey | undefined;
    let askedAt: number;
    try {
      do {
        askedAt = this.forgotten;
        caller = await this.store.find(keyHash);
      } while (caller && askedAt !== this.forgotten);
    } catch (error) {
      this.options.onError?.(messageOf(error));
      throw unavailable('API keys cannot be checked at the moment.', 'not_ready');
    }
    const entry: Entry = { caller, readAtMs: Date.now() };
    this.known.delete(keyHash);
    this.unknown.delete(keyHash);
    remember(caller ? this.known : this.unknown, keyHash, entry, this.options.entriesMax ?? 50_000);
    return entry;
  }
}

/** Maps keep insertion order, so the first key is the oldest. */
const remember = (cache: Map<string, Entry>, key: string, entry: Entry, max: number): void => {
  cache.set(key, entry);
  if (cache.size <= max) return;
  const oldest = cache.keys().next();
  if (!oldest.done) cache.delete(oldest.value);
};
