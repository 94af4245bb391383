import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import { createMemoryEventStore } from '@tollkeeper/event-store';
import { createLogger } from '@tollkeeper/telemetry';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import { priceBook, reservePlain } from '../domain/credit-account/credit-account.fixture.js';
import {
  adjust,
  charge,
  grant,
  refund,
  setAlerts,
  setTopUpRule,
  voidGrant,
} from '../domain/credit-account/operator.fixture.js';
import { defaultRules } from '../domain/credit-account/rules.js';
import type { CreditAccount } from '../domain/credit-account/state.js';
import { CreditAccounts } from './credit-accounts.js';
import type { Outcome, Submission } from './submission.js';

const logger = createLogger('credit-spec');
logger.level = 'silent';

const serve = (store = createMemoryEventStore()) => {
  const accounts = new CreditAccounts({
    store,
    prices: priceBook(),
    clock: { now: () => new Date('2026-03-01T12:00:00.000Z'), isSteady: () => true },
    logger,
    rules: defaultRules,
    reservationTtlMs: 720_000,
  });
  const send = (
    command: CreditCommand | undefined,
    answer: Submission['answer'] = () => ({}),
  ): Promise<Outcome> =>
    accounts.submit('acc_1', {
      command,
      urgent: true,
      deadlineAtMs: undefined,
      correlationId: undefined,
      causationId: undefined,
      actor: 'spec',
      answer,
    });
  return { store, send };
};

const open: CreditCommand = {
  type: 'OpenAccount',
  commandId: 'open',
  commandHash: 'open',
  kind: 'organization',
  ownerUserId: 'usr_1',
  tier: 'pro',
  timeZone: 'UTC',
};

const stateOf = async (service: ReturnType<typeof serve>): Promise<CreditAccount> => {
  const seen: CreditAccount[] = [];
  await service.send(undefined, (account) => {
    seen.push(account);
    return {};
  });
  const [state] = seen;
  if (!state) throw new Error('no look at the account');
  return state;
};

describe('a look at an account', () => {
  it('that fails does not fail the commands beside it', async () => {
    const { send } = serve();
    const outcomes = await Promise.all([
      send(open),
      send(grant('5')),
      send(undefined, () => {
        throw new Error('a bug');
      }),
      send(reservePlain('r1', '1')),
    ]);
    expect(outcomes.map((outcome) => outcome.type)).toEqual([
      'accepted',
      'accepted',
      'refused',
      'accepted',
    ]);
    expect(outcomes[2]).toMatchObject({ refusal: { reason: 'internal', retryable: true } });
  });

  it('sees after a restart what it saw before, and commands sent again change nothing', async () => {
    const before = serve();
    const commands = [
      open,
      grant('20'),
      setAlerts(['15', '5']),
      setTopUpRule({ threshold: '8' }),
      charge('13', 'x1'),
      adjust('-9', { bookDebt: true }),
      grant('50', 'paid', { topUpId: 'topup_1' }),
      refund('3', 'f1', 'x1'),
      reservePlain('r1', '2'),
      voidGrant('paid'),
    ];
    for (const command of commands) {
      expect(await before.send(command)).toMatchObject({ type: 'accepted' });
    }
    const state = await stateOf(before);

    const after = serve(before.store);
    expect(await stateOf(after)).toEqual(state);
    for (const command of commands) {
      expect(await after.send(command)).toMatchObject({ type: 'accepted' });
    }
    expect(await stateOf(after)).toEqual(state);
    const types: string[] = [];
    for await (const event of after.store.read(creditStream('acc_1'))) {
      types.push(fromStoredCredit(event).type);
    }
    expect(types).toEqual([
      'AccountOpened',
      'CreditsGranted',
      'BalanceAlertsSet',
      'TopUpRuleSet',
      'Reserved',
      'Settled',
      'LowBalanceReached',
      'TopUpRequested',
      'CreditsAdjusted',
      'LowBalanceReached',
      'CreditsGranted',
      'DebtRepaid',
      'Refunded',
      'Reserved',
      'GrantVoided',
      'LowBalanceReached',
      'LowBalanceReached',
    ]);
  });
});
