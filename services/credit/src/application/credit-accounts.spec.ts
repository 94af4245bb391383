import { partitionOf } from '@tollkeeper/contracts';
import { createMemoryEventStore, type EventStore } from '@tollkeeper/event-store';
import { createLogger } from '@tollkeeper/telemetry';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import { priceBook, reservePlain } from '../domain/credit-account/credit-account.fixture.js';
import { defaultRules } from '../domain/credit-account/rules.js';
import { CreditAccounts, defaultQueueLimits } from './credit-accounts.js';
import type { Ownership } from './ownership/ownership.js';
import type { Outcome } from './submission.js';

const logger = createLogger('credit-accounts-spec');
logger.level = 'silent';

type Standing = Awaited<ReturnType<Ownership['confirm']>>;

const serve = () => {
  const lease = { serves: true, fresh: true, generation: 1, standing: 'held' as Standing };
  const memory = createMemoryEventStore();
  const loads: string[] = [];
  const store: EventStore = {
    ...memory,
    read: (stream, options) => {
      loads.push(stream);
      return memory.read(stream, options);
    },
  };
  const accounts = new CreditAccounts(
    {
      store,
      prices: priceBook(),
      clock: { now: () => new Date('2026-03-01T12:00:00.000Z'), isSteady: () => true },
      logger,
      rules: defaultRules,
      reservationTtlMs: 720_000,
    },
    defaultQueueLimits,
    {
      serves: () => lease.serves,
      generationOf: () => lease.generation,
      isFresh: () => lease.fresh,
      confirm: () => Promise.resolve(lease.standing),
    },
  );
  const send = (command: CreditCommand | undefined): Promise<Outcome> =>
    accounts.submit('acc_1', {
      command,
      urgent: false,
      deadlineAtMs: undefined,
      correlationId: undefined,
      causationId: undefined,
      actor: 'spec',
      answer: () => ({ status: 'accepted' }),
    });
  const open = (): Promise<Outcome> =>
    send({
      type: 'OpenAccount',
      commandId: 'open',
      commandHash: 'open',
      kind: 'personal',
      ownerUserId: 'usr_1',
      tier: 'pro',
      timeZone: 'UTC',
    });
  return { lease, accounts, store, loads, send, open };
};

const told = (outcome: Outcome): string =>
  outcome.type === 'accepted' ? 'accepted' : outcome.refusal.reason;

describe('outcomes of an account that may have moved', () => {
  it.each<[Standing, accepted: string, refusal: string, look: string]>([
    ['held', 'accepted', 'insufficient-credits', 'accepted'],
    ['lost', 'not-owner', 'not-owner', 'not-owner'],
    ['unreachable', 'accepted', 'not-owner', 'not-owner'],
  ])('with the lease run out and %s: %s, %s, %s', async (standing, accepted, refusal, look) => {
    const { lease, send, open } = serve();
    lease.fresh = false;
    lease.standing = standing;
    expect(told(await open())).toBe(accepted);
    expect(told(await send(reservePlain('r1', '1')))).toBe(refusal);
    expect(told(await send(undefined))).toBe(look);
  });

  it('are not told when it was lost and taken again meanwhile', async () => {
    const { lease, send, open } = serve();
    await open();
    const asked = send(reservePlain('r1', '1'));
    lease.generation = 3;
    lease.standing = 'lost';
    expect(told(await asked)).toBe('not-owner');
  });

  it('are refused at the door when another instance serves it', async () => {
    const { lease, open, store } = serve();
    lease.serves = false;
    expect(told(await open())).toBe('not-owner');
    const events = [];
    for await (const event of store.read('credit-acc_1')) events.push(event);
    expect(events).toEqual([]);
  });

  it('drain by partition, and what was known is loaded anew', async () => {
    const { accounts, open, send, loads } = serve();
    await open();
    const partition = partitionOf('acc_1');
    const asked = send(reservePlain('r1', '1'));
    expect(await accounts.drainedOf([partition], 5_000)).toEqual([partition]);
    expect(told(await asked)).toBe('insufficient-credits');
    await send(undefined);
    accounts.forget(new Set([partition]));
    await send(undefined);
    expect(loads).toHaveLength(2);
  });
});
