import { defineConfig } from 'vitest/config';

/** What must notice a changed credit domain: its own specs, and a short walk beside the model, the same each time. */
export default defineConfig({
  test: {
    include: ['services/credit/src/{domain,model}/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/planted-bugs.spec.ts', '**/*.int.spec.ts'],
    env: { SEED: '4', MODEL_RUNS: '60' },
    testTimeout: 30_000,
  },
});
