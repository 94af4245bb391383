import { setTimeout as sleep } from 'node:timers/promises';
import { UnsafeStoreError } from './event-store.js';

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
  readonly headers: Readonly<Record<string, string>>;
}

/** `kurrentdb://user:password@a:2113,b:2113?tls=false` names two. */
const nodesOf = (url: string): Node[] => {
  const parts = /^[a-z+]+:\/\/(?:([^@/?]+)@)?([^/?]+)/i.exec(url);
  const scheme = /[?&]tls=false/i.test(url) ? 'http' : 'https';
  const [, login, hosts = ''] = parts ?? [];
  const credentials = login?.split(':').map(decodeURIComponent).join(':');
  const headers: Record<string, string> =
    credentials === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  return hosts.split(',').map((host) => ({
    origin: `${scheme}://${/:\d+$/.test(host) ? host : `${host}:2113`}`,
    headers,
  }));
};

interface Answer {
  readonly origin: string;
  readonly isReady: boolean;
  readonly options?: Readonly<Record<string, string>>;
  /** Without options. */
  readonly why: string;
}

const ask = async ({ origin, headers }: Node): Promise<Answer> => {
  let isReady = false;
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const answer = await fetch(`${origin}/info/options`, { headers, signal });
    isReady = answer.status < 500;
    if (!answer.ok) throw new Error(`HTTP ${String(answer.status)}`);
    return { origin, isReady, options: optionsOf(await answer.json()), why: '' };
  } catch (error) {
    return { origin, isReady, why: String(error) };
  }
};

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
