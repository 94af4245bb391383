import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A planted defect is mostly caught by a cheap spec: so the dear ones, which walk at random, come last. */
class CheapestFirst extends BaseSequencer {
  override sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
    const tookMs = ({ project, moduleId }: TestSpecification): number => {
      const key = `${project.name}:${relative(this.ctx.config.root, moduleId)}`;
      return this.ctx.cache.getFileTestResults(key)?.duration ?? 0;
    };
    return Promise.resolve(specs.toSorted((a, b) => tookMs(a) - tookMs(b)));
  }
}

/** What must notice a changed credit domain: its own specs, and a short walk beside the model, the same each time. */
export default defineConfig({
  test: {
    include: ['services/credit/src/{domain,model}/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/planted-bugs.spec.ts'],
    env: { SEED: '4', MODEL_RUNS: '60', PROPERTY_RUNS_MAX: '100' },
    setupFiles: ['./tests/mutation-setup.ts'],
    sequence: { sequencer: CheapestFirst },
    // Nothing here leaves anything behind in a module: loading them once makes a mutant thrice as fast.
    isolate: false,
    testTimeout: 30_000,
  },
});
