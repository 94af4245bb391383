import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { makeSeed, seedText } from './make-seed.js';
import { readSeedInput } from './seed-input.js';

/** `npm run generate-seed`: writes the committed seed anew and says what is not in it. */
const target = new URL('../../src/seed/vendor-prices.json', import.meta.url);
const seed = makeSeed(await readSeedInput());
await writeFile(target, seedText(seed.prices));

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const perProvider = new Map<string, Set<string>>();
for (const { provider, model } of seed.prices) {
  perProvider.set(provider, (perProvider.get(provider) ?? new Set<string>()).add(model));
}
for (const [provider, models] of perProvider) print(`${provider}: ${String(models.size)} models`);
for (const { provider, model, reason } of seed.quarantined) {
  print(`quarantined ${provider}:${model}: ${reason}`);
}
print(`not chat models: ${String(seed.passedOver.length)}: ${seed.passedOver.join(' ')}`);
print(`${String(seed.prices.length)} price versions in ${fileURLToPath(target)}`);
