/**
 * `npm run prove:lockstep`: T1 as a table. Three worlds in lockstep, each on 1, 2, 4 and 8 pods, and
 * on four by a plan, and on three under every kind of fault, those of who plans included: one state
 * hash for all of it. Takes ten minutes on two cores.
 * `-- --ticks 100 --seed 7 --worlds flocking` says how long, which faults when, and which worlds.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, node24, root } from './frame.mjs';

const PODS = ['1', '2', '4', '8'];
const FAULTS = [
  'kill',
  'stop',
  'partition',
  'rolling',
  'redis-restart',
  'failover',
  'slow',
  'authority',
];
const ALL = FAULTS.join(',');

const { values } = parseArgs({
  options: {
    ticks: { type: 'string', default: '80' },
    seed: { type: 'string', default: '1' },
    worlds: { type: 'string', default: 'flocking,flights,wolf-sheep' },
  },
});

await ensureInstalled();
const home = mkdtempSync(join(tmpdir(), 'leasehold-prove-'));
let failures = 0;

/** The report of one run; a fault of the command itself is one without a hash. */
function leasehold(args) {
  const command = [join(root, 'apps/cli/bin/leasehold.js'), ...args, '--json'];
  const options = { env: { ...process.env, LEASEHOLD_HOME: home }, maxBuffer: 1 << 28 };
  return new Promise((resolve) => {
    execFile(node24(), command, options, (_error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        resolve({ reasons: [stderr.trim().split('\n').at(-1) ?? 'it said nothing'] });
      }
    });
  });
}

function row(world, what, { stateHash, seconds, reasons = [], error }, expected) {
  const isSame = stateHash != null && (expected === '' || stateHash === expected);
  const why = error?.message ?? reasons.join('; ');
  const isHeld = isSame && why === '';
  if (!isHeld) failures++;
  const cells = [
    world,
    what,
    stateHash ?? 'none',
    seconds ?? '',
    isHeld ? 'held' : `BROKEN ${why}`,
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

process.stdout.write('| world | run | state hash | s | T1 |\n| --- | --- | --- | --- | --- |\n');
try {
  for (const world of values.worlds.split(',')) {
    const folder = join(root, 'examples', world);
    const lockstep = [folder, '--lockstep', '--ticks', values.ticks, '--gateways', '0'];
    let hash = '';
    for (const pods of PODS) {
      const report = await leasehold(['run', ...lockstep, '--pods', pods]);
      row(world, `${pods} pods`, report, hash);
      hash ||= report.stateHash ?? '';
    }
    const planned = ['--pods', '4', '--authorities', '1'];
    row(world, '4 pods, by a plan', await leasehold(['run', ...lockstep, ...planned]), hash);
    for (const faults of [...FAULTS, ALL]) {
      const planned = faults.includes('authority') ? ['--authorities', '2'] : [];
      const flags = ['--pods', '3', ...planned, '--faults', faults, '--seed', values.seed];
      const report = await leasehold(['chaos', ...lockstep, ...flags, '--expect', hash]);
      const done = (report.faults ?? []).map(({ kind }) => kind);
      const name =
        faults === ALL ? `all faults, ${done.length} of them` : `${done.length} × ${faults}`;
      row(world, name, report, hash);
    }
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.stdout.write(
  `${failures === 0 ? 'T1 held in every run' : `T1 BROKEN in ${failures} runs`}\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
