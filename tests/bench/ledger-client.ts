import { creditSubjects, type Attempt, type CompletionRequested } from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import {
  CommandLane,
  connectNats,
  inboxPrefixOf,
  request,
  type NatsConnection,
} from '@tollkeeper/messaging';

export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

const accepted = (reply: unknown): void => {
  const { status, reason } = reply as { status?: string; reason?: string };
  if (status !== 'accepted') throw new RefusedError(String(reason));
};

const call: CompletionRequested = {
  userId: 'usr_bench',
  keyId: 'key_bench',
  projectId: 'prj_bench',
  candidates: [{ provider: 'openai', model: 'gpt-4o' }],
  bounds: { inputTokens: 1000, outputTokens: 100, choices: 1 },
};
const attempts: Attempt[] = [
  {
    provider: 'openai',
    model: 'gpt-4o',
    vendorRequestId: 'chatcmpl-bench-0000000000',
    usage: { input: 900, output: 50 },
  },
];

const limits = [
  { scope: { type: 'key', id: 'key_bench' }, window: 'day', unit: 'credits', amount: '1000000000' },
  { scope: { type: 'user', id: 'usr_bench' }, window: 'month', unit: 'usd', amount: '1000000000' },
  {
    scope: { type: 'project', id: 'prj_bench' },
    window: 'total',
    unit: 'tokens',
    amount: '1000000000000',
  },
] as const;

export interface LedgerClient {
  /** Funds them with more than any bench takes, unless told otherwise. */
  readonly open: (accountIds: readonly string[], amountCredits?: string) => Promise<void>;
  /** Sets hard limits on a key, a user and a project of the account, wide enough for any bench. */
  readonly limit: (accountId: string) => Promise<void>;
  /** Reserves a completion and settles it. */
  readonly pair: (accountId: string) => Promise<void>;
  /** Reserves a completion. @throws RefusedError */
  readonly reserve: (accountId: string) => Promise<string>;
  /** Asks the account's owner what is left. */
  readonly balance: (accountId: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Speaks to the credit service as the gateway does: the same messages in the same self-clocked batches. */
export const openLedgerClient = async (
  gatewayUrl: string,
  operatorUrl: string,
): Promise<LedgerClient> => {
  const nats: NatsConnection = await connectNats({ url: gatewayUrl, name: 'bench' });
  const operator = await connectNats({ url: operatorUrl, name: 'bench-operator' });
  const lane = new CommandLane(nats, {
    subject: creditSubjects.batch('0'),
    inboxPrefix: inboxPrefixOf(gatewayUrl),
  });
  const openOne = async (accountId: string, amountCredits: string): Promise<void> => {
    const timeoutMs = 30_000;
    const open = { commandId: `open_${accountId}`, ownerUserId: 'usr_bench', tier: 'pro' };
    accepted(await request(operator, creditSubjects.open(accountId), open, { timeoutMs }));
    const grant = { commandId: `grant_${accountId}`, amountCredits };
    accepted(await request(operator, creditSubjects.grant(accountId), grant, { timeoutMs }));
  };
  const reserve = async (accountId: string): Promise<string> => {
    const reservationId = uuidv7();
    const body = { commandId: reservationId, ...call };
    accepted(await lane.send({ verb: 'reserve', accountId, body }, 30_000));
    return reservationId;
  };
  return {
    reserve,
    balance: async (accountId) => {
      const subject = creditSubjects.balance(accountId);
      const { status, reason } = (await request(nats, subject, {}, { timeoutMs: 30_000 })) as {
        status?: string;
        reason?: string;
      };
      if (status === 'refused') throw new RefusedError(reason);
    },
    open: async (accountIds, amountCredits = '1000000000') => {
      const left = [...accountIds];
      const worker = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          await openOne(next, amountCredits);
        }
      };
      await Promise.all(Array.from({ length: 200 }, worker));
    },
    limit: async (accountId) => {
      for (const limit of limits) {
        const body = { ...limit, limitId: `${limit.scope.type}_${limit.window}` };
        const subject = creditSubjects.setLimit(accountId);
        accepted(await request(operator, subject, body, { timeoutMs: 30_000 }));
      }
    },
    pair: async (accountId) => {
      const reservationId = await reserve(accountId);
      const body = { commandId: uuidv7(), reservationId, attempts };
      accepted(await lane.send({ verb: 'settle', accountId, body }, 30_000));
    },
    close: async () => {
      lane.close();
      await nats.close();
      await operator.close();
    },
  };
};
