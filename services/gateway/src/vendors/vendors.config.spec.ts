import { describe, expect, it } from 'vitest';
import { vendorsOf } from './vendors.config.js';

describe('the vendors', () => {
  it('are the simulator alone where no other is configured', () => {
    expect(vendorsOf({ SIMULATOR_URL: 'http://127.0.0.1:5/' })).toMatchObject([
      { name: 'simulator', baseUrl: 'http://127.0.0.1:5/v1', providers: ['*'] },
    ]);
  });

  it('never are the simulator beside a real one', () => {
    const vendors = vendorsOf({ SIMULATOR_URL: 'http://127.0.0.1:5', OPENAI_API_KEY: 'sk-1' });
    expect(vendors).toMatchObject([
      {
        name: 'openai',
        baseUrl: 'https://api.openai.com/v1',
        apiKey: 'sk-1',
        providers: ['openai'],
      },
    ]);
  });

  it('come in the order of VENDORS, then the shortcuts', () => {
    const list = [
      {
        name: 'azure-eu',
        baseUrl: 'https://eu.example/openai/v1',
        apiKeyEnv: 'AZURE_KEY',
        keyHeader: 'api-key',
        providers: ['azure'],
        modelNames: { 'gpt-4o': 'ours' },
        region: 'eu',
      },
    ];
    const env = { VENDORS: JSON.stringify(list), AZURE_KEY: 'secret', DEEPSEEK_API_KEY: 'sk-2' };
    expect(vendorsOf(env).map(({ name, apiKey, region }) => [name, apiKey, region])).toEqual([
      ['azure-eu', 'secret', 'eu'],
      ['deepseek', 'sk-2', undefined],
    ]);
  });

  it.each([
    [
      'a key that is not there',
      [{ name: 'a', baseUrl: 'https://a', apiKeyEnv: 'NOPE', providers: ['x'] }],
    ],
    ['an address that is no URL', [{ name: 'a', baseUrl: 'nope', providers: ['x'] }]],
    ['a file', [{ name: 'a', baseUrl: 'file:///etc/passwd', providers: ['x'] }]],
    ['no provider', [{ name: 'a', baseUrl: 'https://a', providers: [] }]],
  ])('are refused at the start for %s', (_what, list) => {
    expect(() => vendorsOf({ VENDORS: JSON.stringify(list) })).toThrow('VENDORS');
  });
});
