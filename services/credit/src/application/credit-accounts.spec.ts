import { partitionOf } from '@tollkeeper/contracts';
import { createMemoryEventStore, type EventStore } from '@tollkeeper/event-store';
import { formatMoney } from '@tollkeeper/kernel';
import { createLogger } from '@tollkeeper/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import {
  priceBook,
  release,
  reservePlain,
  settlePlain,
} from '../domain/credit-account/credit-account.fixture.js';
import { grant } from '../domain/credit-account/operator.fixture.js';
import { defaultRules } from '../domain/credit-account/rules.js';
import { availableCredits } from '../domain/credit-account/state.js';
import { CreditAccounts, defaultQueueLimits } from './credit-accounts.js';
import type { Outcome } from './submission.js';

const logger = createLogger('credit-accounts-spec');
logger.level = 'silent';

/** An instance that takes every account for its own, unless told otherwise. */
const serve = (memory: EventStore = createMemoryEventStore()) => {
  const lease = { serves: true };
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
    { serves: () => lease.serves },
  );
  const send = async (command: CreditCommand | undefined): Promise<string> =>
    told(
      await accounts.submit('acc_1', {
        command,
        urgent: false,
        deadlineAtMs: undefined,
        correlationId: undefined,
        causationId: undefined,
        actor: 'spec',
        answer: (account, at) => ({
          available: formatMoney(availableCredits(account, at.getTime())),
        }),
      }),
    );
  return { lease, accounts, store, loads, send, open: () => send(openAccount) };
};

const openAccount: CreditCommand = {
  type: 'OpenAccount',
  commandId: 'open',
  commandHash: 'open',
  kind: 'personal',
  ownerUserId: 'usr_1',
  tier: 'pro',
  timeZone: 'UTC',
};

/** What is available after it, or why not. */
const told = (outcome: Outcome): string =>
  outcome.type === 'accepted'
    ? (outcome.answer as { available: string }).available
    : outcome.refusal.reason;

describe('an account that two instances take for their own', () => {
  const two = async () => {
    const memory = createMemoryEventStore();
    const [former, next] = [serve(memory), serve(memory)];
    await former.open();
    // Both know the account as it is now.
    expect([await former.send(undefined), await next.send(undefined)]).toEqual(['0', '0']);
    return { former, next };
  };

  it('is refused nothing on a state that the other has changed', async () => {
    const { former, next } = await two();
    await former.send(grant('10', 'g1'));
    expect(await next.send(reservePlain('r1', '4'))).toBe('6');
    expect(await former.send(settlePlain('r1', '3'))).toBe('7');
    expect(await next.send(reservePlain('r2', '7'))).toBe('0');
    expect(await former.send(release('r2'))).toBe('7');
  });

  it('is shown as the other has left it', async () => {
    const { former, next } = await two();
    await former.send(grant('10', 'g1'));
    expect(await next.send(undefined)).toBe('10');
  });

  it('answers as it would with one, whichever of them is asked', async () => {
    const id = fc.integer({ min: 0, max: 5 }).map((n) => `r${String(n)}`);
    const credits = fc.integer({ min: 1, max: 9 }).map(String);
    const command = fc.oneof(
      fc.constant(undefined),
      fc.tuple(credits, id).map(([amount, each]) => grant(amount, `g-${each}`)),
      fc.tuple(id, credits).map(([each, amount]) => reservePlain(each, amount)),
      fc.tuple(id, credits).map(([each, amount]) => settlePlain(each, amount)),
      id.map((each) => release(each)),
    );
    const steps = fc.array(fc.record({ command, isNext: fc.boolean() }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, async (each) => {
        const { former, next } = await two();
        const alone = serve();
        await alone.open();
        for (const { command: one, isNext } of each) {
          expect(await (isNext ? next : former).send(one)).toBe(await alone.send(one));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never has more reserved than was granted, and loses nothing, when both are asked at once', async () => {
    const { former, next } = await two();
    await former.send(grant('20', 'g1'));
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        (n % 2 === 0 ? former : next).send(reservePlain(`r${String(n)}`, '1')),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome === 'insufficient-credits');
    expect(refused).toHaveLength(40);
    expect([await former.send(undefined), await next.send(undefined)]).toEqual(['0', '0']);
  });
});

describe('an account of another instance', () => {
  it('is refused at the door', async () => {
    const { lease, open, store } = serve();
    lease.serves = false;
    expect(await open()).toBe('not-owner');
    expect(await store.lastRevision('credit-acc_1')).toBeUndefined();
  });

  it('drains by partition, and what was known is loaded anew', async () => {
    const { accounts, open, send, loads } = serve();
    await open();
    const partition = partitionOf('acc_1');
    const asked = send(reservePlain('r1', '1'));
    expect(await accounts.drainedOf([partition], 5_000)).toEqual([partition]);
    expect(await asked).toBe('insufficient-credits');
    await send(undefined);
    accounts.forget(new Set([partition]));
    await send(undefined);
    expect(loads).toHaveLength(2);
  });
});
