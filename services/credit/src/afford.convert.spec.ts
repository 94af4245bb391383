import { affordReply } from '@tollkeeper/contracts';
import { personalAccountId } from '@tollkeeper/events';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affordRequest } from './afford.convert.js';
import { InvalidRequest } from './credit-request.js';
import { envelope, serve } from './credit.fixture.js';

const call = (outputTokens: number, outputMayShrink = false) => ({
  userId: 'usr_1',
  candidates: [{ provider: 'openai', model: 'gpt-4o' }],
  bounds: { inputTokens: 1000, outputTokens, outputMayShrink },
});

describe('a dry run', () => {
  it('answers what a reserve would take, and takes nothing', async () => {
    const { ask, fund } = serve();
    await fund('1');
    expect(await ask('afford', call(100))).toEqual({
      affordable: true,
      required: '0.525',
      available: '1',
      outputTokens: 100,
    });
    expect(await ask('afford', { amountCredits: '1' })).toEqual({
      affordable: true,
      required: '1',
      available: '1',
    });
  });

  it('answers why a reserve would be refused, in its reason and figures', async () => {
    const { ask, fund } = serve();
    expect(await ask('afford', call(100))).toMatchObject({ reason: 'unknown-account' });
    await fund('0.5');
    expect(await ask('afford', call(100))).toEqual({
      affordable: false,
      reason: 'insufficient-credits',
      required: '0.525',
      available: '0.5',
    });
    const unpriced = { ...call(1), candidates: [{ provider: 'openai', model: 'no-such' }] };
    expect(await ask('afford', unpriced)).toMatchObject({ reason: 'unknown-price' });
    await ask('freeze', { reason: 'fraud' });
    expect(await ask('afford', call(1))).toMatchObject({ reason: 'account-frozen' });
  });

  it('does not take an earlier reservation of the caller’s id for an answer', async () => {
    const { ask, fund } = serve();
    await fund('0.6');
    await ask('reserve', { commandId: 'r1', ...call(100) });
    expect(await ask('afford', { commandId: 'r1', ...call(100) })).toMatchObject({
      affordable: false,
      available: '0.075',
    });
  });

  it('sees the account that a reserve would open', async () => {
    const { ask } = serve({ openOnReserve: true }, personalAccountId('usr_1'));
    expect(await ask('afford', { userId: 'usr_1', amountCredits: '1000' })).toMatchObject({
      affordable: true,
      required: '1000',
      available: '1000',
    });
    expect(await ask('afford', { userId: 'usr_1', amountCredits: '1001' })).toMatchObject({
      affordable: false,
      reason: 'insufficient-credits',
      available: '1000',
    });
    expect(await ask('freeze', { reason: 'fraud' })).toMatchObject({ reason: 'unknown-account' });
  });

  it('asks the rates as a reserve would, and counts nothing', async () => {
    const { ask, fund } = serve();
    await fund('100');
    const rate = { scope: { type: 'account' }, window: 'minute', mode: 'rate' };
    await ask('setLimit', { ...rate, limitId: 'tokens', unit: 'tokens', amount: '5000' });
    await ask('setLimit', { ...rate, limitId: 'calls', unit: 'requests', amount: '1' });
    const fitted = { affordable: true, outputTokens: 4000 };
    expect(await ask('afford', call(8192, true))).toMatchObject(fitted);
    expect(await ask('afford', call(8192, true))).toMatchObject(fitted);
    expect(await ask('reserve', call(8192, true))).toMatchObject({ outputTokens: 4000 });
    expect(await ask('afford', call(1))).toEqual({
      affordable: false,
      reason: 'rate-limited',
      available: '93.625',
    });
  });

  it('tells what is required in credits, and nothing of a limit in another unit', async () => {
    const { ask, fund } = serve();
    await fund('100');
    const limit = { limitId: 'l', scope: { type: 'account' }, window: 'day' };
    await ask('setLimit', { ...limit, unit: 'tokens', amount: '50' });
    expect(await ask('afford', call(100))).toEqual({
      affordable: false,
      reason: 'limit-reached',
      available: '100',
    });
    await ask('setLimit', { ...limit, limitId: 'c', unit: 'credits', amount: '0.5' });
    await ask('removeLimit', { limitId: 'l' });
    expect(await ask('afford', call(100))).toMatchObject({ required: '0.525' });
  });

  it('refuses what is no request to reserve', () => {
    expect(() => affordRequest({ amountCredits: '-1' }, envelope)).toThrow(InvalidRequest);
  });

  it('agrees with the reserve that follows, whatever there is and is asked for', async () => {
    const amounts = fc.integer({ min: 1, max: 20_000 });
    await fc.assert(
      fc.asyncProperty(
        amounts,
        amounts,
        fc.boolean(),
        fc.boolean(),
        async (has, wants, plain, may) => {
          const { ask, fund } = serve();
          await fund(formatMoney(parseMoney(String(has)).div(10_000)));
          const body = plain
            ? { amountCredits: formatMoney(parseMoney(String(wants)).div(10_000)) }
            : call(wants, may);
          const view = affordReply.parse(await ask('afford', body));
          const reserved = await ask('reserve', body);
          expect(view).toMatchObject(
            reserved.status === 'accepted'
              ? {
                  affordable: true,
                  required: reserved.amountCredits,
                  ...(plain ? {} : { outputTokens: reserved.outputTokens }),
                }
              : { affordable: false, reason: reserved.reason },
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
