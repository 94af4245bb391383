import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresOptions } from '@tollkeeper/servers';
import type { Random } from '@tollkeeper/testing';
import { root as checkout } from './root.js';

/** What a power loss left beside what was flushed. */
export interface Remains {
  /** The chance of each unflushed sector to have reached the disk nevertheless. */
  readonly sectors: number;
  /** Whether unflushed creations, renames and removals have. */
  readonly names: boolean;
}

const sectorBytes = 512;

/** The library that makes a server's disk forget; undefined where no C compiler is. */
export const compileVolatileDisk = async (): Promise<string | undefined> => {
  const folder = await fs.mkdtemp(join(tmpdir(), 'tollkeeper-disk-'));
  // Root's PostgreSQL runs as another user.
  await fs.chmod(folder, 0o755);
  const library = join(folder, 'volatile-disk.so');
  const source = join(checkout, 'tests/support/volatile-disk.c');
  try {
    await promisify(execFile)('cc', ['-O2', '-shared', '-fPIC', source, '-o', library, '-ldl']);
    return library;
  } catch (error) {
    await fs.rm(folder, { recursive: true });
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    process.stderr.write(
      `NO POWER LOSS IS TRIED: ${missing ? 'there is no C compiler (cc)' : String(error)}\n`,
    );
    return undefined;
  }
};

/**
 * The disk of one server, from which a power loss takes what was not flushed: see volatile-disk.c. Its mirror lies beside
 * the directory. Flushes of a server that makes system calls past the C library are not seen.
 */
export class VolatileDisk {
  private directory = '';
  private saved = '';
  private loss: (() => Promise<void>) | undefined;

  constructor(
    private readonly library: string,
    /** It flushes nothing, and says that it does. */
    private readonly lies = false,
  ) {}

  /** How a PostgreSQL starts whose data lie on this disk. */
  get forPostgres(): Pick<PostgresOptions, 'walSegmentMb' | 'prepare'> {
    // Whole files are compared at each flush, and the log's are flushed most.
    return { walSegmentMb: 1, prepare: this.turnOn };
  }

  /**
   * At the server's next start the directory is what a power loss has left of it. `off` resolves when the server is dead;
   * the result, when its disk can be read again.
   */
  losePower(off: Promise<void>, random: Random, remains: Remains): Promise<void> {
    return new Promise((resolve, reject) => {
      this.loss = () => off.then(() => this.restore(remains, random)).then(resolve, reject);
    });
  }

  /** Before each start of its server; what the server's environment needs. */
  readonly turnOn = async (directory: string): Promise<NodeJS.ProcessEnv> => {
    if (this.directory === '') {
      this.directory = await fs.realpath(directory);
      this.saved = join(dirname(this.directory), `${basename(directory)}.saved`);
      await this.begin();
      await this.mirror(this.directory);
    }
    await this.loss?.();
    this.loss = undefined;
    return {
      LD_PRELOAD: this.library,
      DISK_ROOT: this.directory,
      DISK_SAVED: this.saved,
      ...(this.lies ? { DISK_LIES: 'true' } : {}),
    };
  };

  private async restore(remains: Remains, random: Random): Promise<void> {
    const lost = `${this.directory}.lost`;
    const flushed = `${this.saved}.flushed`;
    await fs.rename(this.directory, lost);
    await fs.rename(this.saved, flushed);
    const live = new Map<string, string>();
    const rootKey = await listLive(lost, live);
    await this.begin();
    const restore = new Restore(flushed, live, random, remains);
    await restore.directory(remains.names ? rootKey : await restore.rootKey(), this.directory);
    await this.give(this.directory);
    await this.mirror(this.directory);
    await Promise.all([lost, flushed].map((each) => fs.rm(each, { recursive: true })));
  }

  private async begin(): Promise<void> {
    for (const name of ['', 'files', 'dirs']) {
      await fs.mkdir(join(this.saved, name));
    }
  }

  /** The owner is who owns the directory around: the user that the server runs as. */
  private async give(path: string): Promise<void> {
    const { uid, gid } = await fs.stat(dirname(this.directory));
    await promisify(execFile)('chown', ['-R', `${String(uid)}:${String(gid)}`, path]);
  }

