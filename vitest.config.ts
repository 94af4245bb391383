import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{services,shared}/*/src/**/*.spec.ts', 'tests/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    setupFiles: ['./tests/own-streams.ts'],
    reporters: ['default', './tests/summary-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Servers and services share the machine with the tests: more workers than cores only add noise.
    maxWorkers: 2,
  },
});
