/**
 * `npm run verify`: everything that needs no server, in one command. Turbo runs the parts side by
 * side and skips those whose inputs did not change; `npm run verify -- --force` runs them all.
 */
import { join } from 'node:path';
import { ensureInstalled, node24, root, run } from './frame.mjs';

const PARTS = ['lint', 'types', 'generated', 'dead', 'unit'];

await ensureInstalled();
const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo');
const args = ['run', ...PARTS, '--output-logs=errors-only', '--ui=stream', '--continue=always'];
process.exitCode = await run(node24(), [turbo, ...args, ...process.argv.slice(2)]);
