/** Mocha's own `spec` report, and as JSON in the file that `MOCHA_COUNTS` names the counts, and how long each file took, in ms. */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env.MOCHA_COUNTS;
    if (!file) return;
    const durations: Record<string, number> = {};
    const note = ({ file = '', duration = 0 }: Mocha.Runnable) => {
      durations[file] = (durations[file] ?? 0) + duration;
    };
    runner.on('test end', note);
    runner.on('hook end', note);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending, durations }));
    });
  }
}

export = CountingReporter;
