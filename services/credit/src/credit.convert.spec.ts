import { describe, expect, it } from 'vitest';
import { InvalidRequest } from './credit-request.js';
import { converters } from './credit.convert.js';
import { envelope } from './credit.fixture.js';

describe('a grant', () => {
  it.each([
    ['ends after the year 9999', { expiresAt: '9999-12-31T23:59:59-01:00' }],
    ['begins before the year 1', { effectiveAt: '0000-06-01T00:00:00Z' }],
  ])('that %s is no request', (_what, times) => {
    const body = { amountCredits: '1', ...times };
    expect(() => converters.grant(body, envelope)).toThrow(InvalidRequest);
  });
});
