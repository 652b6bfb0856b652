/** Takes snapshots of a world on real processes that are killed, puts each back, and counts it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, LeaseholdError } from '@leasehold/kernel';
import { fileRegistry } from '@leasehold/live-store';
import type { Registry } from '@leasehold/protocol';
import { openDatabase, openServers } from '@leasehold/servers';
import { systemClock } from '@leasehold/service';
import { openSnapshotStore, type SnapshotStore } from '@leasehold/snapshot-store';
import { restoreSnapshot, takeSnapshot } from '@leasehold/snapshots';
import { type LoadedWorld, loadWorld } from '@leasehold/world';
import { ledgerFaults, ledgersOf } from '../ecology/ledgers.ts';
import { type RunReport, runWorld, writeWorld } from '../real-run.ts';
import { type BranchCensus, censusOf, type StoredWorld } from './branch-census.ts';
import { type FlightCensus, flightFaults, flightsOf } from './flight-census.ts';

export type WorldName = 'flights' | 'ecology' | 'couriers';

export type SnapshotProof = {
  readonly world: WorldName;
  readonly seconds: number;
  readonly every: number;
  readonly pods: number;
  /** 0 = never. */
  readonly killEvery: number;
  readonly rest: number;
};

type ProvenSnapshot = {
  readonly tick: number;
  readonly entities: number;
  readonly inFlight: number;
  /** What it took to take it. */
  readonly seconds: number;
  readonly faults: readonly string[];
};

export type SnapshotFacts = {
  readonly world: WorldName;
  readonly run: RunReport;
  readonly snapshots: readonly ProvenSnapshot[];
  /** Those without a fault. */
  readonly cuts: number;
  /** What could not be taken, and said so. */
  readonly refused: readonly string[];
  /** Of the run itself. */
  readonly faults: readonly string[];
};

type World = {
  readonly params: Readonly<Record<string, number>>;
  readonly settings?: { readonly cell?: number; readonly tickHz?: number };
  /** With these a branch comes to rest, by pods of its own. Absent: it is counted as it stands. */
  readonly resting?: Readonly<Record<string, number>>;
};

/** Small enough for a few processes, and crowded enough that somebody crosses a border in each tick. */
export const WORLDS: Readonly<Record<WorldName, World>> = {
  flights: { params: { aircraft: 4_000, timeScale: 600 } },
  ecology: {
    params: { tufts: 40, sheep: 600, wolves: 50 },
    settings: { tickHz: 10 },
    resting: { untilTick: 0 },
  },
  couriers: { params: { couriers: 500, letterChance: 0.1 }, settings: { cell: 100 } },
};

/** Who dies has its last words for seconds; what is lost or doubled stays so for ever. */
const RESTS_MAX = 8;
/** A world that has not begun, or a snapshot that was refused, is looked at again so soon. */
const LOOK_MS = 100;

type Parts = {
  readonly proof: SnapshotProof;
  readonly home: string;
  readonly redisUrl: string;
  readonly registry: Registry;
  readonly snapshots: SnapshotStore;
  /** Flights of the snapshot that was counted last. */
  before?: FlightCensus;
};

