/**
 * `npm start`: installs if needed, then runs the flights world with three pods in this terminal.
 * Arguments go to `leasehold run`; a first one that is no flag names another world folder:
 * `npm start -- examples/flocking --seconds 30`.
 */
import { ensureInstalled, node24, run } from './frame.mjs';

const given = process.argv.slice(2);
const named = given[0] !== undefined && !given[0].startsWith('-');
const world = named ? given[0] : 'examples/flights';
const rest = named ? given.slice(1) : given;
const pods = rest.some((word) => word.startsWith('--pods')) ? [] : ['--pods', '3'];

await ensureInstalled();
process.exitCode = await run(node24(), ['apps/cli/src/main.ts', 'run', world, ...pods, ...rest]);
