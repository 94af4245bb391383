import { creditSubjects, headers } from '@tollkeeper/contracts';
import { connectNats, NoReplyError, request } from '@tollkeeper/messaging';
import type { ModelCommand } from '@tollkeeper/testing';

/** A look at an account. */
export interface Look {
  readonly verb: 'balance';
}
export type LedgerCommand = ModelCommand | Look;

/** As on the wire. */
export type LedgerReply = Readonly<Record<string, unknown>>;

/** Anything that keeps accounts. */
export interface LedgerPort {
  /** @throws NoReplyError when it is not known whether the command was carried out. */
  readonly send: (
    accountId: string,
    command: LedgerCommand,
    timeoutMs: number,
  ) => Promise<LedgerReply>;
  readonly close: () => Promise<void>;
}

/** The credit service over NATS, as any service of the platform sees it. */
export const openLedgerPort = async (natsUrl: string): Promise<LedgerPort> => {
  const nats = await connectNats({ url: natsUrl, name: 'tests' });
  return {
    send: async (accountId, command, timeoutMs) => {
      const subject = creditSubjects[command.verb](accountId);
      const deadlineAt = new Date(Date.now() + timeoutMs).toISOString();
      const body =
        command.verb === 'balance' ? {} : { ...command.body, commandId: command.id, deadlineAt };
      return (await request(nats, subject, body, {
        timeoutMs,
        headers: { [headers.actor]: 'tests' },
      })) as LedgerReply;
    },
    close: async () => nats.close(),
  };
};

const isFinal = (reply: LedgerReply): boolean =>
  reply['retryable'] !== true && reply['reason'] !== 'too-late';

export interface Persistence {
  readonly tryMs: number;
  readonly giveUpAfterMs: number;
}

/** Asks again by the same id until an answer is final; undefined when none came in time: it may have happened. */
export const sendUntilAnswered = async (
  ledger: LedgerPort,
  accountId: string,
  command: LedgerCommand,
  { tryMs, giveUpAfterMs }: Persistence,
): Promise<LedgerReply | undefined> => {
  const until = performance.now() + giveUpAfterMs;
  while (performance.now() < until) {
    try {
      const reply = await ledger.send(accountId, command, tryMs);
      if (isFinal(reply)) return reply;
    } catch (error) {
      if (!(error instanceof NoReplyError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
};
