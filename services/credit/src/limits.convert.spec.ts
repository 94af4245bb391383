import { limitsView as limitsViewSchema } from '@tollkeeper/contracts';
import { describe, expect, it } from 'vitest';
import {
  given,
  granted,
  opened,
  startedAt,
} from './domain/credit-account/credit-account.fixture.js';
import { call, setLimit } from './domain/credit-account/limits.fixture.js';
import { limitsView } from './limits.convert.js';

const { account } = given(opened, granted('1000'))
  .when(setLimit({ limitId: 'day', window: 'day' }))
  .when(setLimit({ limitId: 'total', window: 'total', unit: 'tokens', mode: 'soft' }))
  .when(setLimit({ limitId: 'rate', window: 'minute', unit: 'requests', mode: 'rate' }))
  .when(call('r1'));
const key = { type: 'key', id: 'key_1' };

describe('the view of an account’s limits', () => {
  it('has each with what is used of it, its window and when that is over', () => {
    const view = limitsView(account, startedAt);
    expect(limitsViewSchema.parse(view)).toEqual({
      accountId: 'acc_1',
      limits: [
        {
          limitId: 'day',
          scope: key,
          window: 'day',
          unit: 'credits',
          mode: 'hard',
          amount: '10',
          used: '0.525',
          period: '2026-03-01',
          resetsAt: '2026-03-01T23:00:00.000Z',
        },
        {
          limitId: 'total',
          scope: key,
          window: 'total',
          unit: 'tokens',
          mode: 'soft',
          amount: '10',
          used: '1100',
          period: 'total',
        },
        {
          limitId: 'rate',
          scope: key,
          window: 'minute',
          unit: 'requests',
          mode: 'rate',
          amount: '10',
          period: '2026-03-01T12:00',
          resetsAt: '2026-03-01T12:01:00.000Z',
        },
      ],
      asOf: '2026-03-01T12:00:00.000Z',
    });
  });

  it('shows nothing used in a window that has just begun', () => {
    const [day] = limitsView(account, new Date('2026-03-01T23:00:00.000Z')).limits;
    expect(day).toMatchObject({ used: '0', period: '2026-03-02' });
  });
});
