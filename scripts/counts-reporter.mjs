/**
 * A vitest reporter that leaves the counts, the reasons of skips and the files that broke in a
 * file.
 */
import { writeFileSync } from 'node:fs';

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0, skips: [], broken: [] };
    for (const module of modules) {
      const file = module.relativeModuleId;
      for (const error of module.errors()) counts.broken.push(`${file}: ${error.message}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) {
          counts.broken.push(`${file}: ${suite.fullName}: ${error.message}`);
        }
      }
      for (const test of module.children.allTests()) this.#count(test, module, counts);
    }
    for (const error of unhandledErrors) counts.broken.push(`unhandled: ${error.message}`);
    counts.failed += counts.broken.length;
    writeFileSync(process.env.LEASEHOLD_COUNTS_FILE, JSON.stringify(counts));
  }

  #count(test, module, counts) {
    const { state, note } = test.result();
    counts[state === 'pending' ? 'skipped' : state] += 1;
    if (state !== 'skipped') return;
    counts.skips.push(`${module.relativeModuleId}: ${test.fullName}${note ? ` [${note}]` : ''}`);
  }
}
