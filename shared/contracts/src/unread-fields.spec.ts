import { describe, expect, it } from 'vitest';
import { proposeConfig, publishVendorPrice } from './pricing-admin.js';
import { unreadFields } from './unread-fields.js';

const proposal = { scope: { tier: 'pro' }, multiplier: '1.4', reason: 'less' };

describe('fields that a schema does not read', () => {
  it.each<[string, object, string[][]]>([
    ['none', proposal, []],
    ['none of those that are not there', { ...proposal, effectiveFrom: undefined }, []],
    ['one beside the others', { ...proposal, effectivefrom: 'x' }, [['effectivefrom']]],
    ['one deep within', { ...proposal, scope: { teir: 'pro' } }, [['scope', 'teir']]],
    ['one with a slash in its name', { ...proposal, 'scope/tier': 'pro' }, [['scope/tier']]],
  ])('are %s', (_what, sent, expected) => {
    expect(unreadFields(sent, proposeConfig.parse(sent))).toEqual(expected);
  });

  it('are found in lists', () => {
    const price = {
      provider: 'openai',
      model: 'gpt-4o',
      rates: [
        { meter: 'input', rate: '1' },
        { meter: 'input', rate: '2', serviceteir: 'flex' },
      ],
      source: { name: 'list' },
    };
    const sent = { price, reason: 'new' };
    expect(unreadFields(sent, publishVendorPrice.parse(sent))).toEqual([
      ['price', 'rates', '1', 'serviceteir'],
    ]);
  });
});
