/**
 * `npm run prove:snapshots`: a world on real processes, some of which are killed, and snapshots of it
 * meanwhile. Each is put back beside it as a branch and counted, from Redis alone. Exit code 1 when one
 * of them is not the world at one tick.
 */
import { parseArgs } from 'node:util';
import { proveSnapshots, type SnapshotFacts, WORLDS, type WorldName } from './snapshots/prove.ts';

const HELP = `npm run prove:snapshots -- [options]

  --world NAME     flights, ecology or couriers (flights)
  --seconds S      how long the world runs (60)
  --every S        a snapshot that often (10)
  --pods N         simulator processes of each layer (2)
  --kill-every S   SIGKILL one that often (5); 0 = never
  --rest S         how long a branch of several layers runs until it is counted (6)
  --json           one JSON value on stdout
  --help
`;

const OPTIONS = {
  world: { type: 'string', default: 'flights' },
  seconds: { type: 'string', default: '60' },
  every: { type: 'string', default: '10' },
  pods: { type: 'string', default: '2' },
  'kill-every': { type: 'string', default: '5' },
  rest: { type: 'string', default: '6' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const isWorld = (name: string): name is WorldName => Object.hasOwn(WORLDS, name);

function words({ world, run, snapshots, refused, cuts }: SnapshotFacts): string {
  const entities = snapshots.reduce((sum, each) => sum + each.entities, 0);
  const inFlight = snapshots.reduce((sum, each) => sum + each.inFlight, 0);
  const broken = snapshots.flatMap(({ tick, faults }) =>
    faults.map((fault) => `  tick ${tick}: ${fault}\n`),
  );
  return (
    `${world}: ${run.ticks} ticks, ${run.kills} pods killed; ${entities} entities in all snapshots, ` +
    `${inFlight} of them on their way\n` +
    `${refused.map((why) => `  refused aloud: ${why}\n`).join('')}${broken.join('')}` +
    `${cuts} of ${snapshots.length} snapshots are cuts\n`
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const { json, help, world, 'kill-every': kills, ...rest } = values;
  const isBad = !Object.values(rest).every((value) => Number(value) > 0) || !(Number(kills) >= 0);
  if (help || isBad || !isWorld(world)) {
    (help ? process.stdout : process.stderr).write(HELP);
    return help ? 0 : 2;
  }
  const numbers = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, Number(value)]),
  ) as Record<keyof typeof rest, number>;
  const facts = await proveSnapshots({ world, killEvery: Number(kills), ...numbers });
  process.stdout.write(json ? `${JSON.stringify(facts)}\n` : words(facts));
  return facts.cuts === facts.snapshots.length && facts.cuts > 0 && facts.faults.length === 0
    ? 0
    : 1;
}

process.exitCode = await main();
