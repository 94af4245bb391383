import type { Reporter, TestModule } from 'vitest/node';

/** Prints the counts on one plain line, last, for tools that read a runner's closing line. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      const failedBefore = counts.failed;
      for (const test of module.children.allTests()) {
        const result = test.result().state;
        if (result === 'passed') counts.passed++;
        else if (result === 'failed') counts.failed++;
        else counts.skipped++;
      }
      // A file that could not be set up failed, though none of its tests did.
      if (module.state() === 'failed' && counts.failed === failedBefore) counts.failed++;
    }
    setImmediate(() => {
      console.log(
        `${String(counts.passed)} passed, ${String(counts.failed)} failed, ${String(counts.skipped)} skipped`,
      );
    });
  }
}
