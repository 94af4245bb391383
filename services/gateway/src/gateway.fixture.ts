import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  identitySubjects,
  type BatchVerb,
  type CommandBatch,
  type PricedModel,
} from '@tollkeeper/contracts';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { startEphemeralNats, startEphemeralPostgres } from '@tollkeeper/servers';
import { createLogger } from '@tollkeeper/telemetry';
import { readConfig } from './gateway.config.js';
import { startGateway } from './gateway.module.js';

/** One command as the ledger saw it. */
export interface SeenCommand {
  readonly verb: BatchVerb;
  readonly accountId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Answer = (command: SeenCommand) => object | undefined;

export const acceptAll: Answer = ({ verb, body }) => {
  const { commandId, reservationId } = body;
  const bounds = body['bounds'] as { outputTokens: number } | undefined;
  if (verb === 'reserve') {
    const outputTokens = bounds?.outputTokens;
    return {
      status: 'accepted',
      reservationId: commandId,
      amountCredits: '1.5',
      expiresAt: new Date(Date.now() + 720_000).toISOString(),
      outputTokens,
    };
  }
  if (verb === 'release') return { status: 'accepted' };
  const attempts = body['attempts'] as { provenance: string }[];
  return {
    status: 'accepted',
    reservationId,
    chargeCredits: '0.0123',
    costUsd: '0.000082',
    priceVersion: 'pv1',
    multiplier: '1.5',
    provenance: attempts.at(-1)?.provenance,
  };
};

/** A credit service that accepts what it is told to, over real NATS, and remembers what it was sent. */
export class FakeCredit {
  readonly seen: SeenCommand[] = [];
  answer: Answer = acceptAll;

  constructor(nats: NatsConnection) {
    nats.subscribe('credit.v1.batch.*', {
      callback: (_error, message) => {
        const { commands } = message.json<CommandBatch>();
        const replies = commands.flatMap(([verb, accountId, body], place) => {
          const command = { verb, accountId, body: body as SeenCommand['body'] };
          this.seen.push(command);
          const reply = this.answer(command);
          return reply ? [[place, reply] as const] : [];
        });
        message.respond(JSON.stringify({ replies, done: replies.length === commands.length }));
      },
    });
    nats.subscribe('credit.v1.balance.*', {
      callback: (_error, message) => {
        const accountId = message.subject.split('.').at(-1);
        message.respond(
          JSON.stringify(
            accountId === 'nobody'
              ? { status: 'refused', reason: 'unknown-account', message: '', retryable: false }
              : balanceOf(accountId),
          ),
        );
      },
    });
  }

  of(verb: BatchVerb): SeenCommand[] {
    return this.seen.filter((command) => command.verb === verb);
  }

  reset(): void {
    this.seen.length = 0;
    this.answer = acceptAll;
  }
}

const balanceOf = (accountId: string | undefined): object => ({
  accountId,
  tier: 'pro',
  balance: '100',
  reserved: '1.5',
  available: '98.5',
  debt: '0',
  ownerUserId: 'usr1',
  usdPerCredit: '0.01',
  balanceUsd: '1',
  reservedUsd: '0.015',
  availableUsd: '0.985',
  asOf: new Date().toISOString(),
});

const priced = (provider: string, model: string): PricedModel => ({
  provider,
  model,
  aliases: [],
  priceVersion: 'pv1',
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  outputTokensMax: 16_384,
});

export interface Child {
  readonly process: ChildProcess;
  readonly url: string;
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

/** A service as it runs in production: its built JavaScript in a process of its own. */
export const startChild = async (service: string, env: Record<string, string>): Promise<Child> => {
  const main = join(import.meta.dirname, '..', '..', service, 'dist', 'main.js');
  const child = fork(main, [], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'fatal', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [message] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw new Error(`${service} ended before it was ready; is it built?`);
    }),
  ])) as [{ url: string }];
  return {
    process: child,
    url: message.url,
    kill: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
};

