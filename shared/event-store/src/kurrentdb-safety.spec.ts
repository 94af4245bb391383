import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rejectionOf } from './contract-kit.js';
import { refuseUnsafeNodes } from './kurrentdb-safety.js';

const options = (values: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(values).map(([name, value]) => ({ name, value })));
const safe = { UnsafeDisableFlushToDisk: 'False', MemDb: 'false', WriteThrough: 'False' };

describe('a KurrentDB node that is asked how it keeps its data', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    const closed = servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    );
    await Promise.all(closed);
  });

  /** Answers as it is told to, one request after the other, the last one again and again. */
  const node = async (...answers: (readonly [status: number, body: string])[]) => {
    const asked: (string | undefined)[] = [];
    const server = createServer(({ headers, url }, response) => {
      const [status, body] = answers[Math.min(asked.length, answers.length - 1)] ?? [500, ''];
      asked.push(headers.authorization);
      response.writeHead(url === '/info/options' ? status : 404).end(body);
    });
    return { host: await listen(server), asked };
  };

  const listen = async (server: Server): Promise<string> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  };

  const refusalOf = async (url: string): Promise<{ refusal: unknown; unknown: unknown[] }> => {
    const unknown: unknown[] = [];
    const question = { readyTimeoutMs: 10_000, onError: (error: unknown) => unknown.push(error) };
    const refusal = await refuseUnsafeNodes(url, question).catch((error: unknown) => error);
    return { refusal, unknown };
  };

  it.each([
    ['does not flush', { ...safe, UnsafeDisableFlushToDisk: 'True' }, 'UnsafeDisableFlushToDisk'],
    ['keeps its data in memory', { ...safe, MemDb: 'true' }, 'MemDb'],
  ])('is refused when it %s', async (_title, values, setting) => {
    const { host } = await node([200, options(values)]);
    const { refusal, unknown } = await refusalOf(`kurrentdb://${host}?tls=false`);
    expect(refusal).toMatchObject({ name: 'UnsafeStoreError', server: `http://${host}` });
    expect(Object.keys((refusal as { settings: object }).settings)).toEqual([setting]);
    expect(unknown).toEqual([]);
  });

  it('is refused as one of several, too', async () => {
    const [good, bad] = [
      await node([200, options(safe)]),
      await node([200, options({ ...safe, MemDb: 'True' })]),
    ];
    const url = `esdb+discover://${good.host},${bad.host}?tls=false`;
    expect(await rejectionOf(refuseUnsafeNodes(url, { onError: () => undefined }))).toMatchObject({
      name: 'UnsafeStoreError',
      server: `http://${bad.host}`,
    });
  });

  it('does not hold up the others when it is away', async () => {
    const { host } = await node([200, options(safe)]);
    const startedAt = performance.now();
    const unknown: unknown[] = [];
    await refuseUnsafeNodes(`kurrentdb://127.0.0.1:1,${host}?tls=false`, {
      readyTimeoutMs: 600_000,
      onError: (error) => unknown.push(error),
    });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    expect(unknown).toHaveLength(1);
  });

  it.each([
    ['', 'ch%40ngeit', 'YWRtaW46Y2hAbmdlaXQ='],
    [' of any alphabet', '%CF%80', 'YWRtaW46z4A='],
  ])(
    'is taken when it flushes, and asked with the credentials%s of the connection',
    async (_title, password, credentials) => {
      const { host, asked } = await node([200, options(safe)]);
      const url = `kurrentdb://admin:${password}@${host}/?tls=false`;
      expect(await refusalOf(url)).toEqual({ refusal: undefined, unknown: [] });
      expect(asked).toEqual([`Basic ${credentials}`]);
    },
  );

  describe('behind TLS of an authority of its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'authority-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'ca.pem')];
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    beforeAll(() => {
      const made = ['-keyout', key, '-out', certificate, '-days', '2', ...names];
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...made], {
        stdio: 'ignore',
      });
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    const secureNode = async (): Promise<string> => {
      const identity = { key: readFileSync(key), cert: readFileSync(certificate) };
      const asked = {
        ...identity,
        ca: identity.cert,
        requestCert: true,
        rejectUnauthorized: false,
      };
      const server = createSecureServer(asked, (request, response) => {
        const isKnown = (request.socket as TLSSocket).authorized;
        response.end(options({ ...safe, ...(isKnown ? { MemDb: 'true' } : {}) }));
      });
      return listen(server);
    };
    const identity = `&userCertFile=${encodeURIComponent(certificate)}&userKeyFile=${encodeURIComponent(key)}`;

    it.each([
      ['names the authority', `tlsCAFile=${encodeURIComponent(certificate)}`],
      ['trusts anybody', 'tlsVerifyCert=false'],
    ])('is asked where the connection string %s', async (_title, setting) => {
      const host = await secureNode();
      expect(await refusalOf(`kurrentdb://${host}?${setting}`)).toEqual({
        refusal: undefined,
        unknown: [],
      });
      const { refusal } = await refusalOf(`kurrentdb://${host}?${setting}${identity}`);
      expect(refusal).toMatchObject({ name: 'UnsafeStoreError', server: `https://${host}` });
    });

    it('is not asked by whom it has not convinced', async () => {
      const unknown: unknown[] = [];
      await refuseUnsafeNodes(`kurrentdb://${await secureNode()}`, {
        readyTimeoutMs: 0,
        onError: (error) => unknown.push(error),
      });
      expect(String(unknown)).toContain('self-signed');
    });
  });

  it('is asked again until it is ready', async () => {
    const { host, asked } = await node([503, ''], [200, options(safe)]);
    expect(await refusalOf(`kurrentdb://${host}?tls=false`)).toEqual({
      refusal: undefined,
      unknown: [],
    });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['only tells administrators', 401, ''],
    ['has no such option', 200, '[]'],
    ['answers something else', 200, '{}'],
  ])('is taken, and reported, when it %s', async (_title, status, body) => {
    const { host } = await node([status, body]);
    const { refusal, unknown } = await refusalOf(`kurrentdb://${host}?tls=false`);
    expect(refusal).toBeUndefined();
    expect(unknown).toHaveLength(1);
  });
});
