import { hash } from 'node:crypto';
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

/** Where snapshots lie: text by account. Either may throw. */
export interface SnapshotBucket {
  readonly valueBytesMax: number;
  readonly get: (accountId: string) => Promise<string | undefined>;
  readonly put: (accountId: string, text: string) => Promise<void>;
}

/** Of the codecs that wrote the state: another version's snapshots are not read. */
const schema = hash('sha256', snapshotShape, 'hex').slice(0, 16);

const envelope = z.object({
  schema: z.string(),
  revision: z.number().int().nonnegative(),
  lastHash: z.string(),
  state: z.record(z.string(), z.unknown()),
});

const offeredMax = 1_000;
const restAfterFailureMs = 5_000;

/** Writes snapshots one at a time, each account's latest only. After a failure it neither reads nor writes for a while. */
export class SnapshotWriter implements Snapshots {
  private readonly offered = new Map<string, AccountSnapshot>();
  private readonly tooLarge = new Set<string>();
  private writing: Promise<void> | undefined;
  private restUntilMs = 0;

  constructor(
    private readonly bucket: SnapshotBucket,
    private readonly logger: Logger,
    readonly rule: SnapshotRule = defaultSnapshotRule,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async find(accountId: string): Promise<AccountSnapshot | undefined> {
    const offered = this.offered.get(accountId);
    if (offered) return offered;
    if (this.nowMs() < this.restUntilMs) return undefined;
    try {
      const text = await this.bucket.get(accountId);
      return text === undefined ? undefined : this.parse(accountId, text);
    } catch (error) {
      this.rest(error, 'no snapshot was read');
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
      if (this.nowMs() >= this.restUntilMs) await this.write(accountId, snapshot);
      // A newer one that came meanwhile stays.
      if (this.offered.get(accountId) === snapshot) this.offered.delete(accountId);
    }
  }

  private async write(accountId: string, snapshot: AccountSnapshot): Promise<void> {
    const text = JSON.stringify({ schema, ...snapshot });
    const bytes = Buffer.byteLength(text);
    if (bytes > this.bucket.valueBytesMax) {
      if (!this.tooLarge.has(accountId)) {
        this.logger.warn({ accountId, bytes }, 'an account is too large for a snapshot');
      }
      this.tooLarge.add(accountId);
      return;
    }
    this.tooLarge.delete(accountId);
    try {
      await this.bucket.put(accountId, text);
    } catch (error) {
      this.rest(error, 'a snapshot was not written');
    }
  }

  private parse(accountId: string, text: string): AccountSnapshot | undefined {
    const found = envelope.safeParse(JSON.parse(text));
    if (!found.success || found.data.schema !== schema) {
      this.logger.info({ accountId }, 'a snapshot of another version is ignored');
      return undefined;
    }
    const { revision, lastHash, state } = found.data;
    return { revision, lastHash, state: state as Json };
  }

  private rest(error: unknown, what: string): void {
    this.restUntilMs = this.nowMs() + restAfterFailureMs;
    this.logger.warn({ reason: messageOf(error) }, what);
  }
}
