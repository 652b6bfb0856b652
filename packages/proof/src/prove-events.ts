/**
 * `npm run prove:events`: couriers write to each other across a world that is run by real processes,
 * some of which are killed; then every letter is counted, from Redis alone. Exit code 1 when one was
 * lost, doubled or out of order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openLiveStore } from '@leasehold/live-store';
import { compile } from '@leasehold/sdk/engine';
import { openServers } from '@leasehold/servers';
import { loadWorld } from '@leasehold/world';
import { type Mailbag, mailCount } from './events/mailbag.ts';
import { type RunReport, runWorld, writeWorld } from './real-run.ts';

const HELP = `npm run prove:events -- [options]

  --events N       letters, about (100000)
  --couriers N     who write to each other (2000)
  --pods N         simulator processes (3)
  --kill-every S   SIGKILL one that often (5); 0 = never
  --rate N         letters a second (2000)
  --cell N         side of a cell of a world of 800 (50)
  --hz N           ticks a second (20)
  --rest S         how long those under way have when nobody writes any more (15)
  --json           one JSON value on stdout
  --help
`;

const OPTIONS = {
  events: { type: 'string', default: '100000' },
  couriers: { type: 'string', default: '2000' },
  pods: { type: 'string', default: '3' },
  'kill-every': { type: 'string', default: '5' },
  rate: { type: 'string', default: '2000' },
  cell: { type: 'string', default: '50' },
  hz: { type: 'string', default: '20' },
  rest: { type: 'string', default: '15' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Facts = Mailbag & { readonly run: RunReport; readonly p50: number; readonly p99: number };

/** The least number of ticks within which so large a part of the letters arrived. */
function quantile(ways: readonly number[], part: number): number {
  const total = ways.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  for (const [i, count] of ways.entries()) {
    sum += count;
    if (sum >= total * part) return i + 1;
  }
  return ways.length;
}

async function prove(options: Readonly<Record<string, string>>): Promise<Facts> {
  const [events, couriers, rate, tickHz, cell] = ['events', 'couriers', 'rate', 'hz', 'cell'].map(
    (name) => Number(options[name]),
  ) as [number, number, number, number, number];
  const home = mkdtempSync(join(tmpdir(), 'leasehold-events-'));
  const untilTick = Math.ceil((events / rate) * tickHz);
  const params = { couriers, untilTick, letterChance: rate / tickHz / couriers };
  writeWorld('couriers', home, params, { cell, tickHz });
  // Held open, so that the state is still there when the run is over.
  const servers = await openServers({ home });
  try {
    const seconds = String(Math.ceil(untilTick / tickHz) + Number(options['rest']));
    const kills =
      options['kill-every'] === '0' ? [] : ['--kill-every', options['kill-every'] ?? ''];
    const flags = ['--pods', options['pods'] ?? '', '--seconds', seconds, ...kills, '--json'];
    const report = await runWorld(['run', home, '--fresh', '--home', home, ...flags], home);
    const { grid, manifest, simulation } = await loadWorld(home);
    const { world, seed } = manifest;
    const of = { layer: 'main', grid, seed, tickHz, params: manifest.params };
    const engine = compile(simulation, of);
    const { incarnation } = report;
    const url = servers.redisUrl;
    const store = await openLiveStore({ url, world, incarnation, layer: 'main', grid });
    const bag = await mailCount(store, engine);
    await store.close();
    return { ...bag, run: report, p50: quantile(bag.ways, 0.5), p99: quantile(bag.ways, 0.99) };
  } finally {
    await servers.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** What is wrong, if anything. */
function faultsOf({ sent, got, back, dead, faults, run: { reasons = [] } }: Facts): string[] {
  const told = got + dead;
  return [
    ...(told < sent ? [`${sent - told} letters are lost`] : []),
    ...(told > sent ? [`${told - sent} letters too many`] : []),
    ...(faults > 0 ? [`${faults} letters came in another order, or not once`] : []),
    ...(back > dead ? [`${back} negative answers for ${dead} dead letters`] : []),
    ...reasons,
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const { 'kill-every': kills, json: isJson, help: _, ...rest } = values;
  const numbers = Object.values(rest).map(Number);
  const isBad = numbers.some((value) => !(value > 0)) || !(Number(kills) >= 0);
  if (values.help || isBad) {
    (values.help ? process.stdout : process.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const facts = await prove({ ...rest, 'kill-every': kills });
  const faults = faultsOf(facts);
  if (isJson) process.stdout.write(`${JSON.stringify({ ...facts, faults })}\n`);
  else {
    const { sent, got, dead, reasons, p50, p99, ways, run: report } = facts;
    process.stdout.write(
      `${sent} letters between ${rest.couriers} couriers on ${rest.pods} pods, ${report.kills} of ` +
        `them killed: ${got} arrived once and in order, ` +
        `${dead} refused aloud ${JSON.stringify(reasons)}\n` +
        `ticks under way: p50 ${p50}, p99 ${p99}; 1 to 8 and more: ${ways.join(' ')}\n` +
        `${faults.length === 0 ? 'M1 and M2 held' : `BROKEN: ${faults.join('; ')}`}\n`,
    );
  }
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = await main();
