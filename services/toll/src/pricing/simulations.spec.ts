import { describe, expect, it } from 'vitest';
import { multiplierOf } from './simulations.js';

describe('a multiplier to try', () => {
  it.each<[string, object, string]>([
    ['default=1.6', {}, '1.6'],
    ['tier:pro=1.4', { tier: 'pro' }, '1.4'],
    ['provider:openai,model:gpt-4o=2', { provider: 'openai', model: 'gpt-4o' }, '2'],
    ['model:ft:gpt-4o=a=2', { model: 'ft:gpt-4o=a' }, '2'],
  ])('%s', (text, scope, multiplier) => {
    expect(multiplierOf(text)).toEqual({ scope, multiplier });
  });

  it.each([
    '1.4',
    '=1.4',
    ',=1.4',
    'pro=1.4',
    'tier:=1.4',
    'tier:pro',
    'tier:pro=-1',
    'tier:pro,=1.4',
    'default,tier:pro=1.4',
    'tier:pro,tier:free=1.4',
    'teir:pro=1.4',
  ])('is not %s: the default has to be named', (text) => {
    expect(() => multiplierOf(text)).toThrow(/is not like default=1\.6/);
  });
});
