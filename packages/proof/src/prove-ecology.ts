/**
 * `npm run prove:ecology`: wolves, sheep and grass in three layers, each with pods of its own, some of
 * which are killed; then births, deaths and meals are counted, from Redis alone. Exit code 1 when one
 * took effect twice or not at all, or when the layers disagree.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openLiveStore } from '@leasehold/live-store';
import type { Table } from '@leasehold/protocol';
import { compile } from '@leasehold/sdk/engine';
import { openServers } from '@leasehold/servers';
import { loadWorld } from '@leasehold/world';
import { type Ledgers, ledgerFaults, ledgersOf } from './ecology/ledgers.ts';
import { type RunReport, runWorld, writeWorld } from './real-run.ts';
import { tablesOf } from './stored-tables.ts';

const HELP = `npm run prove:ecology -- [options]

  --seconds S      how long they live, and are killed (60)
  --rest S         how long what is under way has after that, in a run without kills (20)
  --pods N         simulator processes of each layer (2)
  --kill-every S   SIGKILL one that often (5); 0 = never
  --tufts N        tufts of grass along a side (120)
  --sheep N        sheep at the start (5200)
  --wolves N       wolves at the start (400)
  --json           one JSON value on stdout
  --help
`;

const OPTIONS = {
  seconds: { type: 'string', default: '60' },
  rest: { type: 'string', default: '20' },
  pods: { type: 'string', default: '2' },
  'kill-every': { type: 'string', default: '5' },
  tufts: { type: 'string', default: '120' },
  sheep: { type: 'string', default: '5200' },
  wolves: { type: 'string', default: '400' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** The part of the time in which they eat, starve and multiply. */
const ACTIVE_PART = 0.9;

type Flags = Readonly<Record<Exclude<keyof typeof OPTIONS, 'json' | 'help'>, string>>;

type Facts = Ledgers & {
  readonly run: RunReport;
  readonly seeded: number;
  /** By layer, in the order of the manifest. */
  readonly alive: Readonly<Record<string, number>>;
  readonly areSame: boolean;
  /** Events that were refused aloud, by why and what. */
  readonly refused: Readonly<Record<string, number>>;
};

const idsOf = (tables: readonly Table[]): number[] =>
  tables.flatMap(({ ids, count }) => [...ids.subarray(0, count)]).sort((a, b) => a - b);

/** Reads what there is when all pods have gone. */
async function count(home: string, url: string, run: RunReport): Promise<Facts> {
  const { grid, manifest, simulation } = await loadWorld(home);
  const { world, seed, tickHz, params, layers } = manifest;
  const { incarnation } = run;
  const ids = new Map<string, number[]>();
  let metabolism: readonly Table[] = [];
  const refused: Record<string, number> = {};
  for (const layer of Object.keys(layers)) {
    const engine = compile(simulation, { layer, grid, seed, tickHz, params, layers });
    const at = { url, world, incarnation, layer, layers: engine.layers, grid };
    const store = await openLiveStore(at);
    const tables = await tablesOf(store, engine);
    ids.set(layer, idsOf(tables));
    if (layer === 'metabolism') metabolism = tables;
    for (const { reason, event } of await store.deadLetters(10_000)) {
      const key = `${reason} ${event}`;
      refused[key] = (refused[key] ?? 0) + 1;
    }
    await store.close();
  }
  const [first, ...others] = [...ids.values()].map((each) => each.join());
  return {
    run,
    seeded: run.entitiesStart,
    alive: Object.fromEntries([...ids].map(([layer, { length }]) => [layer, length])),
    areSame: others.every((other) => other === first),
    ...ledgersOf(metabolism),
    refused,
  };
}

async function prove(flags: Flags): Promise<Facts> {
  const home = mkdtempSync(join(tmpdir(), 'leasehold-ecology-'));
  writeWorld('ecology', home, { untilTick: 0 });
  const { tickHz } = (await loadWorld(home)).manifest;
  writeWorld('ecology', home, {
    // Of that, so that nobody is born in the last moment.
    untilTick: Math.ceil(Number(flags.seconds) * tickHz * ACTIVE_PART),
    ...{ tufts: Number(flags.tufts), sheep: Number(flags.sheep), wolves: Number(flags.wolves) },
  });
  // Held open, so that the state is still there when the run is over.
  const servers = await openServers({ home });
  try {
    const kills = flags['kill-every'] === '0' ? [] : ['--kill-every', flags['kill-every']];
    const args = ['run', home, '--home', home, '--pods', flags.pods, '--json', '--seconds'];
    const report = await runWorld([...args, flags.seconds, '--fresh', ...kills], home);
    // What was under way takes effect: nobody is killed any more.
    const rest = await runWorld([...args, flags.rest], home);
    const reasons = [...(report.reasons ?? []), ...(rest.reasons ?? [])];
    return await count(home, servers.redisUrl, { ...report, reasons });
  } finally {
    await servers.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** What is wrong, if anything. */
function faultsOf(facts: Facts): string[] {
  const { seeded, alive, areSame, run, refused } = facts;
  const unpaid = Object.entries(refused)
    .filter(([what]) => what.endsWith(' spent'))
    .reduce((sum, [, count]) => sum + count, 0);
  const first = Object.values(alive)[0] ?? 0;
  return [
    ...(areSame ? [] : [`E1: the layers disagree: ${JSON.stringify(alive)}`]),
    ...ledgerFaults(facts, { seeded, alive: first, unpaid }),
    ...(run.reasons ?? []),
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const { json, help, ...flags } = values;
  const isBad = Object.entries(flags).some(
    ([name, value]) => !(name === 'kill-every' ? Number(value) >= 0 : Number(value) > 0),
  );
  if (help || isBad) {
    (help ? process.stdout : process.stderr).write(HELP);
    return help ? 0 : 2;
  }
  const facts = await prove(flags);
  const faults = faultsOf(facts);
  if (json) process.stdout.write(`${JSON.stringify({ ...facts, faults })}\n`);
  else {
    const { seeded, births, deaths, alive, fed, asked, missed, back, refused, run } = facts;
    process.stdout.write(
      `${seeded} seeded, ${births} born, ${deaths} dead: ${JSON.stringify(alive)} alive; ` +
        `${run.kills} pods killed\n` +
        `${asked} bites: ${fed} fed once, ${missed} missed, ${back} came back; ` +
        `refused aloud: ${JSON.stringify(refused)}\n` +
        `${faults.length === 0 ? 'E1, E2 and M1 held in all layers' : `BROKEN: ${faults.join('; ')}`}\n`,
    );
  }
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = await main();
