import { readFileSync } from 'node:fs';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnsafeStoreError } from './event-store.js';
import { readKurrentdbUrl, type KurrentdbUrl } from './kurrentdb-url.js';

/** What a node calls its options that let it forget what it has acknowledged. */
const unsafeOptions = ['UnsafeDisableFlushToDisk', 'MemDb'] as const;

const answerTimeoutMs = 5_000;
const retryMs = 200;

export interface SafetyQuestion {
  /** How long to wait for a node that starts; 30 s unless given. */
  readonly readyTimeoutMs?: number;
  /** Told of nodes that do not say how they keep their data: they may be asked by administrators only. */
  readonly onError: (error: unknown) => void;
}

/**
 * Asks each node that the connection string names for its options, over HTTP; again while all are starting.
 *
 * @throws UnsafeStoreError when one says that it does not flush, or keeps its data in memory
 */
export const refuseUnsafeNodes = async (
  url: string,
  { readyTimeoutMs = 30_000, onError }: SafetyQuestion,
): Promise<void> => {
  const nodes = nodesOf(url);
  const until = performance.now() + readyTimeoutMs;
  for (;;) {
    const answers = await Promise.all(nodes.map(ask));
    if (answers.every(({ isReady }) => !isReady) && performance.now() < until) {
      await sleep(retryMs);
      continue;
    }
    for (const { origin, options, why } of answers) {
      if (!options) onError(new Error(`${origin} does not say whether it flushes: ${why}`));
      const wrong = Object.entries(options ?? {}).filter(
        ([name, value]) => unsafeOptions.some((each) => each === name) && /^true$/i.test(value),
      );
      if (wrong.length > 0) throw new UnsafeStoreError(origin, Object.fromEntries(wrong));
    }
    return;
  }
};

interface Node {
  readonly origin: string;
  readonly options: RequestOptions;
}

const nodesOf = (url: string): Node[] => {
  const { login, hosts, settings } = readKurrentdbUrl(url);
  const isPlain = settings.get('tls') === 'false';
  const headers: Record<string, string> =
    login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  // A connection of its own, which is closed with its answer: else a socket would keep the process.
  const options = { headers, agent: false, ...(isPlain ? {} : tlsOf(settings)) };
  const scheme = isPlain ? 'http' : 'https';
  return hosts.map((host) => ({ origin: `${scheme}://${host}`, options }));
};

/** As the client has it: nodes are mostly certified by an authority of one's own, which nobody else trusts. */
const tlsOf = (settings: KurrentdbUrl['settings']): RequestOptions => {
  const file = (name: string): Buffer | undefined => {
    const path = settings.get(name);
    return path === undefined ? undefined : readFileSync(decodeURIComponent(path));
  };
  return {
    ca: file('tlscafile'),
    cert: file('usercertfile'),
    key: file('userkeyfile'),
    rejectUnauthorized: settings.get('tlsverifycert') !== 'false',
  };
};

interface Answer {
  readonly origin: string;
  readonly isReady: boolean;
  readonly options?: Readonly<Record<string, string>>;
  /** Without options. */
  readonly why: string;
}

const ask = async ({ origin, options }: Node): Promise<Answer> => {
  let isReady = false;
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const answer = await get(`${origin}/info/options`, { ...options, signal });
    const { statusCode = 0 } = answer;
    isReady = statusCode < 500;
    const body = await text(answer);
    if (statusCode !== 200) throw new Error(`HTTP ${String(statusCode)}`);
    return { origin, isReady, options: optionsOf(JSON.parse(body)), why: '' };
  } catch (error) {
    return { origin, isReady, why: String(error) };
  }
};

/** Not `fetch`, which can be told of no authority. */
const get = (url: string, options: RequestOptions): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? getSecure : getPlain;
    send(url, options, resolve).on('error', reject);
  });

const optionsOf = (answer: unknown): Readonly<Record<string, string>> => {
  const options = Array.isArray(answer) ? (answer as readonly Partial<NodeOption>[]) : [];
  if (!options.some(({ name }) => name === unsafeOptions[0])) {
    throw new Error(`${unsafeOptions[0]} is not among its options`);
  }
  return Object.fromEntries(options.map(({ name = '', value }) => [name, String(value)]));
};

interface NodeOption {
  readonly name: string;
  readonly value: unknown;
}
