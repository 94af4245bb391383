import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { messageOf, type Json } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import { z } from 'zod';
import { snapshotShape } from '../domain/credit-account/snapshot.js';
import {
  defaultSnapshotRule,
  type AccountSnapshot,
  type SnapshotRule,
  type Snapshots,
} from './snapshots.js';

/** Where snapshots lie: bytes by account. Either may throw. */
export interface SnapshotBucket {
  readonly valueBytesMax: number;
  readonly get: (accountId: string) => Promise<Uint8Array | undefined>;
  readonly put: (accountId: string, value: Uint8Array) => Promise<void>;
}

/** Of the codecs that wrote the state: another version's snapshots are not read. */
const schema = hash('sha256', snapshotShape, 'hex').slice(0, 16);

const envelope = z.object({
  schema: z.string(),
  revision: z.number().int().nonnegative(),
  lastHash: z.string(),
  state: z.record(z.string(), z.unknown()),
});

const deflated = promisify(deflateRaw);
const inflated = promisify(inflateRaw);

/** Reservations are much alike: at the fastest level an account may have eight times as many of them open. */
const pack = (text: string): Promise<Uint8Array> => deflated(text, { level: 1 });

/** Undefined where another version has written something else. */
const unpack = async (value: Uint8Array): Promise<unknown> => {
  try {
    return JSON.parse((await inflated(value)).toString());
  } catch {
    return undefined;
  }
};

const offeredMax = 1_000;
const restAfterFailureMs = 5_000;

/**
 * Writes snapshots one at a time, each account's latest only. After a failed read it does not read for a while, after a
 * failed write it does not write: a bucket that takes nothing more is read all the same.
 */
export class SnapshotWriter implements Snapshots {
  private readonly offered = new Map<string, AccountSnapshot>();
  private readonly tooLarge = new Set<string>();
  private writing: Promise<void> | undefined;
  private readonly restUntilMs = { reading: 0, writing: 0 };

  constructor(
    private readonly bucket: SnapshotBucket,
    private readonly logger: Logger,
    readonly rule: SnapshotRule = defaultSnapshotRule,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async find(accountId: string): Promise<AccountSnapshot | undefined> {
    const offered = this.offered.get(accountId);
    if (offered) return offered;
    if (this.nowMs() < this.restUntilMs.reading) return undefined;
    try {
      const value = await this.bucket.get(accountId);
      return value && this.parse(accountId, await unpack(value));
    } catch (error) {
      this.rest('reading', error, 'no snapshot was read');
      return undefined;
    }
  }

  offer(accountId: string, snapshot: AccountSnapshot): void {
    if (this.offered.size >= offeredMax && !this.offered.has(accountId)) return;
    this.offered.set(accountId, snapshot);
    this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
  }

  /** Resolves when everything offered is written, or the time is over. */
  async flushed(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([this.writing, over]);
    clearTimeout(timer);
  }

  private async writeAll(): Promise<void> {
    // A turn later, so that whoever offers goes on first.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const [next] = this.offered;
      if (!next) return;
      const [accountId, snapshot] = next;
      if (this.nowMs() >= this.restUntilMs.writing) await this.write(accountId, snapshot);
      // A newer one that came meanwhile stays.
      if (this.offered.get(accountId) === snapshot) this.offered.delete(accountId);
    }
  }

  private async write(accountId: string, snapshot: AccountSnapshot): Promise<void> {
    const value = await pack(JSON.stringify({ schema, ...snapshot }));
    const bytes = value.length;
    if (bytes > this.bucket.valueBytesMax) {
      if (!this.tooLarge.has(accountId)) {
        this.logger.warn({ accountId, bytes }, 'an account is too large for a snapshot');
      }
      this.tooLarge.add(accountId);
      return;
    }
    this.tooLarge.delete(accountId);
    try {
      await this.bucket.put(accountId, value);
    } catch (error) {
      this.rest('writing', error, 'a snapshot was not written');
    }
  }

  private parse(accountId: string, written: unknown): AccountSnapshot | undefined {
    const found = envelope.safeParse(written);
    if (!found.success || found.data.schema !== schema) {
      this.logger.info({ accountId }, 'a snapshot of another version is ignored');
      return undefined;
    }
    const { revision, lastHash, state } = found.data;
    return { revision, lastHash, state: state as Json };
  }

  private rest(from: 'reading' | 'writing', error: unknown, what: string): void {
    this.restUntilMs[from] = this.nowMs() + restAfterFailureMs;
    this.logger.warn({ reason: messageOf(error) }, what);
  }
}
