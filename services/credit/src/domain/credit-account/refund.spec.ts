import { formatMoney, parseMoney, sumMoney, zero } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  given,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import {
  adjust,
  at,
  correct,
  expireGrant,
  figuresOf,
  grant,
  refund,
  voidGrant,
} from './operator.fixture.js';
import { runsOf } from './property-runs.fixture.js';

/** 0.525 credits charged to g1. */
const charged = (amount = '100') =>
  given(opened, granted(amount))
    .when(reserveCall('r1'))
    .when(settleCall('r1', { input: 1000, output: 100 }));

describe('a refund', () => {
  it('gives back a part to the grant that paid, then all that is left, and no more', () => {
    const part = charged().when(refund('0.5')).then('Refunded');
    expect(part.event('Refunded')).toEqual({
      refundId: 'f1',
      reservationId: 'r1',
      amountCredits: '0.5',
      returned: [{ grantId: 'g1', amountCredits: '0.5' }],
      reasonCode: 'goodwill',
      localDate: '2026-03-01',
    });
    const rest = part.when(refund(undefined, 'f2')).then('Refunded');
    expect(rest.event('Refunded').amountCredits).toBe('0.025');
    expect(figuresOf(rest.account)).toEqual({
      available: '100',
      balance: '100',
      reserved: '0',
      debt: '0',
    });
    rest.when(refund(undefined, 'f3')).thenRefused('exceeds-charge');
  });

  it('keeps the operator’s reference', () => {
    const command = { ...refund('0.5'), reference: 'T-7' } as CreditCommand;
    expect(charged().when(command).event('Refunded').reference).toBe('T-7');
    expect(charged().when(refund('0.5')).event('Refunded')).not.toHaveProperty('reference');
  });

  it('of more than the charge is refused with what is left', () => {
    const outcome = charged().when(refund('0.5251')).thenRefused('exceeds-charge');
    expect(outcome.verdict).toMatchObject({ refusal: { details: { left: '0.525' } } });
  });

  it('is known by its id', () => {
    charged()
      .when(refund('0.5'))
      .then('Refunded')
      .when(refund('0.5'))
      .thenNothing()
      .when(refund('0.4'))
      .thenRefused('replay-mismatch');
  });

  it('needs a charge', () => {
    given(opened, granted('100'))
      .when(reserveCall('r1'))
      .when(refund())
      .thenRefused('unknown-reservation')
      .when(release('r1'))
      .when(refund())
      .thenRefused('unknown-reservation')
      .when(refund(undefined, 'f1', 'r9'))
      .thenRefused('unknown-reservation');
  });

  it('gives back what was charged late', () => {
    const expired = at('2026-03-01T12:12:00.000Z');
    const outcome = given(opened, granted('100'))
      .when(reserveCall('r1'))
      .when(release('r1', 'expired'), expired)
      .when(settleCall('r1', { input: 1000 }), expired)
      .when(refund(), expired)
      .then('Refunded');
    expect(figuresOf(outcome.account, expired).available).toBe('100');
  });

  it('cancels what is owed first', () => {
    const outcome = given(opened, granted('0.525'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1000, output: 200 }))
      .when(refund('0.2'));
    expect(outcome.event('Refunded')).toMatchObject({
      debtCancelledCredits: '0.15',
      returned: [{ grantId: 'g1', amountCredits: '0.05' }],
    });
  });

  it('finds the credits of a charge whose debt another’s refund has cancelled', () => {
    const outcome = given(opened, granted('10'))
      .when(reservePlain('r1', '6'))
      .when(reservePlain('r2', '4'))
      .when(settlePlain('r1', '6'))
      .when(settlePlain('r2', '9'))
      .when(refund('5', 'f1', 'r1'))
      .when(refund('9', 'f2', 'r2'))
      .when(refund(undefined, 'f3', 'r1'));
    expect(outcome.event('Refunded').amountCredits).toBe('1');
    expect(figuresOf(outcome.account)).toMatchObject({ available: '10', debt: '0' });
  });
});

