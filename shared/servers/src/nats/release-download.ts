import { createHash } from 'node:crypto';
import { chmod, copyFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Log } from '../log.js';
import { runCommand } from '../process/run-command.js';

const VERSION = 'v2.12.15';
const CONNECT_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;

interface Release {
  readonly arch: string;
  readonly sha256: string;
}

/** As pinned by nats-io/nats-docker for 2.12.x; a platform without a sum here is not downloaded. */
const RELEASES: Readonly<Record<string, Release>> = {
  'linux-x64': {
    arch: 'linux-amd64',
    sha256: '58ab8131f819263897e2fc38e503e1b755b63bcafeecc7d12582487df48ca15e',
  },
  'linux-arm64': {
    arch: 'linux-arm64',
    sha256: 'b724db99fefbf8f5c808baa82819ee50350aee9734017e4a478f7e545cef3ab6',
  },
};

/** Fetches the pinned release of nats-server from GitHub and checks its SHA-256 before unpacking. */
export const downloadRelease = async (directory: string, log: Log): Promise<void> => {
  const release = RELEASES[`${process.platform}-${process.arch}`];
  if (!release) throw new Error(`no pinned release for ${process.platform}-${process.arch}`);
  const name = `nats-server-${VERSION}-${release.arch}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/${VERSION}/${name}.tar.gz`;
  log(`nats-server is not installed: downloading ${url}`);
  const archive = path.join(directory, 'release.tar.gz');
  await writeFile(archive, checked(await fetchWithin(url), release.sha256));
  const { code, output } = await runCommand('tar', ['-xzf', archive, '-C', directory]);
  if (code !== 0) throw new Error(`tar: ${output}`);
  await copyFile(path.join(directory, name, 'nats-server'), path.join(directory, 'nats-server'));
  await chmod(path.join(directory, 'nats-server'), 0o755);
  await rm(path.join(directory, name), { recursive: true });
  await rm(archive);
};

/** Where nothing answers, waiting for the download's own limit would hide the next source for minutes. */
const fetchWithin = async (url: string): Promise<Buffer> => {
  const giveUp = new AbortController();
  const connecting = setTimeout(() => {
    giveUp.abort(new Error(`no answer within ${CONNECT_TIMEOUT_MS.toString()} ms`));
  }, CONNECT_TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([giveUp.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
    const response = await fetch(url, { signal });
    clearTimeout(connecting);
    if (!response.ok) throw new Error(`${url} answered ${response.status.toString()}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    // fetch says "fetch failed" and keeps the reason, such as an unknown host, to its cause.
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(reason instanceof Error ? reason.message : String(reason), { cause: error });
  } finally {
    clearTimeout(connecting);
  }
};

export const checked = (archive: Buffer, sha256: string): Buffer => {
  const found = createHash('sha256').update(archive).digest('hex');
  if (found !== sha256) throw new Error(`checksum mismatch: expected ${sha256}, got ${found}`);
  return archive;
};
