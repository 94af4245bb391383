import { describe, expect, it } from 'vitest';
import { affordRequest } from './afford.convert.js';
import { InvalidRequest } from './credit-request.js';
import { converters } from './credit.convert.js';
import { envelope } from './credit.fixture.js';

describe('the headers of a command', () => {
  const body = { amountCredits: '1' };

  it.each(['correlationId', 'causationId', 'actor'])(
    'are stored with its events, so that a %s is bounded as a body’s ids are',
    (name) => {
      const fits = { ...envelope, [name]: 'x'.repeat(128) };
      expect(converters.charge(body, fits)).toMatchObject({ [name]: 'x'.repeat(128) });
      for (const value of ['x'.repeat(129), 'nul\0', '\ud800']) {
        const headers = { ...envelope, [name]: value };
        expect(() => converters.charge(body, headers)).toThrow(InvalidRequest);
        expect(() => affordRequest(body, headers)).toThrow(name);
      }
    },
  );
});
