import type { PricedModel } from '@tollkeeper/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { refusalOf } from '../http/refusal-of.fixture.js';
import { Vendor } from '../vendors/vendor.js';
import { Catalogue } from './catalogue.js';

const priced = (provider: string, model: string, aliases: string[] = []): PricedModel => ({
  provider,
  model,
  aliases,
  priceVersion: 'v1',
  effectiveFrom: '2026-01-01T00:00:00.000Z',
});
const models = [
  priced('azure', 'gpt-4o'),
  priced('openai', 'gpt-4o', ['gpt-4o-2024-11-20']),
  priced('openai', 'gpt-4o-mini', ['gpt-4o']),
  priced('deepseek', 'deepseek-chat'),
];

const made: Vendor[] = [];
const vendor = (
  name: string,
  providers: string[],
  modelNames: Record<string, string> = {},
): Vendor => {
  const config = {
    name,
    providers,
    modelNames,
    baseUrl: 'http://127.0.0.1:9/v1',
    apiKey: undefined,
    keyHeader: 'authorization',
    query: undefined,
  } as const;
  const vendor = new Vendor(config, { callTimeoutMs: 1_000, connectTimeoutMs: 1_000 });
  made.push(vendor);
  return vendor;
};
const loaded = (...vendors: Vendor[]): Catalogue => {
  const catalogue = new Catalogue(vendors, () => Promise.reject(new Error('not asked')));
  catalogue.load(models);
  return catalogue;
};
const names = (catalogue: Catalogue, ...asked: string[]): string[] =>
  catalogue
    .route(asked)
    .map(({ provider, model, vendor: by }) => `${by.name}: ${provider}/${model}`);

afterEach(async () => {
  await Promise.all(made.splice(0).map((each) => each.close()));
});

describe('the models that can be called', () => {
  it('are found by name, by alias and by provider', () => {
    const catalogue = loaded(vendor('sim', ['*']));
    expect(names(catalogue, 'gpt-4o')).toEqual(['sim: openai/gpt-4o']);
    expect(names(catalogue, 'gpt-4o-2024-11-20')).toEqual(['sim: openai/gpt-4o']);
    expect(names(catalogue, 'azure/gpt-4o')).toEqual(['sim: azure/gpt-4o']);
    expect(names(catalogue, 'openai/gpt-4o-2024-11-20')).toEqual(['sim: openai/gpt-4o']);
  });

  it('keep their own name, whatever alias another one claims', () => {
    expect(names(loaded(vendor('sim', ['*'])), 'openai/gpt-4o')).toEqual(['sim: openai/gpt-4o']);
  });

  it('are served by the first vendor that serves their provider', () => {
    const catalogue = loaded(vendor('azure-eu', ['azure']), vendor('openai', ['openai']));
    expect(names(catalogue, 'gpt-4o')).toEqual(['azure-eu: azure/gpt-4o']);
    expect(names(catalogue, 'openai/gpt-4o')).toEqual(['openai: openai/gpt-4o']);
  });

  it('have another name at a vendor that calls them so', () => {
    const catalogue = loaded(vendor('azure-eu', ['azure'], { 'gpt-4o': 'our-deployment' }));
    expect(catalogue.route(['gpt-4o'])[0].upstreamModel).toBe('our-deployment');
  });

  it('are listed once each, by the shortest name that means them', () => {
    const listed = loaded(vendor('sim', ['*'])).list();
    expect(listed.map(({ name }) => name).sort()).toEqual([
      'azure/gpt-4o',
      'deepseek-chat',
      'gpt-4o',
      'gpt-4o-mini',
    ]);
  });

  it('make a chain, each once', () => {
    const catalogue = loaded(vendor('sim', ['*']));
    expect(names(catalogue, 'gpt-4o', 'deepseek-chat', 'openai/gpt-4o')).toEqual([
      'sim: openai/gpt-4o',
      'sim: deepseek/deepseek-chat',
    ]);
  });

  it.each(['nope', '', 'openai/nope', 'constructor', '__proto__'])('do not include %s', (name) => {
    expect(refusalOf(() => loaded(vendor('sim', ['*'])).route([name]))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('do not include one whose provider nobody serves', () => {
    expect(() => loaded(vendor('openai', ['openai'])).route(['deepseek-chat'])).toThrow(
      'does not exist',
    );
  });

  it('are 503, not 404, before prices are known', () => {
    const catalogue = new Catalogue([vendor('sim', ['*'])], () => Promise.reject(new Error('no')));
    expect(refusalOf(() => catalogue.route(['gpt-4o']))).toMatchObject({ status: 503 });
  });
});
