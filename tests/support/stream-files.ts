import { cp, rm } from 'node:fs/promises';
import type { Random } from '@tollkeeper/testing';

/** JetStream's files, of which a power loss takes all that its server had not synced: up to two minutes, or everything. */
export class StreamFiles {
  private copied = false;
  private lost = false;
  private stale = false;

  constructor(private readonly directory: string) {}

  private get copy(): string {
    return `${this.directory}.copy`;
  }

  /** As they are now, while they are written: what the next loss may leave. */
  async remember(): Promise<void> {
    this.copied = false;
    await rm(this.copy, { recursive: true, force: true });
    // Files come and go under the copy, as they do under a sync.
    await cp(this.directory, this.copy, { recursive: true }).catch(() => undefined);
    this.copied = true;
  }

  /** The server, once it is dead, finds nothing any more, or what was remembered last. */
  lose(random: Random): void {
    this.lost = true;
    this.stale = this.copied && random.int(0, 1) === 1;
  }

  /** Before the server starts again. */
  async restore(): Promise<void> {
    if (!this.lost) return;
    this.lost = false;
    await rm(this.directory, { recursive: true, force: true });
    if (this.stale) await cp(this.copy, this.directory, { recursive: true });
  }
}