/** Everything around a gateway: real NATS and PostgreSQL, a fake ledger and price book, the simulator. */
export const startSurroundings = async () => {
  const [natsServer, postgres, dir] = await Promise.all([
    startEphemeralNats(),
    startEphemeralPostgres(),
    mkdtemp(join(tmpdir(), 'toll-gateway-')),
  ]);
  const credit = await connectNats({ url: natsServer.url('credit'), name: 'credit' });
  const pricing = await connectNats({ url: natsServer.url('pricing'), name: 'pricing' });
  const operator = await connectNats({ url: natsServer.url('operator'), name: 'operator' });
  const models = [
    priced('openai', 'gpt-4o'),
    priced('openai', 'o3'),
    priced('azure', 'gpt-4o'),
    priced('deepseek', 'deepseek-chat'),
  ];
  pricing.subscribe('pricing.v1.models', {
    callback: (_error, message) => {
      message.respond(JSON.stringify({ models, asOf: new Date().toISOString() }));
    },
  });
  const simulator = await startChild('simulator', { SIM_DATA_DIR: join(dir, 'simulator') });
  return {
    ledger: new FakeCredit(credit),
    simulator,
    env: {
      NATS_URL: natsServer.url('gateway'),
      DATABASE_URL: postgres.url,
      GATEWAY_DATA_DIR: join(dir, 'gateway'),
      SIMULATOR_URL: simulator.url,
    },
    dir,
    operator,
    natsUrl: natsServer.url,
    issueKey: async (accountId: string, projectId?: string): Promise<string> => {
      const owner = { accountId, userId: `user-of-${accountId}`, projectId };
      const options = { timeoutMs: 5_000 };
      if (projectId !== undefined) {
        await request(operator, identitySubjects.createProject, { accountId, projectId }, options);
      }
      const reply = await request(operator, identitySubjects.issueKey, owner, options);
      return (reply as { apiKey: string }).apiKey;
    },
    behave: async (behaviour: object): Promise<void> => {
      const target = `${simulator.url}/sim/behaviour`;
      await fetch(target, { method: 'DELETE' });
      const response = await fetch(target, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(behaviour),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    invoice: async (): Promise<Record<string, unknown>[]> => {
      const text = await (await fetch(`${simulator.url}/sim/invoice`)).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    stop: async (): Promise<void> => {
      await simulator.kill('SIGTERM');
      await Promise.all([credit.close(), pricing.close(), operator.close()]);
      await Promise.all([natsServer.stop(), postgres.stop()]);
      await rm(dir, { recursive: true });
    },
  };
};

export type Json = Record<string, unknown>;

export const hello = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] };

export const refused = (reason: string, retryable: boolean, details?: object): object => ({
  status: 'refused',
  reason,
  message: `refused: ${reason}`,
  retryable,
  details,
});

export const json = async (response: Response): Promise<Json> => (await response.json()) as Json;
export const errorOf = async (response: Response): Promise<Json> =>
  (await json(response))['error'] as Json;
export const usageOf = (body: Json): Json => body['usage'] as Json;
export const attemptsOf = (command: SeenCommand | undefined): Json[] =>
  (command?.body['attempts'] ?? []) as Json[];
export const eventsOf = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Json);

export const postTo = (
  url: string,
  key: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** A gateway in this process, with short time limits, and everything around it. */
export const startWorld = async (worldEnv: Record<string, string> = {}) => {
  const around = await startSurroundings();
  const start = (env: Record<string, string> = {}) => {
    process.env['LOG_LEVEL'] = 'silent';
    const config = readConfig({
      ...around.env,
      CALL_TIMEOUT_MS: '2000',
      RESERVE_TIMEOUT_MS: '600',
      SETTLE_TIMEOUT_MS: '400',
      ...env,
    });
    return startGateway(config, createLogger('gateway'));
  };
  const gateway = await start(worldEnv);
  const url = gateway.url ?? '';
  const key = await around.issueKey('acc1');
  return {
    ...around,
    start,
    url,
    key,
    post: (body: unknown, headers: Record<string, string> = {}, to: string = url) =>
      postTo(to, key, body, headers),
    health: async (): Promise<Json> => json(await fetch(`${url}/healthz`)),
    reset: async (): Promise<void> => {
      around.ledger.reset();
      await around.behave({});
    },
    stop: async (): Promise<void> => {
      await gateway.stop();
      await around.stop();
    },
  };
};
export type World = Awaited<ReturnType<typeof startWorld>>;
