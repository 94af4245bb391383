import { NoReplyError, NoResponderError } from '@tollkeeper/messaging';
import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.js';

const id = '01a1f9cf-c8f3-722d-b06d-395194daa340';
const body = {
  commandId: id,
  candidates: [{ provider: 'openai', model: 'gpt-4o' }],
  bounds: { inputTokens: 41, outputTokens: 100 },
};
const reserved = {
  status: 'accepted',
  reservationId: id,
  amountCredits: '3',
  expiresAt: '2026-01-01T00:12:00.000Z',
};
const moving = { status: 'refused', reason: 'not-owner', message: 'moving', retryable: true };
const unanswered = new NoReplyError('no answer');
const unserved = new NoResponderError('nobody serves the lane');

/** By the script, the last step for ever. */
const reserving = async (...script: readonly (object | Error)[]) => {
  const sent: unknown[] = [];
  const sender = {
    send: async (command: unknown) => {
      await Promise.resolve();
      const step = script[Math.min(sent.push(command), script.length) - 1];
      if (step instanceof Error) throw step;
      return step;
    },
  };
  const reply = await new Ledger(sender, 500).reserve('acc1', body);
  return { reply, sent };
};

describe('a reserve', () => {
  it('of an account that moves, or that nobody serves, is sent again as it was', async () => {
    const { reply, sent } = await reserving(moving, unserved, reserved);
    expect(reply).toEqual(reserved);
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  it('of an account that moves until the time is over was turned away each time', async () => {
    const { reply, sent } = await reserving(unserved, moving);
    expect(reply).toEqual(moving);
    expect(sent.length).toBeGreaterThan(1);
  });

  it('that got no answer is in doubt at once: nothing that is said later can take that away', async () => {
    const { reply, sent } = await reserving(moving, unanswered, moving);
    expect(reply).toBe('unanswered');
    expect(sent).toHaveLength(2);
  });

  it('that nobody has taken until the time is over was not carried out', async () => {
    expect((await reserving(unserved)).reply).toBe('unserved');
  });
});
