/** For tests: a stored world on a real server, pods that only say what they carry, and an authority. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '@leasehold/authority';
import {
  fileRegistry,
  type LivePlanStore,
  type LiveStore,
  openLivePlanStore,
  openLiveStore,
  openWorldAdmin,
} from '@leasehold/live-store';
import { type Policy, regionsByLoad } from '@leasehold/plan';
import { systemClock } from '@leasehold/service';
import { Grid } from '@leasehold/spatial';
import { Output } from './output.ts';

const SPACE = { kind: 'torus', width: 120, height: 60, cell: 10 } as const;
export const GRID = new Grid(SPACE, { blockCells: 2 });
const RATE_HZ = 20;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

type Place = {
  readonly url: string;
  readonly world: string;
  /** Of another one, to be in its registry; undefined = a new one. */
  readonly home?: string;
};

/** A world that a registry knows, and whose time runs once it has a pod. */
export async function openPlannedWorld({ url, world, home: shared }: Place) {
  const home = shared ?? (await mkdtemp(join(tmpdir(), 'leasehold-planned-')));
  const facts = { url, world, incarnation: 1, layer: 'main', grid: GRID };
  const admin = await openWorldAdmin(facts);
  await admin.createBlocks();
  await admin.close();
  const fixed = Object.entries(SPACE).map(([key, value]) => [`space.${key}`, value]);
  const registry = fileRegistry(home);
  const known = { ...Object.fromEntries(fixed), blockCells: 2 };
  const seeded = { schemaHash: 's', manifestHash: 'm', fixed: known, layer: 'main' };
  await registry.seed(world, seeded, async () => ({}));
  const plans: LivePlanStore = await openLivePlanStore(facts);
  const pods = new Map<string, LiveStore>();
  const heard: { readonly pod: string; readonly message: string }[] = [];
  let authority: Authority | undefined;
  return {
    ...{ home, plans, heard, flags: { world: undefined, home } },
    /** A pod that carries `tickMs` in each of the cells, and holds none; `over` is its way to Redis. */
    async pod(
      name: string,
      tickMs: number,
      cells: readonly number[],
      over: string = url,
    ): Promise<LiveStore> {
      const store = await openLiveStore({ ...facts, url: over });
      pods.set(name, store);
      const clock = { mode: 'realtime', rateHz: RATE_HZ, baseTick: 0, isPaused: false } as const;
      if (pods.size === 1) await store.setClock({ ...clock, endTick: 0 });
      await store.announce(name, 100 + pods.size, (message) => heard.push({ pod: name, message }));
      await store.report('ready', { cells: cells.length, entities: cells.length * 3 });
      await store.reportLoad(cells.map((cell) => ({ cell, tickMs, entities: 3 })));
      return store;
    },
    startAuthority(policy: Policy = regionsByLoad): void {
      const settings = { lookMs: 20, planMs: 100, recordMs: 100, idleMs: 0 };
      const parts = { name: 'one', store: plans, grid: GRID, tickHz: RATE_HZ, policy };
      authority = new Authority({ ...parts, clock: systemClock, log: silent, settings });
      authority.start();
    },
    async stopAuthority(): Promise<void> {
      await authority?.stop();
      authority = undefined;
    },
    async close(): Promise<void> {
      await authority?.stop();
      for (const store of pods.values()) await store.close();
      await plans.close();
      if (shared === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

/** What a command printed, and what it said with `--json`. */
export function openOutput(json: boolean) {
  const text = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    columns: 100,
    write: (part: string) => {
      text[name] += part;
    },
  });
  const output = new Output({ json, stdout: sink('out'), stderr: sink('err'), env: {} });
  return { output, text };
}
