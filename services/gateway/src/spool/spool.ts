import { mkdir, open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@tollkeeper/kernel';
import type { Ending } from '../ledger/ledger.js';

/** A command that the ledger has not acknowledged. */
export interface SpoolRecord {
  readonly ending: Ending;
  readonly spooledAt: string;
}

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const idOf = (record: SpoolRecord): string => record.ending.body.reservationId;
const compactBytes = 16 << 20;

/**
 * What the ledger owes an answer for, one JSON line each, on disk (fsynced) before anybody is told. Records that
 * come while the disk is busy share the next fsync. A drained record is struck by a line of its own; the file is
 * emptied when nothing is left in it.
 */
export class Spool {
  private readonly pending = new Map<string, SpoolRecord>();
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private bytes = 0;
  private failure: string | undefined;
  private refusedCount = 0;

  private constructor(
    private readonly dir: string,
    private file: FileHandle,
    private readonly refusedFile: FileHandle,
  ) {}

  static async open(dir: string): Promise<Spool> {
    await mkdir(dir, { recursive: true });
    const refusedFile = await open(join(dir, 'refused.jsonl'), 'a');
    const spool = new Spool(dir, await open(join(dir, 'spool.jsonl'), 'a'), refusedFile);
    await spool.recall();
    await syncFolder(dir);
    return spool;
  }

  get size(): number {
    return this.pending.size;
  }

  /** Records that the ledger refused; they are kept in `refused.jsonl` for a person to look at. */
  get refused(): number {
    return this.refusedCount;
  }

  /** Undefined while records can be written. */
  get broken(): string | undefined {
    return this.failure;
  }

  has(reservationId: string): boolean {
    return this.pending.has(reservationId);
  }

  records(): readonly SpoolRecord[] {
    return [...this.pending.values()];
  }

  /** Resolves when the record is on disk. Rejects where it cannot be; it is still drained from memory. */
  async add(record: SpoolRecord): Promise<void> {
    this.pending.set(idOf(record), record);
    await this.append(`${JSON.stringify(record)}\n`);
  }

  /** The ledger has it. */
  async drained(record: SpoolRecord): Promise<void> {
    this.pending.delete(idOf(record));
    await this.append(`${JSON.stringify({ drained: idOf(record) })}\n`);
  }

  /** The ledger will not have it: kept beside, never deleted. */
  async reject(record: SpoolRecord, reason: string): Promise<void> {
    const line = { ...record, refusedAt: new Date().toISOString(), reason };
    await this.refusedFile.write(`${JSON.stringify(line)}\n`);
    await this.refusedFile.datasync();
    this.refusedCount++;
    await this.drained(record);
  }

  /** True when the disk takes records again. */
  async probe(): Promise<boolean> {
    await this.append('\n').catch(() => undefined);
    return this.failure === undefined;
  }

  async close(): Promise<void> {
    await this.writing;
    await this.file.close();
    await this.refusedFile.close();
  }

  private append(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ text, resolve, reject });
      this.writing ??= this.writeAll().finally(() => {
        this.writing = undefined;
      });
    });
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.write(batch.map((each) => each.text).join(''));
        this.failure = undefined;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.failure = messageOf(error);
        const failed = new Error(`the spool cannot be written: ${this.failure}`, { cause: error });
        for (const { reject } of batch) reject(failed);
      }
    }
  }

  private async write(text: string): Promise<void> {
    // After a failure nobody knows what is on disk: all of it is written anew.
    if (this.pending.size === 0 || this.bytes > compactBytes || this.failure !== undefined) {
      await this.compact();
      return;
    }
    await this.file.write(text);
    await this.file.datasync();
    this.bytes += Buffer.byteLength(text);
  }

  /** `pending` is ahead of what is being written, never behind, so it may stand for all of it. */
  private async compact(): Promise<void> {
    const text = this.records()
      .map((record) => `${JSON.stringify(record)}\n`)
      .join('');
    const next = await open(join(this.dir, 'spool.jsonl.next'), 'w');
    await next.write(text);
    await next.datasync();
    await rename(join(this.dir, 'spool.jsonl.next'), join(this.dir, 'spool.jsonl'));
    await syncFolder(this.dir);
    await this.file.close();
    this.file = next;
    this.bytes = Buffer.byteLength(text);
  }

  private async recall(): Promise<void> {
    const text = await readFile(join(this.dir, 'spool.jsonl'), 'utf8');
    this.bytes = Buffer.byteLength(text);
    for (const line of text.split('\n')) this.recallLine(line);
    const refused = await readFile(join(this.dir, 'refused.jsonl'), 'utf8');
    this.refusedCount = refused.split('\n').filter((line) => line !== '').length;
    // Half a line from a crash: the next record begins on a line of its own.
    if (text !== '' && !text.endsWith('\n')) await this.file.write('\n');
  }

  private recallLine(line: string): void {
    let value: Partial<SpoolRecord> & { readonly drained?: string };
    try {
      value = JSON.parse(line) as typeof value;
    } catch {
      return;
    }
    if (value.drained !== undefined) this.pending.delete(value.drained);
    else if (value.ending) {
      const record = { ending: value.ending, spooledAt: value.spooledAt ?? '' };
      this.pending.set(idOf(record), record);
    }
  }
}

const syncFolder = async (dir: string): Promise<void> => {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};
