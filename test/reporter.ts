/**
 * Mocha's own `spec` report, and in the file that `MOCHA_COUNTS` names, as JSON, what became of each test file: how many tests
 * passed, failed and were skipped, and how long all took, in ms.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env.MOCHA_COUNTS;
    if (!file) return;
    const counts: Record<string, { passed: number; failed: number; skipped: number; took: number }> = {};
    const countsOf = ({ file = '' }: Mocha.Runnable) => {
      counts[file] ??= { passed: 0, failed: 0, skipped: 0, took: 0 };
      return counts[file];
    };
    const note = (runnable: Mocha.Runnable) => {
      countsOf(runnable).took += runnable.duration ?? 0;
    };
    runner.on('test end', note);
    runner.on('hook end', note);
    for (const [event, count] of [
      ['pass', 'passed'],
      ['fail', 'failed'],
      ['pending', 'skipped']
    ] as const)
      runner.on(event, (test: Mocha.Runnable) => {
        countsOf(test)[count] += 1;
      });
    runner.once('end', () => writeFileSync(file, JSON.stringify(counts)));
  }
}

export = CountingReporter;
