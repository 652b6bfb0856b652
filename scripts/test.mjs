/**
 * `npm test`: installs if needed, runs every test project on Node 24, and ends with one line,
 * `N passed, N failed`. Arguments go to vitest: `npm test -- --project unit packages/kernel`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, node24, root, run, say } from './frame.mjs';

await ensureInstalled();

const scratch = mkdtempSync(join(tmpdir(), 'leasehold-test-'));
const countsFile = join(scratch, 'counts.json');
const code = await run(
  node24(),
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'scripts', 'counts-reporter.mjs')}`,
    ...process.argv.slice(2),
  ],
  // Hundreds of processes are started, and two thirds of what a start costs is compiling.
  {
    env: {
      LEASEHOLD_COUNTS_FILE: countsFile,
      NODE_COMPILE_CACHE: join(tmpdir(), 'leasehold-compile-cache'),
    },
  },
);

const counts = existsSync(countsFile)
  ? JSON.parse(readFileSync(countsFile, 'utf8'))
  : { passed: 0, failed: 1, skipped: 0, skips: [], broken: ['the run ended before its tests'] };
rmSync(scratch, { recursive: true, force: true });

for (const line of counts.broken) say(`broken: ${line}`);
for (const line of counts.skips) say(`skipped: ${line}`);
// A run that failed without a failed test, such as one that found no tests, must not look green.
if (code !== 0 && counts.failed === 0) {
  say(`vitest ended with exit code ${code}`);
  counts.failed = 1;
}
if (counts.skipped > 0) say(`${counts.skipped} skipped`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed > 0 ? code || 1 : code;
