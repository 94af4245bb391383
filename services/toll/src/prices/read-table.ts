import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { messageOf } from '@tollkeeper/kernel';

import { CommandError } from '../command-error.js';

/** Twenty times the widest table; as it is stored, and again once it is unpacked. */
export const tableBytesMax = 64 << 20;
const FETCH_TIMEOUT_MS = 60_000;

export interface TableText {
  readonly text: string;
  /** Names the content where the table names no version of its own. */
  readonly digest: string;
}

export interface ReadLimits {
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

const standardLimits: ReadLimits = { bytesMax: tableBytesMax, timeoutMs: FETCH_TIMEOUT_MS };

const tooLarge = (bytesMax: number): CommandError =>
  new CommandError('too-large', `the table is larger than ${String(bytesMax)} bytes`);

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const unpacked = (bytes: Buffer, bytesMax: number): Buffer => {
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(bytesMax);
    throw new CommandError('unreadable-input', `not a gzip file: ${messageOf(error)}`);
  }
};

/** Text of UTF-8, unpacked where it is gzip. */
export const tableText = (bytes: Buffer, bytesMax = tableBytesMax): TableText => {
  const plain = isGzip(bytes) ? unpacked(bytes, bytesMax) : bytes;
  if (plain.length > bytesMax) throw tooLarge(bytesMax);
  const hash = createHash('sha256').update(plain).digest('hex');
  return { text: plain.toString('utf8'), digest: `sha256:${hash.slice(0, 16)}` };
};

export const readTableFile = async (path: string): Promise<TableText> => {
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).size > tableBytesMax) throw tooLarge(tableBytesMax);
      return tableText(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('unreadable-input', `cannot read ${path}: ${messageOf(error)}`);
  }
};

const checkedUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new CommandError('invalid-option', `--url takes an http or https address, not ${text}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandError('invalid-option', '--url takes no credentials: a price table is public');
  }
  return url;
};

const bodyOf = async (response: Response, bytesMax: number): Promise<Buffer> => {
  if (!response.ok) {
    await response.body?.cancel();
    throw new CommandError('unreadable-input', `the server answers ${String(response.status)}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
};

/** A plain GET without credentials or cookies, within a size and a time. */
export const fetchTable = async (address: string, limits = standardLimits): Promise<TableText> => {
  const url = checkedUrl(address);
  try {
    const response = await fetch(url, {
      credentials: 'omit',
      signal: AbortSignal.timeout(limits.timeoutMs),
    });
    return tableText(await bodyOf(response, limits.bytesMax), limits.bytesMax);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new CommandError('unreadable-input', `cannot fetch ${url.href}: ${messageOf(cause)}`);
  }
};
