import { adjust, changeTier, refund } from '@tollkeeper/contracts';
import { describe, expect, it } from 'vitest';

import { checkedBody } from './correction.js';

describe('what a person asks for', () => {
  it('is what the contract takes', () => {
    expect(checkedBody(adjust, { amountCredits: '-2.5', reasonCode: 'goodwill' })).toEqual({
      amountCredits: '-2.5',
      reasonCode: 'goodwill',
      bookDebt: false,
    });
  });

  it.each([
    ['amountCredits', adjust, { amountCredits: '0', reasonCode: 'goodwill' }],
    ['reasonCode', adjust, { amountCredits: '1', reasonCode: 'Good will' }],
    ['amountCredits', refund, { reservationId: 'r1', amountCredits: '-1', reasonCode: 'x' }],
    ['tier', changeTier, { tier: 'gold', reason: 'upgrade' }],
  ])('is refused with the name of what is wrong: %s', (field, schema, body) => {
    expect(() => checkedBody<object>(schema, body)).toThrow(`${field}: `);
  });
});
