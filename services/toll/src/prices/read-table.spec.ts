import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';

import { fetchTable, tableText } from './read-table.js';

describe('a table at an address', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  });
  const serve = async (listener: RequestListener): Promise<string> => {
    const started = createServer(listener);
    server = started;
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((started.address() as AddressInfo).port)}/table.json`;
  };
  const limits = { bytesMax: 1000, timeoutMs: 60_000 };

  it('is read by a GET without credentials', async () => {
    let asked: unknown;
    const url = await serve((request, response) => {
      const { authorization, cookie } = request.headers;
      asked = { method: request.method, url: request.url, authorization, cookie };
      response.end('{"a":1}');
    });
    const { text, digest } = await fetchTable(url, limits);
    expect(text).toBe('{"a":1}');
    expect(digest).toMatch(/^sha256:[0-9a-f]{16}$/);
    expect(asked).toEqual({ method: 'GET', url: '/table.json' });
  });

  it('is unpacked where it is gzip', async () => {
    const url = await serve((_, response) => response.end(gzipSync('{"a":1}')));
    expect((await fetchTable(url, limits)).text).toBe('{"a":1}');
  });

  it.each<[string, RequestListener, string]>([
    ['too long', (_, response) => response.end('x'.repeat(1001)), 'too-large'],
    [
      'too long once it is unpacked',
      (_, response) => response.end(gzipSync('x'.repeat(100_000))),
      'too-large',
    ],
    ['not there', (_, response) => response.writeHead(404).end(), 'unreadable-input'],
    [
      'cut off',
      (_, response) =>
        void response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy()),
      'unreadable-input',
    ],
    [
      'no gzip behind its first bytes',
      (_, response) => response.end(Buffer.from([0x1f, 0x8b, 1])),
      'unreadable-input',
    ],
  ])('is refused where it is %s', async (_what, listener, reason) => {
    await expect(fetchTable(await serve(listener), limits)).rejects.toMatchObject({ reason });
  });

  it('is given up when it does not come', async () => {
    const url = await serve(() => undefined);
    const short = { ...limits, timeoutMs: 50 };
    await expect(fetchTable(url, short)).rejects.toMatchObject({ reason: 'unreadable-input' });
  });

  it.each([
    'file:///etc/passwd',
    'ftp://prices.example',
    'prices.example',
    'https://me:secret@prices.example',
  ])('is never at %s', async (url) => {
    await expect(fetchTable(url)).rejects.toMatchObject({ reason: 'invalid-option' });
  });
});

describe('a table as bytes', () => {
  it('has the same digest packed and unpacked', () => {
    const [plain, packed] = [Buffer.from('{}'), gzipSync('{}')];
    expect(tableText(packed)).toEqual(tableText(plain));
    expect(tableText(Buffer.from('{ }')).digest).not.toBe(tableText(plain).digest);
  });
});
