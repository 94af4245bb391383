/** One file that needs public packages only: what this repository shares goes into it. */
import { readFileSync } from 'node:fs';
import { rolldown } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const fromOutside = [...Object.keys(dependencies), /^node:/];

const bundle = await rolldown({
  input: new URL('src/index.ts', import.meta.url).pathname,
  external: fromOutside,
  platform: 'node',
  // Schemas that nobody uses would stay, since calling `z.object` might do something.
  treeshake: { moduleSideEffects: false, manualPureFunctions: ['z'] },
});
await bundle.write({
  file: new URL('dist/bundle/index.js', import.meta.url).pathname,
  format: 'esm',
  sourcemap: true,
});
await bundle.close();
