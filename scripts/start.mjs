/**
 * `npm start`: installs and builds what is missing, then runs the flights world with three pods, an
 * authority that plans which of them holds what, its live map and its HTTP API. Arguments go to
 * `leasehold run`; a first one that is no flag names another world folder: `npm start -- examples/flocking --pods 4`.
 */
import { ensureInstalled, node24, run, say } from './frame.mjs';
import { ensureViewer } from './viewer.mjs';

const given = process.argv.slice(2);
const isNamed = given[0] !== undefined && !given[0].startsWith('-');
const world = isNamed ? given[0] : 'examples/flights';
const rest = isNamed ? given.slice(1) : given;
const has = (name) => rest.some((word) => word === name || word.startsWith(`${name}=`));
// A plan changes nothing of a lockstep run but how long it takes.
const isPlanned = !has('--authorities') && !has('--autoscale') && !has('--lockstep');
const isAsking = has('--help') || has('-h');
const command = [
  ...['run', world],
  ...(has('--pods') ? [] : ['--pods', '3']),
  ...(has('--gateways') ? [] : ['--gateways', '1']),
  ...(isPlanned ? ['--authorities', '1'] : []),
  ...(has('--lifecycle') || has('--lockstep') ? [] : ['--lifecycle', '1']),
  ...rest,
];

const wasMissing = await ensureInstalled();
if (!isAsking) {
  if (!wasMissing) say('· dependencies: installed');
  await ensureViewer();
}
process.exitCode = await run(node24(), ['apps/cli/src/main.ts', ...command]);
