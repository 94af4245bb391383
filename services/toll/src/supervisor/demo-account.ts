import { randomBytes } from 'node:crypto';
import {
  balanceReply,
  creditSubjects,
  grantReply,
  identitySubjects,
  issueKeyReply,
  openReply,
  type GrantCredits,
  type IssueKey,
  type OpenAccount,
} from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';

import { readJson, writeJson } from '../home/json-file.js';
import { isRefused, Operator } from '../operator.js';
import { CommandError } from '../command-error.js';
import type { DemoAccount, SeedContext } from './platform.js';

const DEMO_CREDITS = '1000';
/** A service may say that it is ready a moment before it can answer. */
const PATIENCE_MS = 30_000;

/** Written down before it is used, so that a start which was cut short goes on with the same ids. */
interface DemoRecord {
  readonly accountId: string;
  readonly userId: string;
  readonly openId: string;
  readonly grantId: string;
  readonly granted: boolean;
  readonly apiKey?: string;
}

const newRecord = (): DemoRecord => {
  const suffix = randomBytes(4).toString('hex');
  return {
    accountId: `demo-${suffix}`,
    userId: `demo-user-${suffix}`,
    openId: uuidv7(),
    grantId: uuidv7(),
    granted: false,
  };
};

/** Opens, grants and issues whatever the demo account lacks; does nothing when it lacks nothing. */
export const seedDemoAccount = async (where: SeedContext): Promise<DemoAccount> => {
  const operator = await Operator.connect(where.natsUrl, PATIENCE_MS);
  try {
    return await new Seeding(operator, where).run();
  } finally {
    await operator.close();
  }
};

class Seeding {
  constructor(
    private readonly operator: Operator,
    private readonly where: SeedContext,
  ) {}

  async run(): Promise<DemoAccount> {
    const file = this.where.home.demoFile;
    const save = (record: DemoRecord): DemoRecord => {
      writeJson(file, record);
      return record;
    };
    let record = (readJson(file) as DemoRecord | undefined) ?? save(newRecord());
    if (!(await this.isOpen(record))) {
      // Granted but unknown: the ledger is another one than last time.
      if (record.granted) record = save(newRecord());
      await this.open(record);
    }
    if (!record.granted) {
      await this.grant(record);
      record = save({ ...record, granted: true });
    }
    const { accountId, userId } = record;
    if (record.apiKey && (await this.isAdmitted(record.apiKey))) {
      return { accountId, userId, apiKey: record.apiKey };
    }
    const apiKey = await this.issueKey(record);
    save({ ...record, apiKey });
    return { accountId, userId, apiKey };
  }

  private async isOpen({ accountId }: DemoRecord): Promise<boolean> {
    const subject = creditSubjects.balance(accountId);
    const answer = await this.operator.ask({ subject, body: {}, reply: balanceReply });
    if (!isRefused(answer)) return true;
    if (answer.reason === 'unknown-account') return false;
    throw new CommandError(answer.reason, answer.message);
  }

  private async open({ accountId, userId, openId }: DemoRecord): Promise<void> {
    const body: OpenAccount = { ownerUserId: userId, tier: 'pro' };
    const subject = creditSubjects.open(accountId);
    const answer = await this.operator.ask({ subject, body, reply: openReply, commandId: openId });
    if (isRefused(answer) && answer.reason !== 'account-exists') {
      throw new CommandError(answer.reason, answer.message);
    }
  }

  private async grant({ accountId, grantId }: DemoRecord): Promise<void> {
    const body: GrantCredits = { amountCredits: DEMO_CREDITS, kind: 'initial' };
    const subject = creditSubjects.grant(accountId);
    await this.operator.order({ subject, body, reply: grantReply, commandId: grantId });
  }

  private async issueKey({ accountId, userId }: DemoRecord): Promise<string> {
    const body: IssueKey = { accountId, userId };
    const subject = identitySubjects.issueKey;
    const { apiKey } = await this.operator.order({ subject, body, reply: issueKeyReply });
    return apiKey;
  }

  /** False when the table of keys is another one than last time. */
  private async isAdmitted(apiKey: string): Promise<boolean> {
    const { gatewayUrl, signal } = this.where;
    const answer = await fetch(new URL('/v1/models', gatewayUrl), {
      headers: { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    await answer.body?.cancel();
    return answer.status !== 401;
  }
}
