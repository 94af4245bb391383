import { describe, expect, it } from 'vitest';
import {
  attempt,
  given,
  granted,
  opened,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { correct, figuresOf, refund, rerate } from './operator.fixture.js';

const usage = { input: 1000, output: 100 };

/** 0.0035 USD at a multiplier of 1.5 and a cent a credit: 0.525 credits charged to g1. */
const charged = (amount = '100') =>
  given(opened, granted(amount)).when(reserveCall('r1')).when(settleCall('r1', usage));

describe('a re-rating', () => {
  it('charges the same usage at the other version, by the same rule and credit value', () => {
    const outcome = charged().when(rerate('openai:gpt-4o@2', usage)).then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({
      reservationId: 'r1',
      rerating: { priceVersion: 'openai:gpt-4o@2', reason: 'the vendor billed more' },
      previousChargeCredits: '0.525',
      chargeCredits: '1.05',
      deltaCredits: '0.525',
      vendorCostUsd: '0.007',
      drawn: [{ grantId: 'g1', amountCredits: '0.525' }],
      attempts: [{ priceVersion: 'openai:gpt-4o@2', multiplierRule: 'pro@1', multiplier: '1.5' }],
    });
    expect(figuresOf(outcome.account).balance).toBe('98.95');
  });

  it.each([
    ['by another command', () => charged().when(rerate('openai:gpt-4o@2', usage, 'rr0')), '@2'],
    ['at the version that was quoted', () => charged(), '@1'],
  ])('of what is priced so already charges nothing more: %s', (_what, before, version) => {
    const outcome = before()
      .when(rerate(`openai:gpt-4o${version}`, usage))
      .then('UsageCorrected');
    const event = outcome.event('UsageCorrected');
    expect(event).toMatchObject({ deltaCredits: '0', drawn: [], returned: [] });
    expect(event.chargeCredits).toBe(event.previousChargeCredits);
  });

  it('is known again, also one that changed nothing, by a later one back', () => {
    charged()
      .when(rerate('openai:gpt-4o@2', usage))
      .when(rerate('openai:gpt-4o@2', usage))
      .thenNothing()
      .when(rerate('openai:gpt-4o@2', usage, 'rr2'))
      .when(rerate('openai:gpt-4o@1', usage, 'rr3'))
      .when(rerate('openai:gpt-4o@2', usage, 'rr2'))
      .thenNothing();
  });

  it('and back again gives back what it took', () => {
    const back = charged()
      .when(rerate('openai:gpt-4o@2', usage))
      .when(rerate('openai:gpt-4o@1', usage, 'rr2'))
      .then('UsageCorrected');
    expect(back.event('UsageCorrected').returned).toEqual([
      { grantId: 'g1', amountCredits: '0.525' },
    ]);
    expect(figuresOf(back.account).balance).toBe('99.475');
  });

  it('stays: usage that is corrected later is charged at the version of the re-rating', () => {
    const corrected = charged()
      .when(rerate('openai:gpt-4o@2', usage))
      .when(correct({ input: 2000, output: 200 }))
      .then('UsageCorrected');
    expect(corrected.event('UsageCorrected')).toMatchObject({
      chargeCredits: '2.1',
      attempts: [{ priceVersion: 'openai:gpt-4o@2' }],
    });
    expect(corrected.event('UsageCorrected').rerating).toBeUndefined();
  });

  it('by usage that was corrected since is refused: it would undo the correction', () => {
    const corrected = charged().when(correct({ input: 2000, output: 200 }));
    corrected.when(rerate('openai:gpt-4o@2', usage)).thenRefused('invalid-request');
    corrected
      .when(rerate('openai:gpt-4o@2', { input: 2000, output: 200 }, 'rr2'))
      .then('UsageCorrected');
  });

  it('owes what the account does not have', () => {
    const outcome = charged('0.6').when(rerate('openai:gpt-4o@2', usage)).then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({
      drawn: [{ grantId: 'g1', amountCredits: '0.075' }],
      debt: { amountCredits: '0.45', cause: 'correction' },
    });
  });

  it('does not give back again what was refunded', () => {
    const outcome = charged()
      .when(rerate('openai:gpt-4o@2', usage))
      .when(refund())
      .when(rerate('openai:gpt-4o@1', usage, 'rr2'))
      .then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({ deltaCredits: '0', returned: [] });
    expect(figuresOf(outcome.account).balance).toBe('100');
  });

  it.each([
    ['a version that nobody published', 'openai:gpt-4o@9', 'unknown-price'],
    ['a version of a model that was not quoted', 'openai:gpt-4o-mini@1', 'invalid-request'],
  ] as const)('at %s is refused', (_what, version, reason) => {
    charged().when(rerate(version, usage)).thenRefused(reason);
  });

  it('of a plain amount is refused', () => {
    given(opened, granted('100'))
      .when(reservePlain('r1', '5'))
      .when(settlePlain('r1', '5'))
      .when(rerate('openai:gpt-4o@2', usage))
      .thenRefused('invalid-request');
  });

  it('of what is still open is refused', () => {
    given(opened, granted('100'))
      .when(reserveCall('r1'))
      .when(rerate('openai:gpt-4o@2', usage))
      .thenRefused('unknown-reservation');
  });

  describe('of a call that a second model answered', () => {
    const mini = { provider: 'openai', model: 'gpt-4o-mini' };
    const chain = { candidates: [{ provider: 'openai', model: 'gpt-4o' }, mini] };
    const answered = () =>
      given(opened, granted('100'))
        .when(reserveCall('r1', 100, chain))
        .when(settleCall('r1', usage, mini));
    const again = (priceVersion: string) => ({
      ...rerate(priceVersion, usage),
      attempts: [attempt(usage, mini)],
    });

    it('at a version of the first one is refused', () => {
      answered()
        .when(again('openai:gpt-4o@2'))
        .thenRefused('invalid-request', { message: 'no attempt is priced by openai:gpt-4o@2' });
    });

    it('at the version that it is priced by changes nothing', () => {
      const outcome = answered().when(again('openai:gpt-4o-mini@1')).then('UsageCorrected');
      expect(outcome.event('UsageCorrected').deltaCredits).toBe('0');
    });
  });

  it('says which version it does not know, and which model was not quoted', () => {
    charged()
      .when(rerate('openai:gpt-4o@9', usage))
      .thenRefused('unknown-price', { message: 'there is no price version openai:gpt-4o@9' });
    charged().when(rerate('openai:gpt-4o-mini@1', usage)).thenRefused('invalid-request', {
      message: 'the reservation was not quoted for openai/gpt-4o-mini',
    });
  });
});
