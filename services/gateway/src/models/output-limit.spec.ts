import { describe, expect, it } from 'vitest';
import { OutputLimit } from './output-limit.js';

const asOf = '2026-06-01T00:00:00.000Z';
const answering = (...replies: (Record<string, string> | Error)[]) => {
  const asked: string[] = [];
  const limit = new OutputLimit(8_192, (subject) => {
    asked.push(subject);
    const reply = replies.shift();
    return reply instanceof Error
      ? Promise.reject(reply)
      : Promise.resolve({ settings: reply, asOf });
  });
  return { limit, asked };
};

describe('the output limit of calls that name none', () => {
  it('is the configured one until pricing has answered', () => {
    expect(answering().limit.tokens).toBe(8_192);
  });

  it.each([
    ['what is set', { default_output_limit: '4096' }, 4_096],
    ['the configured one where nothing is set', { other: '1' }, 8_192],
  ])('is %s', async (_, settings: Record<string, string>, tokens) => {
    const { limit, asked } = answering(settings);
    await limit.refresh();
    expect(limit.tokens).toBe(tokens);
    expect(asked).toEqual(['pricing.v1.settings']);
  });

  it.each([
    ['no answer', new Error('timeout')],
    ['zero', { default_output_limit: '0' }],
    ['no number', { default_output_limit: 'many' }],
    ['a fraction', { default_output_limit: '1.5' }],
    ['too great a number', { default_output_limit: '99999999' }],
  ])('stays what it was after %s', async (_, reply) => {
    const { limit } = answering({ default_output_limit: '4096' }, reply);
    await limit.refresh();
    await expect(limit.refresh()).rejects.toThrow();
    expect(limit.tokens).toBe(4_096);
  });

  it('follows what is set next', async () => {
    const { limit } = answering({ default_output_limit: '4096' }, {});
    await limit.refresh();
    await limit.refresh();
    expect(limit.tokens).toBe(8_192);
  });
});
