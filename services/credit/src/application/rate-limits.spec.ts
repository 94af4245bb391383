import {
  createMemoryEventStore,
  WrongExpectedRevisionError,
  type EventStore,
} from '@tollkeeper/event-store';
import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import { parseMoney } from '@tollkeeper/kernel';
import { createLogger } from '@tollkeeper/telemetry';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import {
  given,
  granted,
  opened,
  priceBook,
  startedAt,
} from '../domain/credit-account/credit-account.fixture.js';
import {
  call,
  mine,
  others,
  plain,
  removeLimit,
  setLimit,
} from '../domain/credit-account/limits.fixture.js';
import { defaultRules } from '../domain/credit-account/rules.js';
import { CreditAccounts } from './credit-accounts.js';
import { RateLimits } from './rate-limits.js';
import type { Outcome } from './submission.js';

const logger = createLogger('credit-spec');
logger.level = 'silent';

const serve = (store: EventStore) => {
  let nowMs = Date.parse('2026-03-01T12:00:00.000Z');
  const accounts = new CreditAccounts({
    store,
    prices: priceBook(),
    clock: { now: () => new Date(nowMs), isSteady: () => true },
    logger,
    rules: defaultRules,
    reservationTtlMs: 720_000,
  });
  return {
    later: (ms: number) => (nowMs += ms),
    send: (command: CreditCommand): Promise<Outcome> =>
      accounts.submit('acc_1', {
        command,
        urgent: false,
        deadlineAtMs: undefined,
        correlationId: undefined,
        causationId: undefined,
        actor: 'spec',
        answer: () => ({}),
      }),
  };
};

type Service = ReturnType<typeof serve>;

const perMinute = (unit: 'requests' | 'tokens', amount: string) =>
  setLimit({ mode: 'rate', window: 'minute', unit, amount });

const funded = async (store: EventStore, ...limits: CreditCommand[]): Promise<Service> => {
  const service = serve(store);
  const ids = { commandId: 'open', commandHash: 'open' };
  await service.send({
    type: 'OpenAccount',
    ...ids,
    kind: 'personal',
    ownerUserId: 'usr_1',
    tier: 'pro',
    timeZone: 'UTC',
  });
  await service.send({
    type: 'GrantCredits',
    commandId: 'grant',
    commandHash: 'grant',
    kind: 'purchase',
    amountCredits: parseMoney('1000'),
    priority: 100,
    effectiveAt: undefined,
    expiresAt: undefined,
    costBasisUsd: undefined,
    externalReference: undefined,
  });
  for (const limit of limits) expect(reasonOf(await service.send(limit))).toBe('accepted');
  return service;
};

const reasonOf = (outcome: Outcome): string =>
  outcome.type === 'refused' ? outcome.refusal.reason : 'accepted';

const reasonsOf = async (service: Service, commands: readonly CreditCommand[]): Promise<string[]> =>
  (await Promise.all(commands.map((command) => service.send(command)))).map(reasonOf);

const typesIn = async (store: EventStore): Promise<string[]> => {
  const types: string[] = [];
  for await (const event of store.read(creditStream('acc_1'))) types.push(event.type);
  return types;
};

const outputsIn = async (store: EventStore): Promise<unknown[]> => {
  const outputs: unknown[] = [];
  for await (const stored of store.read(creditStream('acc_1'))) {
    const { type, data } = fromStoredCredit(stored);
    if (type === 'Reserved') outputs.push(data.quote?.bound.outputTokens);
  }
  return outputs;
};