export async function proveSnapshots(proof: SnapshotProof): Promise<SnapshotFacts> {
  const home = mkdtempSync(join(tmpdir(), 'leasehold-snapshots-'));
  // The database runs as somebody else where this runs as root.
  chmodSync(home, 0o711);
  const closing: (() => Promise<unknown>)[] = [];
  try {
    // Held open, so that the state is still there when the run is over.
    const servers = await openServers({ home });
    closing.unshift(() => servers.close());
    const database = await openDatabase({ home, purpose: 'test' });
    closing.unshift(() => database.close());
    const snapshots = await openSnapshotStore({ url: database.databaseUrl });
    closing.unshift(() => snapshots.close());
    const { redisUrl } = servers;
    return await prove({ proof, home, redisUrl, registry: fileRegistry(home), snapshots });
  } finally {
    for (const close of closing) await close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function prove(parts: Parts): Promise<SnapshotFacts> {
  const { proof, home, snapshots } = parts;
  const { world, seconds, killEvery, pods } = proof;
  const { params, settings } = WORLDS[world];
  writeWorld(world, home, params, settings);
  const kills = killEvery === 0 ? [] : ['--kill-every', String(killEvery)];
  const args = ['run', home, '--home', home, '--fresh', '--json', '--pods', String(pods)];
  const ending = new AbortController();
  const running = runWorld([...args, '--seconds', String(seconds), ...kills], home).finally(() =>
    ending.abort(),
  );
  const taking = takeAll(parts, ending.signal);
  const [run, { taken, refused }] = await Promise.all([running, taking]);
  const proven: ProvenSnapshot[] = [];
  for (const { id, ...figures } of taken) {
    const faults = await faultsOf(parts, { id, run, tick: figures.tick });
    for (const fault of faults) process.stderr.write(`${id}: ${fault}\n`);
    proven.push({ ...figures, faults });
    await snapshots.remove(id);
  }
  return {
    ...{ world, run, refused, snapshots: proven, faults: run.reasons ?? [] },
    cuts: proven.filter(({ faults }) => faults.length === 0).length,
  };
}

type Figures = Omit<ProvenSnapshot, 'faults'> & { readonly id: string };

/** One after the other until the run is over. */
async function takeAll(parts: Parts, over: AbortSignal) {
  const { proof, redisUrl, registry, snapshots } = parts;
  const taken: Figures[] = [];
  const refused: string[] = [];
  const pause = (ms: number) => sleep(ms, undefined, { signal: over }).catch(() => undefined);
  while (!over.aborted) {
    const record = await registry.read(proof.world);
    if (record?.state !== 'ready') {
      await pause(LOOK_MS);
      continue;
    }
    const startedMs = performance.now();
    const id = `${proof.world}-${process.pid}-${taken.length}`;
    try {
      const place = { redisUrl, record, snapshots, clock: systemClock, id };
      const { tick, entities, inFlight } = await takeSnapshot(place);
      const seconds = Math.round(performance.now() - startedMs) / 1_000;
      // Its time has not begun to run.
      if (tick === 0) {
        await snapshots.remove(id);
        await pause(LOOK_MS);
        continue;
      }
      process.stderr.write(`${id}: tick ${tick}, ${entities} entities, in ${seconds} s\n`);
      taken.push({ id, tick, entities, inFlight, seconds });
    } catch (error) {
      if (!(error instanceof LeaseholdError)) throw error;
      const hasBegun = taken.length > 0 || !hasCode(error, 'WORLD_NOT_READY');
      if (hasBegun) refused.push(error.message);
      await pause(LOOK_MS);
      if (!hasBegun) continue;
    }
    await pause(Math.max(0, proof.every * 1_000 - (performance.now() - startedMs)));
  }
  return { taken, refused };
}

type Branch = { readonly id: string; readonly run: RunReport; readonly tick: number };

/** Puts it back beside the world under a name of its own, and counts. */
async function faultsOf(parts: Parts, { id, run, tick }: Branch): Promise<string[]> {
  const { proof, home, redisUrl: url, registry, snapshots } = parts;
  const { settings, params, resting } = WORLDS[proof.world];
  const branch = `b-${id}`;
  const restored = await restoreSnapshot({ redisUrl: url, registry, snapshots, id, world: branch });
  const folder = join(home, branch);
  mkdirSync(folder);
  writeWorld(proof.world, folder, { ...params, ...resting }, { ...settings, world: branch });
  const loaded = await loadWorld(folder);
  const at = { url, world: branch, incarnation: restored.incarnation, loaded };
  const census = await censusOf(at, false);
  const told = restored.entities;
  const faults = [
    ...census.faults,
    ...(census.ids.length === told ? [] : [`S1: ${told} told, ${census.ids.length} there`]),
  ];
  if (proof.world === 'flights') faults.push(...flightHistory(parts, census, { tick, loaded }));
  if (proof.world === 'couriers') faults.push(...populationFaults(census, run));
  if (resting === undefined) return faults;
  return [...faults, ...(await restFaults(parts, { at, folder, run }))];
}

type Resting = { readonly at: StoredWorld; readonly folder: string; readonly run: RunReport };

/** Pods of its own bring a branch to rest. What is still on its way then is no fault: they go on. */
async function restFaults(
  { proof: { rest }, home }: Parts,
  { at, folder, run }: Resting,
): Promise<string[]> {
  const args = ['run', folder, '--home', home, '--json', '--pods', '1', '--seconds', String(rest)];
  for (let attempt = 1; ; attempt++) {
    const end = await runWorld(args, home);
    const census = await censusOf(at, true);
    const ledgers = ledgersOf(census.tables.get('metabolism') ?? []);
    const faults = [
      ...census.faults,
      ...ledgerFaults(ledgers, { seeded: run.entitiesStart, alive: census.ids.length }),
    ];
    const reasons = end.reasons ?? [];
    if (faults.length === 0 || reasons.length > 0 || attempt === RESTS_MAX) {
      return [...faults, ...reasons];
    }
    process.stderr.write(`${at.world} is not at rest yet: ${faults.join('; ')}\n`);
  }
}

/** Against the snapshot before. */
function flightHistory(
  parts: Parts,
  { tables, counters }: BranchCensus,
  { tick, loaded }: { readonly tick: number; readonly loaded: LoadedWorld },
): string[] {
  const { tickHz, params } = loaded.manifest;
  const all = [...tables.values()].flat();
  const lands = flightsOf(all, Number(params['timeScale']) / tickHz);
  const census = { tick, counters, lands };
  const { before } = parts;
  parts.before = census;
  return before === undefined ? [] : flightFaults(before, census);
}

/** E2: where nobody is born and nobody dies. */
function populationFaults({ ids }: BranchCensus, { entitiesStart }: RunReport): string[] {
  if (ids.length === entitiesStart) return [];
  return [`E2: ${entitiesStart} were seeded, ${ids.length} are there`];
}
