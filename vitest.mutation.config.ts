import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A planted defect is mostly caught by a plain case: so the random walks come last, the one beside the model last of all. */
class CheapestFirst extends BaseSequencer {
  private readonly ranks = new Map<string, number>();

  override sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(
      specs.toSorted((a, b) => this.rankOf(a.moduleId) - this.rankOf(b.moduleId)),
    );
  }

  private rankOf(file: string): number {
    let rank = this.ranks.get(file);
    if (rank === undefined) {
      const walks = readFileSync(file, 'utf8').includes(`from 'fast-check'`);
      rank = file.includes('/model/') ? 2 : walks ? 1 : 0;
      this.ranks.set(file, rank);
    }
    return rank;
  }
}

/** What must notice a changed credit domain: its own specs, and a short walk beside the model, the same each time. */
export default defineConfig({
  test: {
    include: ['services/credit/src/{domain,model}/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/planted-bugs.spec.ts', '**/*.int.spec.ts'],
    env: { SEED: '4', MODEL_RUNS: '60', PROPERTY_RUNS_MAX: '100' },
    setupFiles: ['./tests/mutation-setup.ts'],
    sequence: { sequencer: CheapestFirst },
    // Nothing here leaves anything behind in a module, and loading them anew would take most of the time.
    isolate: false,
    testTimeout: 120_000,
  },
});