describe('a refund of what an ended grant paid', () => {
  const later = at('2026-03-01T12:06:00.000Z');
  const source = (): CreditCommand =>
    grant('100', 'src', {
      expiresAt: at('2026-03-01T12:05:00.000Z'),
      costBasisUsd: parseMoney('0.9'),
      priority: 7,
    });
  const paid = () =>
    given(opened).when(source()).when(reservePlain('r1', '10')).when(settlePlain('r1', '10'));

  it('lapses, and is made up for by a grant of thirty days with its share of the cost basis', () => {
    const outcome = paid().when(refund('5'), later).then('Refunded', 'CreditsGranted');
    expect(outcome.event('Refunded')).toMatchObject({
      amountCredits: '5',
      returned: [],
      lapsed: [{ grantId: 'src', amountCredits: '5' }],
    });
    expect(outcome.event('CreditsGranted')).toEqual({
      grantId: 'f1_1',
      kind: 'refund',
      amountCredits: '5',
      priority: 7,
      effectiveAt: '2026-03-01T12:06:00.000Z',
      expiresAt: '2026-03-31T12:06:00.000Z',
      costBasisUsd: '0.045',
      refundId: 'f1',
      localDate: '2026-03-01',
    });
    expect(figuresOf(outcome.account, later).available).toBe('5');
  });

  it('is made up for after a void, too; unknown cost stays unknown', () => {
    const outcome = charged()
      .when(voidGrant('g1'))
      .when(refund())
      .then('Refunded', 'CreditsGranted');
    expect(outcome.event('CreditsGranted').costBasisUsd).toBeUndefined();
  });

  it('is one grant for each source, at ids that are free', () => {
    const outcome = given(opened)
      .when(grant('3', 'a'))
      .when(grant('3', 'b'))
      .when(grant('3', 'f1_1'))
      .when(reservePlain('r1', '6'))
      .when(settlePlain('r1', '6'))
      .when(voidGrant('a'))
      .when(voidGrant('b'))
      .when(refund())
      .then('Refunded', 'CreditsGranted', 'CreditsGranted');
    expect([...outcome.account.grantsById.keys()]).toEqual(['a', 'b', 'f1_1', 'f1_2', 'f1_3']);
  });

  it('has an id of its own also where the command’s leaves no room for it', () => {
    const ids = ['f'.repeat(63), 'f'.repeat(64)];
    let step = paid();
    for (const id of ids) {
      step = step.when(refund('2', id), later).then('Refunded', 'CreditsGranted');
    }
    const made = [...step.account.grantsById.keys()].slice(-2);
    expect(made).toEqual([`${'f'.repeat(60)}_1`, `${'f'.repeat(60)}_2`]);
    for (const id of ids) step.when(refund('2', id), later).thenNothing();
  });

  it('finds an expiry that was posted meanwhile', () => {
    paid()
      .when(expireGrant('src'), later)
      .then('GrantExpired')
      .when(refund(), later)
      .then('Refunded', 'CreditsGranted');
  });
});

describe('a refund and a correction', () => {
  // 900 input and 50 output tokens come to 0.4125 credits, 10 input tokens to 0.0038.
  it('give back together what was charged, the refund first', () => {
    const outcome = charged()
      .when(refund('0.1'))
      .when(correct({ input: 900, output: 50 }))
      .then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({
      previousChargeCredits: '0.525',
      chargeCredits: '0.4125',
      deltaCredits: '-0.1125',
    });
    const rest = outcome.when(refund(undefined, 'f2'));
    expect(rest.event('Refunded').amountCredits).toBe('0.3125');
    expect(figuresOf(rest.account).available).toBe('100');
  });

  it('give back no more than was taken, when the correction meets a whole refund', () => {
    const outcome = charged()
      .when(refund())
      .when(correct({ input: 10 }))
      .then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({
      chargeCredits: '0.0038',
      deltaCredits: '0',
      returned: [],
    });
    expect(figuresOf(outcome.account).available).toBe('100');
    outcome.when(refund(undefined, 'f2')).thenRefused('exceeds-charge');
  });

  it('give back only what is left, when the correction goes below a part', () => {
    const outcome = charged()
      .when(refund('0.5'))
      .when(correct({ input: 10 }));
    expect(outcome.event('UsageCorrected').deltaCredits).toBe('-0.025');
    expect(figuresOf(outcome.account).available).toBe('100');
  });

  it('charge anew what a correction finds above the refund', () => {
    const outcome = charged()
      .when(refund())
      .when(correct({ input: 1000, output: 200 }));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      chargeCredits: '0.675',
      deltaCredits: '0.15',
      drawn: [{ grantId: 'g1', amountCredits: '0.15' }],
    });
    expect(outcome.when(refund(undefined, 'f2')).event('Refunded').amountCredits).toBe('0.15');
  });

  it('leave no more to refund than the corrected charge', () => {
    charged()
      .when(correct({ input: 10 }))
      .when(refund('0.0039'))
      .thenRefused('exceeds-charge')
      .when(refund('0.0038'))
      .then('Refunded');
  });
});

