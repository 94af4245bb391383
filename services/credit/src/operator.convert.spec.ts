import { describe, expect, it } from 'vitest';
import { InvalidRequest } from './credit-request.js';
import { converters, type Verb } from './credit.convert.js';
import { envelope, serve } from './credit.fixture.js';

describe('an operator’s command', () => {
  const served = async () => {
    const service = serve();
    await service.fund('10');
    await service.ask('charge', { commandId: 'x1', amountCredits: '4' });
    return service;
  };

  it('is answered with what is available after all that it led to', async () => {
    const { ask } = await served();
    expect(
      await ask('refund', { commandId: 'f1', reservationId: 'x1', reasonCode: 'goodwill' }),
    ).toEqual({ status: 'accepted', refundId: 'f1', refundedCredits: '4', available: '10' });
    const down = { amountCredits: '-13', reasonCode: 'billing-error', bookDebt: true };
    expect(await ask('adjust', { commandId: 'a1', ...down })).toEqual({
      status: 'accepted',
      adjustmentId: 'a1',
      available: '0',
      debt: '3',
    });
    const up = { amountCredits: '5', reasonCode: 'billing-error' };
    expect(await ask('adjust', { commandId: 'a2', ...up })).toMatchObject({
      available: '2',
      debt: '0',
    });
  });

  it('gets its first answer again, and another body under its id is refused', async () => {
    const { ask } = await served();
    const body = {
      commandId: 'f1',
      reservationId: 'x1',
      reasonCode: 'goodwill',
      amountCredits: '1',
    };
    const first = await ask('refund', body);
    expect(await ask('refund', body)).toEqual(first);
    expect(await ask('refund', { ...body, amountCredits: '2' })).toMatchObject({
      reason: 'replay-mismatch',
    });
  });

  it.each<[Verb, object]>([
    ['tier', { tier: 'pro', reason: 'upgrade' }],
    ['freeze', { reason: 'fraud' }],
    ['unfreeze', { reason: 'settled' }],
    ['recur', { recurringId: 'monthly', amountCredits: '5' }],
    ['alerts', { thresholdsCredits: ['5'] }],
    ['topUpRule', { thresholdCredits: '1', amountCredits: '5', monthlyCapCredits: '50' }],
    ['void', { grantId: 'g1', reasonCode: 'chargeback' }],
  ])('%s is accepted, and again', async (verb, body) => {
    const { ask } = await served();
    await ask('grant', { commandId: 'g1', amountCredits: '1' });
    const command = { commandId: 'c1', ...body };
    expect(await ask(verb, command)).toEqual({ status: 'accepted' });
    expect(await ask(verb, command)).toEqual({ status: 'accepted' });
  });

  it.each<[Verb, object]>([
    ['refund', { reservationId: 'x1' }],
    ['refund', { reservationId: 'x1', reasonCode: 'Good Will' }],
    ['adjust', { amountCredits: '0', reasonCode: 'x' }],
    ['recur', { recurringId: 'm', amountCredits: '-5' }],
    ['recur', { recurringId: 'm', amountCredits: '5', dayOfMonth: 29 }],
    ['alerts', { thresholdsCredits: ['0'] }],
  ])('%s with %o is no request', (verb, body) => {
    expect(() => converters[verb](body, envelope)).toThrow(InvalidRequest);
  });
});
