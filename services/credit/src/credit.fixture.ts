import { createMemoryEventStore } from '@tollkeeper/event-store';
import { createLogger } from '@tollkeeper/telemetry';
import { affordRequest } from './afford.convert.js';
import { CreditAccounts } from './application/credit-accounts.js';
import type { Envelope } from './credit-request.js';
import { converters, toReply, type Verb } from './credit.convert.js';
import { priceBook } from './domain/credit-account/credit-account.fixture.js';
import { defaultRules, type AccountRules } from './domain/credit-account/rules.js';

const logger = createLogger('credit-spec');
logger.level = 'silent';

export const envelope: Envelope = {
  commandId: undefined,
  correlationId: undefined,
  causationId: undefined,
  actor: 'spec',
};

/** One account behind the border, as NATS callers see it. */
export const serve = (rules: Partial<AccountRules> = {}, accountId = 'acc_1') => {
  const store = createMemoryEventStore();
  const accounts = new CreditAccounts({
    store,
    prices: priceBook(),
    clock: { now: () => new Date('2026-03-01T12:00:00.000Z'), isSteady: () => true },
    logger,
    rules: { ...defaultRules, ...rules },
    reservationTtlMs: 720_000,
  });
  const ask = async (verb: Verb | 'afford', body: object): Promise<Record<string, unknown>> => {
    const convert = verb === 'afford' ? affordRequest : converters[verb];
    const reply = toReply(await accounts.submit(accountId, convert(body, envelope)));
    return reply as Record<string, unknown>;
  };
  const fund = async (amountCredits: string): Promise<void> => {
    await ask('open', { ownerUserId: 'usr_1', tier: 'pro' });
    await ask('grant', { amountCredits });
  };
  return { ask, fund };
};