describe('however charges, refunds, corrections and grants are mixed', () => {
  const reservations = ['r1', 'r2', 'r3'];
  const any = fc.array(
    fc.record({
      what: fc.constantFrom(
        'settle',
        'settle',
        'refund',
        'refund',
        'correct',
        'grant',
        'down',
        'void',
        'expire',
        'pass',
      ),
      which: fc.nat({ max: 2 }),
      amount: fc.integer({ min: 1, max: 400 }),
    }),
    { minLength: 5, maxLength: 40 },
  );

  const commandOf = (
    { what, which, amount }: { what: string; which: number; amount: number },
    n: number,
    nowMs: number,
  ): CreditCommand => {
    const id = reservations[which] ?? 'r1';
    const own = `${what}${String(n)}`;
    switch (what) {
      case 'expire':
        return release(id, 'expired');
      case 'settle':
        return settleCall(id, { input: 1000, output: amount });
      case 'correct':
        return correct({ input: amount * 5, output: amount }, own, id);
      case 'refund':
        return refund(
          amount % 3 === 0 ? undefined : formatMoney(parseMoney('0.003').times(amount)),
          own,
          id,
        );
      case 'down':
        return adjust(`-0.${String(amount)}`, { id: own, bookDebt: which > 0 });
      case 'void':
        return voidGrant(`g${String(which)}`, own);
      default: {
        const expiresAt = which === 0 ? new Date(nowMs + 120_000) : undefined;
        return grant(`0.${String(amount)}`, own, { expiresAt });
      }
    }
  };

  it('no credit is made or lost, and no reservation gives back more than it took', () => {
    fc.assert(
      fc.property(any, (steps) => {
        let nowMs = Date.parse('2026-03-01T12:00:00.000Z');
        let outcome = given(
          opened,
          granted('0.6', 'g0', { expiresAt: '2026-03-01T12:10:00.000Z' }),
          granted('0.5', 'g1'),
          granted('0.6', 'g2'),
        )
          .when(reserveCall('r1'))
          .when(reserveCall('r2'))
          .when(reserveCall('r3'));
        let grantedCredits = parseMoney('1.7');
        let gone = zero;
        for (const [n, each] of steps.entries()) {
          nowMs += each.what === 'pass' ? 240_000 * each.which : 1_000;
          if (each.what === 'pass') continue;
          const command = commandOf(each, n, nowMs);
          outcome = outcome.when(command, new Date(nowMs));
          for (const { type, data } of outcome.events) {
            if (type === 'CreditsGranted') grantedCredits = grantedCredits.plus(data.amountCredits);
            if (type === 'GrantVoided') gone = gone.plus(data.amountCredits);
            if (type === 'CreditsAdjusted') gone = gone.plus(data.amountCredits);
            if ('lapsed' in data)
              gone = gone.plus(
                sumMoney((data.lapsed ?? []).map((part) => parseMoney(part.amountCredits))),
              );
            if (type === 'Refunded') {
              const parts = [...data.returned, ...(data.lapsed ?? [])];
              const moved = sumMoney(parts.map((part) => parseMoney(part.amountCredits)));
              const whole = moved.plus(data.debtCancelledCredits ?? '0');
              expect(formatMoney(whole)).toBe(data.amountCredits);
            }
          }
          const { account } = outcome;
          let net = zero;
          for (const reservation of account.reservations.values()) {
            if (!reservation.charged) continue;
            const drawn = sumMoney(
              reservation.charged.drawn.map((part) => parseMoney(part.amountCredits)),
            );
            const charge = parseMoney(reservation.charged.answer.chargeCredits);
            const refunded = reservation.refundedCredits ?? zero;
            const left = charge.gt(refunded) ? charge.minus(refunded) : zero;
            expect(drawn.lte(left)).toBe(true);
            net = net.plus(left);
          }
          const held = sumMoney([...account.grantsById.values()].map((each) => each.available));
          const accounted = held
            .plus(account.reservedCredits)
            .plus(net)
            .plus(gone)
            .minus(account.debtCredits);
          expect(formatMoney(accounted)).toBe(formatMoney(grantedCredits));
        }
      }),
      { numRuns: runsOf(1000) },
    );
  });
});
