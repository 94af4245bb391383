import { pricingRefusals } from '@tollkeeper/contracts';
import { describe, expect, it } from 'vitest';
import { toProblem } from '../http/refusal.convert.js';
import { statusOf, toPricingProblem } from './pricing-refusal.convert.js';

describe('a refusal of the pricing service', () => {
  it.each([
    ['not-authorized', 401],
    ['not-permitted', 403],
    ['own-proposal', 403],
    ['unknown-config', 404],
    ['unknown-price', 404],
    ['unknown-alert', 404],
    ['unknown-setting', 404],
    ['unknown-reservation', 404],
    ['not-pending', 409],
    ['not-in-force', 409],
    ['replay-mismatch', 409],
    ['invalid-request', 422],
    ['below-cost', 422],
    ['implausible-rate', 422],
    ['exchange-rate-missing', 422],
    ['busy', 503],
    ['store-unavailable', 503],
    ['internal', 503],
  ])('as %s is a %i', (reason, status) => {
    expect(statusOf({ reason, retryable: status === 503 })).toBe(status);
  });

  it('has a status of its own for each reason that the contract names', () => {
    const blind = pricingRefusals.filter(
      (reason) => statusOf({ reason, retryable: true }) !== statusOf({ reason, retryable: false }),
    );
    expect(blind).toEqual([]);
  });

  it.each([
    [false, 422],
    [true, 503],
  ])('of a kind that is not known here, retryable %s, is a %i', (retryable, status) => {
    expect(statusOf({ reason: 'of-next-year', retryable })).toBe(status);
  });

  it('is a problem of a type of its own, with its figures and when to try again', () => {
    const { fields } = toPricingProblem({
      status: 'refused',
      reason: 'busy',
      message: 'too many commands',
      retryable: true,
      details: { waiting: 9 },
    });
    expect(fields.retryAfterS).toBe(1);
    expect(toProblem(fields)).toEqual({
      type: 'urn:tollkeeper:problem:busy',
      title: 'Busy',
      status: 503,
      detail: 'too many commands',
      code: 'busy',
      details: { waiting: 9 },
    });
  });
});