describe('a rate', () => {
  it('of requests admits so many in a minute, tells the rest when to come back, and then admits them', async () => {
    const store = createMemoryEventStore();
    const service = await funded(store, perMinute('requests', '3'));
    const five = Array.from({ length: 5 }, (_, n) => call(`r${String(n)}`));
    expect(await reasonsOf(service, five)).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'rate-limited',
      'rate-limited',
    ]);
    service.later(20_000);
    const refused = await service.send(call('r9'));
    expect(refused).toMatchObject({
      refusal: {
        retryable: true,
        details: { limitId: 'lim_1', unit: 'requests', amount: '3', retryAfterMs: 41_000 },
      },
    });
    service.later(40_999);
    expect(reasonOf(await service.send(call('r9')))).toBe('rate-limited');
    service.later(1);
    expect(reasonOf(await service.send(call('r9')))).toBe('accepted');
    expect((await typesIn(store)).filter((type) => type === 'Reserved')).toHaveLength(4);
  });

  it('of tokens counts what was reserved, and plain amounts not at all', async () => {
    const service = await funded(createMemoryEventStore(), perMinute('tokens', '2500'));
    expect(
      await reasonsOf(service, [call('r1'), plain('p1', '1'), call('r2'), call('r3')]),
    ).toEqual(['accepted', 'accepted', 'accepted', 'rate-limited']);
    expect(reasonOf(await service.send(plain('p2', '1')))).toBe('accepted');
  });

  it('of less than one call needs is not worth waiting for', async () => {
    const service = await funded(createMemoryEventStore(), perMinute('tokens', '1099'));
    const refused = await service.send(call('r1'));
    expect(refused).toMatchObject({
      refusal: {
        reason: 'limit-reached',
        retryable: false,
        details: { unit: 'tokens', amount: '1099', required: '1100' },
      },
    });
  });

  it('of tokens is a call that may shrink fitted to, as to a hard limit, rather than refused', async () => {
    const store = createMemoryEventStore();
    const service = await funded(store, perMinute('tokens', '5000'));
    const shrinking = (id: string, outputTokens: number, choices = 1) =>
      call(id, { outputTokens, choices, outputMayShrink: true });
    expect(
      await reasonsOf(service, [
        shrinking('r1', 100),
        shrinking('r2', 8192, 2),
        shrinking('r3', 16),
      ]),
    ).toEqual(['accepted', 'accepted', 'rate-limited']);
    expect(await outputsIn(store)).toEqual([100, 1450]);
    service.later(61_000);
    expect(reasonOf(await service.send(shrinking('r2', 8192, 2)))).toBe('accepted');
    expect(reasonOf(await service.send(shrinking('r3', 16)))).toBe('accepted');
    expect(await outputsIn(store)).toEqual([100, 1450, 16]);
  });

  it('of tokens refuses a call that may shrink where it has no use for what the rate leaves', async () => {
    const service = await funded(createMemoryEventStore(), perMinute('tokens', '1015'));
    const sent = await service.send(call('r1', { outputMayShrink: true }));
    expect(sent).toMatchObject({ refusal: { reason: 'limit-reached', retryable: false } });
    const little = call('r2', { outputTokens: 15, outputMayShrink: true });
    expect(reasonOf(await service.send(little))).toBe('accepted');
  });

  it('holds for its scope only', async () => {
    const service = await funded(createMemoryEventStore(), perMinute('requests', '1'));
    const commands = [call('r1'), call('r2'), call('r3', { purpose: others })];
    expect(await reasonsOf(service, commands)).toEqual(['accepted', 'rate-limited', 'accepted']);
  });

  it('lets a repeated reserve have its first answer, at once and while it is being stored', async () => {
    const store = createMemoryEventStore();
    const service = await funded(store, perMinute('requests', '1'));
    expect(await reasonsOf(service, [call('r1'), call('r1'), call('r2')])).toEqual([
      'accepted',
      'accepted',
      'rate-limited',
    ]);
    expect(reasonOf(await service.send(call('r1')))).toBe('accepted');
    expect((await typesIn(store)).filter((type) => type === 'Reserved')).toHaveLength(1);
  });

  it('counts only what is accepted', async () => {
    const service = await funded(createMemoryEventStore(), perMinute('requests', '1'));
    const dear = plain('p1', '5000');
    expect(await reasonsOf(service, [dear, call('r1')])).toEqual([
      'insufficient-credits',
      'accepted',
    ]);
  });

  it('counts once what had to be decided anew because another writer was faster', async () => {
    const store = createMemoryEventStore();
    let conflicts = 0;
    const contested: EventStore = {
      ...store,
      append: (stream, expected, events) => {
        if (events.some((event) => event.type === 'Reserved') && conflicts++ < 2) {
          return Promise.reject(new WrongExpectedRevisionError(stream, expected, 1));
        }
        return store.append(stream, expected, events);
      },
    };
    const service = await funded(contested, perMinute('requests', '3'));
    const both = await reasonsOf(service, [call('r1'), call('r2')]);
    expect(both).toEqual(['accepted', 'accepted']);
    expect(conflicts).toBeGreaterThan(1);
    expect(await reasonsOf(service, [call('r3'), call('r4')])).toEqual([
      'accepted',
      'rate-limited',
    ]);
  });

  it('leaves a call that has to be decided anew the output that it was fitted to', async () => {
    const store = createMemoryEventStore();
    let conflicts = 0;
    const contested: EventStore = {
      ...store,
      append: (stream, expected, events) => {
        if (events.some((event) => event.type === 'Reserved') && conflicts++ < 2) {
          return Promise.reject(new WrongExpectedRevisionError(stream, expected, 1));
        }
        return store.append(stream, expected, events);
      },
    };
    const service = await funded(contested, perMinute('tokens', '5000'));
    const shrinking = call('r1', { outputTokens: 8192, outputMayShrink: true });
    expect(reasonOf(await service.send(shrinking))).toBe('accepted');
    expect(conflicts).toBeGreaterThan(1);
    expect(await outputsIn(store)).toEqual([4000]);
  });

  it('is lost with the process, and stores nothing but that it was set', async () => {
    const store = createMemoryEventStore();
    const service = await funded(store, perMinute('requests', '1'));
    expect(await reasonsOf(service, [call('r1'), call('r2')])).toEqual([
      'accepted',
      'rate-limited',
    ]);
    expect(reasonOf(await serve(store).send(call('r3')))).toBe('accepted');
    expect(await typesIn(store)).toEqual([
      'AccountOpened',
      'CreditsGranted',
      'LimitSet',
      'Reserved',
      'Reserved',
    ]);
  });

  it('that is removed holds nobody up, and set for another unit counts anew', async () => {
    const service = await funded(createMemoryEventStore(), perMinute('requests', '1'));
    expect(reasonOf(await service.send(call('r1', { purpose: mine })))).toBe('accepted');
    await service.send(removeLimit());
    expect(reasonOf(await service.send(call('r2')))).toBe('accepted');
    await service.send(perMinute('tokens', '1100'));
    expect(await reasonsOf(service, [call('r3'), call('r4')])).toEqual([
      'accepted',
      'rate-limited',
    ]);
  });

  it('that is removed and set again, or counted by events in between, counts anew', async () => {
    const removed = await funded(createMemoryEventStore(), perMinute('requests', '1'));
    expect(reasonOf(await removed.send(call('r1', { purpose: mine })))).toBe('accepted');
    await removed.send(removeLimit());
    await removed.send({ ...perMinute('requests', '1'), commandId: 'again' });
    expect(await reasonsOf(removed, [call('r2'), call('r3')])).toEqual([
      'accepted',
      'rate-limited',
    ]);
    const turned = await funded(createMemoryEventStore(), perMinute('requests', '1'));
    expect(reasonOf(await turned.send(call('r1', { purpose: mine })))).toBe('accepted');
    await turned.send(setLimit({ mode: 'hard', window: 'minute', unit: 'requests', amount: '9' }));
    await turned.send({ ...perMinute('requests', '1'), commandId: 'again' });
    expect(await reasonsOf(turned, [call('r2'), call('r3')])).toEqual(['accepted', 'rate-limited']);
  });

  it('and a hard limit hold together', async () => {
    const hard = setLimit({ limitId: 'hard', unit: 'requests', amount: '1' });
    const service = await funded(createMemoryEventStore(), perMinute('requests', '2'), hard);
    expect(
      await reasonsOf(service, [call('r1'), call('r2'), call('r3', { purpose: others })]),
    ).toEqual(['accepted', 'limit-reached', 'accepted']);
  });
});

describe('what has been counted', () => {
  const limited = () => {
    const { account } = given(opened, granted('1000')).when(perMinute('requests', '1'));
    const rates = new RateLimits();
    const command = call('r1');
    rates.count(command, account, startedAt.getTime());
    return {
      rates,
      command,
      refusal: () => {
        const admission = rates.admit(command, account, startedAt.getTime());
        return 'refusal' in admission ? admission.refusal : undefined;
      },
    };
  };

  it('is let through again until it is known to be stored, and no longer', () => {
    const { rates, command, refusal } = limited();
    expect(refusal()).toBeUndefined();
    rates.stored([{ command }]);
    expect(refusal()).toMatchObject({ reason: 'rate-limited' });
  });

  it('is let through again until everything has failed, and no longer', () => {
    const { rates, refusal } = limited();
    rates.failed();
    expect(refusal()).toMatchObject({ reason: 'rate-limited' });
  });
});
