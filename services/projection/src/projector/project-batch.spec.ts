import { describe, expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { given } from '../story/project-story.fixture.js';

const funded = (): AccountStory => new AccountStory('a').opened().granted('100');
const charged = (): AccountStory => funded().reserved('before', '9').settled('before', '9');

describe('a batch of events', () => {
  it('opens a reservation, and closes it in a later batch', () => {
    const history = given(funded());
    const first = history.when((story) => story.reserved('r', '9'));
    expect([...first.opened.values()]).toMatchObject([
      { reservation_id: 'r', amount_credits: '9', user_id: 'caller' },
    ]);
    const second = history.when((story) => story.settled('r', '3'));
    expect([...second.closed.keys()]).toEqual(['a/r']);
    expect(second.opened.size).toBe(0);
  });

  it('refunds and corrects a call by one change of its row, in either order', () => {
    const settled = (): AccountStory => funded().reserved('r', '9').settled('r', '5');
    const orders: ((story: AccountStory) => void)[] = [
      (story) => story.refunded('r', '1').corrected('r', '4'),
      (story) => story.corrected('r', '4').refunded('r', '1'),
    ];
    for (const tell of orders) {
      const { corrections, refunds } = given(settled()).when(tell);
      expect([...corrections.values()]).toMatchObject([
        { charge_credits: '4', refunded_credits: '1' },
      ]);
      expect(refunds.size).toBe(0);
    }
    const { corrections, refunds } = given(settled()).when((story) => {
      story.refunded('r', '1').refunded('r', '2');
    });
    expect(corrections.size).toBe(0);
    expect([...refunds.values()]).toEqual([
      { account_id: 'a', reservation_id: 'r', refunded_credits: '3', revisions: [2, 3, 4, 5] },
    ]);
  });

  it('does not write a reservation that ends where it began', () => {
    const changes = given(funded()).when((story) => story.reserved('r', '9').settled('r', '3'));
    expect(changes.opened.size + changes.closed.size).toBe(0);
    expect(changes.usage.size).toBe(1);
  });

  it.each<[string, AccountStory, (story: AccountStory) => void, string]>([
    [
      'a reservation that ends twice',
      funded().reserved('other', '9').reserved('r', '9').settled('r', '1'),
      (story) => story.tellAgain('Settled'),
      'reservation r is not open',
    ],
    [
      'a reservation that opens while it is open',
      funded().reserved('r', '9'),
      (story) => story.tellAgain('Reserved'),
      'reservation r is open already',
    ],
    [
      'late usage that comes twice',
      funded().reserved('r', '9').released('r').settledLate('r', '1'),
      (story) => story.tellAgain('SettledLate'),
      'reservation r was settled already',
    ],
    [
      'a correction of another charge than the last',
      funded().reserved('r', '9').settled('r', '1').corrected('r', '2'),
      (story) => story.tellAgain('UsageCorrected'),
      'reservation r was charged 2, not 1',
    ],
    [
      'a refund of more than its call was charged',
      funded().reserved('r', '9').settled('r', '5').refunded('r', '3'),
      (story) => story.tellAgain('Refunded'),
      'reservation r was charged 5, and 6 are refunded',
    ],
    [
      'a refund of a call that was not charged',
      charged().reserved('r', '9').released('r'),
      (story) => story.refunded('r', '3'),
      'reservation r was not charged',
    ],
    [
      'a grant that is granted twice',
      funded(),
      (story) => story.tellAgain('CreditsGranted'),
      'grant g1 was granted already',
    ],
    [
      'a limit that is removed twice',
      funded().limitSet('l', '5').limitRemoved('l'),
      (story) => story.tellAgain('LimitRemoved'),
      'limit l is not set',
    ],
    [
      'more reserved than there is',
      new AccountStory('a').opened().granted('9').reserved('r', '9'),
      (story) => story.tellAgain('Reserved'),
      'Reserved makes available negative: -9',
    ],
  ])('parks an account for %s, at the event before', (_title, history, tell, reason) => {
    const changes = given(history).when((story) => {
      tell(story);
      story.granted('1');
    });
    expect(changes.parked).toMatchObject([{ account_id: 'a', reason }]);
    expect(changes.balances.size).toBe(0);
    expect(changes.transactions).toEqual([]);
    expect(changes.usage.size).toBe(0);
  });
});
