import { beforeEach, describe, expect, test } from 'vitest';
import { creditStream, toStored, type Charge, type CreditAccountEvent } from '@tollkeeper/events';
import { createMemoryEventStore, type EventStore } from '@tollkeeper/event-store';
import { findStoredCharge, type NoCharge, type StoredCharge } from './stored-charge.js';

const charge = (chargeCredits: string): Charge => ({
  tier: 'pro',
  attempts: [],
  vendorCostUsd: '0',
  policyId: 'credit-policy@1',
  usdPerCredit: '0.01',
  creditDecimals: 4,
  rounding: 'ceil',
  chargeCredits,
  roundingCredits: '0',
});
const reservationId = 'r1';
const localDate = '2026-11-20';

const reserved: CreditAccountEvent = {
  type: 'Reserved',
  data: {
    reservationId,
    amountCredits: '5',
    allocations: [],
    tier: 'pro',
    localDate,
    expiresAt: '2026-11-20T13:00:00.000Z',
    purpose: { userId: 'usr_1' },
    quote: {
      policyId: 'credit-policy@1',
      requestStartedAt: '2026-11-20T11:59:59.000Z',
      candidates: [
        {
          provider: 'openai',
          model: 'gpt-4o',
          priceVersion: 'openai:gpt-4o@1',
          multiplierRule: 'default@1',
          boundUsd: '1',
        },
      ],
      bound: { inputTokens: 1, outputTokens: 1, choices: 1 },
    },
  },
};
const settled: CreditAccountEvent = {
  type: 'Settled',
  data: { ...charge('3'), reservationId, drawn: [], returned: [], localDate },
};
const corrected: CreditAccountEvent = {
  type: 'UsageCorrected',
  data: {
    ...charge('4'),
    reservationId,
    previousChargeCredits: '3',
    deltaCredits: '1',
    drawn: [],
    returned: [],
    localDate,
  },
};
const refund = (amountCredits: string): CreditAccountEvent => ({
  type: 'Refunded',
  data: {
    refundId: amountCredits,
    reservationId,
    amountCredits,
    returned: [],
    reasonCode: 'goodwill',
    localDate,
  },
});
const released: CreditAccountEvent = {
  type: 'Released',
  data: { reservationId, reason: 'failed', returned: [], localDate },
};
const settledLate: CreditAccountEvent = {
  type: 'SettledLate',
  data: { ...charge('2'), reservationId, drawn: [], localDate },
};
const other: CreditAccountEvent = { type: 'AccountFrozen', data: { reason: 'another matter' } };

describe('what a reservation is charged by', () => {
  let store: EventStore;
  beforeEach(() => {
    store = createMemoryEventStore();
  });

  /** With an index that knows of the first so many events, all of them by default. */
  const found = async (
    events: readonly CreditAccountEvent[],
    indexed = events.length,
  ): Promise<StoredCharge | NoCharge> => {
    const stored = events.map((event) =>
      toStored(crypto.randomUUID(), event, {
        schemaVersion: 1,
        occurredAt: '2026-11-20T12:00:00.000Z',
        correlationId: 'c',
        causationId: 'c',
        actor: 'gateway',
        commandId: 'c',
        commandHash: 'h',
        prevHash: 'p',
      }),
    );
    await store.append(creditStream('acc'), 'no-stream', stored);
    const revisions = events.flatMap((event, revision) =>
      event === other || revision >= indexed ? [] : [revision],
    );
    const index = () => Promise.resolve({ revisions, indexedRevision: indexed - 1 });
    return findStoredCharge(index, store, 'acc', reservationId);
  };

  test.each<[string, CreditAccountEvent[], string, string]>([
    ['its settle', [other, reserved, other, settled, other], '3', '0'],
    ['its last correction', [reserved, settled, corrected], '4', '0'],
    ['its settle after it was released', [reserved, released, settledLate], '2', '0'],
    [
      'its settle, whatever was given back',
      [reserved, settled, refund('1'), refund('0.5')],
      '3',
      '1.5',
    ],
  ])('is %s', async (_, events, chargeCredits, refundedCredits) => {
    expect(await found(events)).toMatchObject({
      requestedAt: '2026-11-20T11:59:59.000Z',
      charge: { chargeCredits },
      refundedCredits,
    });
  });

  test.each<[NoCharge, string, CreditAccountEvent[], number]>([
    ['open', 'while it runs', [reserved, other], 2],
    ['none', 'once it is released', [reserved, released], 2],
    ['none', 'of one that nobody made', [other], 1],
    ['index-behind', 'while its settle is not indexed', [reserved, settled], 1],
    ['index-behind', 'while nothing is indexed', [reserved, settled], 0],
  ])('is %s %s', async (expected, _, events, indexed) => {
    expect(await found(events, indexed)).toBe(expected);
  });
});