  private async mirror(directory: string): Promise<void> {
    const key = await this.mirrorDirectory(directory);
    await fs.writeFile(join(this.saved, 'root'), key);
    await this.give(this.saved);
  }

  private async mirrorDirectory(directory: string): Promise<string> {
    const lines: string[] = [];
    for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        lines.push(`${await this.mirrorDirectory(path)} d ${entry.name}\n`);
      } else if (entry.isFile()) {
        const key = await keyOf(path);
        await fs.copyFile(path, join(this.saved, 'files', key), constants.COPYFILE_FICLONE);
        lines.push(`${key} f ${entry.name}\n`);
      }
    }
    const key = await keyOf(directory);
    await fs.writeFile(join(this.saved, 'dirs', key), lines.join(''));
    return key;
  }
}

/** Inode and birth. */
const keyOf = async (path: string): Promise<string> => {
  const { ino, birthtimeNs } = await fs.lstat(path, { bigint: true });
  return `${String(ino)}-${String(birthtimeNs)}`;
};

/** Where the bytes of each key lie that the server had written; the directory's own key. */
const listLive = async (directory: string, live: Map<string, string>): Promise<string> => {
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await listLive(path, live);
    else if (entry.isFile()) live.set(await keyOf(path), path);
  }
  const key = await keyOf(directory);
  live.set(key, directory);
  return key;
};

interface Name {
  readonly key: string;
  readonly isDirectory: boolean;
  readonly name: string;
}

class Restore {
  constructor(
    private readonly flushed: string,
    private readonly live: ReadonlyMap<string, string>,
    private readonly random: Random,
    private readonly remains: Remains,
  ) {}

  rootKey(): Promise<string> {
    return fs.readFile(join(this.flushed, 'root'), 'utf8');
  }

  async directory(key: string, to: string): Promise<void> {
    await fs.mkdir(to, { mode: 0o700 });
    for (const each of await this.names(key)) {
      // Of a machine that has been off, no process is left to meet.
      if (each.name === 'postmaster.pid') continue;
      const path = join(to, each.name);
      if (each.isDirectory) await this.directory(each.key, path);
      else await this.file(each.key, path);
    }
  }

  private async names(key: string): Promise<Name[]> {
    const from = this.remains.names ? this.live.get(key) : undefined;
    if (from !== undefined) {
      const entries = await fs.readdir(from, { withFileTypes: true });
      const some = entries.filter((entry) => entry.isDirectory() || entry.isFile());
      return Promise.all(
        some.map(async (entry) => ({
          key: await keyOf(join(from, entry.name)),
          isDirectory: entry.isDirectory(),
          name: entry.name,
        })),
      );
    }
    const text = await orNothing(fs.readFile(join(this.flushed, 'dirs', key), 'utf8'));
    return (text ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id = '', kind, ...name] = line.split(' ');
        return { key: id, isDirectory: kind === 'd', name: name.join(' ') };
      });
  }

  private async file(key: string, to: string): Promise<void> {
    const bytes = await orNothing(fs.readFile(join(this.flushed, 'files', key)));
    const flushed = bytes ?? Buffer.alloc(0);
    const from = this.live.get(key);
    const written =
      from === undefined || this.remains.sectors === 0 ? flushed : await fs.readFile(from);
    await fs.writeFile(to, written.equals(flushed) ? flushed : this.mix(flushed, written), {
      mode: 0o600,
    });
  }

  /** The size that was flushed or the one that was written; of each sector that differs, the one or the other. */
  private mix(flushed: Buffer, written: Buffer): Buffer {
    const { next } = this.random;
    const size = next() < this.remains.sectors ? written.length : flushed.length;
    const mixed = Buffer.alloc(size);
    flushed.copy(mixed);
    for (let at = 0; at < Math.min(size, written.length); at += sectorBytes) {
      const sector = written.subarray(at, Math.min(at + sectorBytes, size));
      if (sector.equals(mixed.subarray(at, at + sector.length))) continue;
      if (next() < this.remains.sectors) sector.copy(mixed, at);
    }
    return mixed;
  }
}

const orNothing = async <T>(work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};
