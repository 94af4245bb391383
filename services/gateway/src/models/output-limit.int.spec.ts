import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { hello, startWorld, type World } from '../gateway.fixture.js';

let world: World;
beforeAll(async () => {
  world = await startWorld({ MODELS_REFRESH_MS: '50', DEFAULT_OUTPUT_TOKENS: '1000' });
});
afterAll(() => world.stop());

const reservedOutput = async (body: object = {}): Promise<unknown> => {
  world.ledger.reset();
  await (await world.post({ ...hello, ...body })).text();
  const bounds = world.ledger.of('reserve')[0]?.body['bounds'] as { outputTokens: number };
  return bounds.outputTokens;
};

it('the output limit of a call that names none follows the setting, and is the configured one without it', async () => {
  expect(await reservedOutput()).toBe(1_000);
  world.settings['default_output_limit'] = '321';
  await vi.waitFor(async () => expect(await reservedOutput()).toBe(321), { timeout: 20_000 });
  expect(await reservedOutput({ max_tokens: 7 })).toBe(7);
  delete world.settings['default_output_limit'];
  await vi.waitFor(async () => expect(await reservedOutput()).toBe(1_000), { timeout: 20_000 });
});
