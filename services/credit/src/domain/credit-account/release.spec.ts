import { describe, expect, it } from 'vitest';
import type { Attempt, CreditCommand } from './commands.js';
import {
  attempt,
  given,
  granted,
  opened,
  release,
  reserveCall,
  settleCall,
} from './credit-account.fixture.js';
import { at, figuresOf, refund } from './operator.fixture.js';

const expiry = at('2026-03-01T12:12:00.000Z');

const releaseAfter = (...attempts: readonly Attempt[]): CreditCommand =>
  ({ ...release('r1'), attempts }) as CreditCommand;

describe('a release', () => {
  const reserved = () => given(opened, granted('100')).when(reserveCall('r1'));

  it('tells why, and what went back to which grant', () => {
    const outcome = given(opened, granted('0.4', 'a'), granted('5', 'b'))
      .when(reserveCall('r1'))
      .when(release('r1', 'cancelled'))
      .then('Released');
    expect(outcome.event('Released')).toStrictEqual({
      reservationId: 'r1',
      reason: 'cancelled',
      returned: [
        { grantId: 'a', amountCredits: '0.4' },
        { grantId: 'b', amountCredits: '0.125' },
      ],
      localDate: '2026-03-01',
    });
  });

  it('tells which vendors were asked in vain, and by which ids they know it', () => {
    const outcome = reserved().when(
      releaseAfter(
        attempt({}, { billed: false, failure: 'status-500' }),
        attempt({}, { billed: false, provider: 'azure', vendorRequestId: undefined }),
      ),
    );
    expect(outcome.event('Released').attempts).toStrictEqual([
      {
        provider: 'openai',
        model: 'gpt-4o',
        vendorRequestId: 'chatcmpl-1',
        failure: 'status-500',
      },
      { provider: 'azure', model: 'gpt-4o' },
    ]);
  });

  it('lets what came from a grant that has expired since lapse, visibly', () => {
    const expiresAt = '2026-03-01T12:05:00.000Z';
    const outcome = given(opened, granted('0.4', 'a', { expiresAt }), granted('5', 'b'))
      .when(reserveCall('r1'))
      .when(release('r1'), at(expiresAt));
    expect(outcome.event('Released')).toMatchObject({
      returned: [{ grantId: 'b', amountCredits: '0.125' }],
      lapsed: [{ grantId: 'a', amountCredits: '0.4' }],
    });
    expect(figuresOf(outcome.account, at(expiresAt))).toMatchObject({ available: '5' });
  });

  it('of a reservation that never was is refused by its name', () => {
    const outcome = reserved().when(release('r9')).thenRefused('unknown-reservation');
    expect(outcome.verdict).toMatchObject({ refusal: { message: 'no reservation r9' } });
  });

  it('as expired comes at the moment of expiry and not a millisecond before', () => {
    const early = reserved()
      .when(release('r1', 'expired'), new Date(expiry.getTime() - 1))
      .thenRefused('invalid-request');
    expect(early.verdict).toMatchObject({ refusal: { message: 'r1 has not expired' } });
    early.when(release('r1', 'expired'), expiry).then('Released');
  });

  it('for another reason need not wait for the expiry', () => {
    for (const reason of ['failed', 'cancelled'] as const) {
      reserved().when(release('r1', reason)).then('Released');
    }
  });

  it('that comes again, for whatever reason, releases nothing more', () => {
    reserved()
      .when(release('r1'))
      .then('Released')
      .when(release('r1', 'cancelled'))
      .thenNothing()
      .when(release('r1', 'expired'))
      .thenNothing();
  });

  it('undoes no charge: not of a settle, of one that came late, nor of one refunded', () => {
    const closed = 'reservation-closed';
    const settled = reserved()
      .when(settleCall('r1', { input: 1 }))
      .when(release('r1'))
      .thenRefused(closed);
    expect(settled.verdict).toMatchObject({ refusal: { message: 'r1 has been settled' } });
    settled.when(refund()).when(release('r1')).thenRefused(closed);
    reserved()
      .when(release('r1', 'expired'), expiry)
      .when(settleCall('r1', { input: 1 }), expiry)
      .then('SettledLate')
      .when({ ...release('r1', 'expired'), commandId: 'another' }, expiry)
      .thenRefused(closed);
  });
});
