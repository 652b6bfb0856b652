/**
 * The live map: what views cost on the wire, in the gateway and in a client, and how late they are.
 * A pod moves 10,000 gliders at 20 Hz; pod, Redis, gateway and clients are processes of one
 * machine, so lags are by one wall clock.
 */
import type { Area } from '@leasehold/protocol/view';
import type { Child } from './child.ts';
import type { Benchmark, Figure } from './figure.ts';
import { CELL, type LiveMap, type MapSize, openLiveMap, type Used } from './live-map.ts';
import type { Drawn, Task, Watched } from './view-clients.ts';
import { compareViews } from './view-compare.ts';
import type { Box } from './view-hub.ts';

const CLIENTS = new URL('./view-clients.ts', import.meta.url).pathname;
/** As many cells for as many aircraft as examples/flights has. */
const FULL: Extent = {
  columns: 25,
  rows: 20,
  gliders: 10_000,
  clients: 100,
  seconds: 12,
  race: { rounds: 7, ticks: 10 },
};
/** To see that it runs; its figures say nothing. */
const QUICK: Extent = {
  columns: 5,
  rows: 5,
  gliders: 250,
  clients: 5,
  seconds: 1,
  race: { rounds: 1, ticks: 2 },
};
/** Of 5 by 5 cells, with edges that cut cells: about 500 gliders. */
const SIDE = 5 * CELL;
const TICK_HZ = 20;

type Extent = MapSize & {
  readonly clients: number;
  readonly seconds: number;
  readonly race: { readonly rounds: number; readonly ticks: number };
};

export const views: Benchmark = {
  tag: 'view',
  what: '10,000 entities at 20 Hz to a hundred clients; the same encoding by @colyseus/schema',
  async run(say, { isQuick }) {
    const extent = isQuick ? QUICK : FULL;
    const part = (i: number): Box => partOf(extent, i);
    const compared = await compareViews({ ...extent, ...extent.race }, part, say);
    const map = await openLiveMap(extent);
    try {
      const figures = [...compared, ...(await measure(map, extent, say))];
      return isQuick ? figures.map(({ name, value, unit }) => ({ name, value, unit })) : figures;
    } finally {
      await map.close();
    }
  },
};

async function measure(map: LiveMap, extent: Extent, say: (line: string) => void) {
  const { seconds, clients: count } = extent;
  const clients = map.start([CLIENTS], {});
  const bench = new Phases(map, clients, seconds);
  const whole: Area = { kind: 'world' };
  // Whatever is compiled at first use, and followed once, is not what a client costs.
  await bench.watch([whole]);
  const idle = await map.used();
  say('one client, a part of the world');
  const alone = await bench.watch([partOf(extent, 0)], { isTimed: true });
  say('one client, the whole world');
  const all = await bench.watch([whole]);
  say('one client as a page has it, the whole world');
  const drawn = await bench.draw(whole);
  say(`${count} clients, each a part of its own`);
  const parts = Array.from({ length: count }, (_, i) => partOf(extent, i));
  const crowd = await bench.watch(parts);
  say(`${count} clients, all the same part`);
  const same = await bench.watch(parts.map(() => partOf(extent, 0)));
  return [
    ...wire(all, drawn),
    ...latency(alone),
    ...crowded(crowd, idle, count),
    ...shared(alone, same, count),
    ...client(drawn),
  ];
}

/** A box that no border of a cell fits. */
function partOf({ columns, rows }: Extent, i: number): Box {
  const width = columns * CELL;
  const height = rows * CELL;
  const minX = (i * 613.7 + 37.3) % width;
  const minY = (i * 391.1 + 58.9) % height;
  const side = Math.min(SIDE, width / 2, height / 2);
  return { kind: 'box', minX, minY, maxX: (minX + side) % width, maxY: (minY + side) % height };
}

type Phase = {
  readonly watched: Watched;
  /** While it was measured. */
  readonly seconds: number;
  readonly cpuS: number;
  readonly updates: number;
  readonly coalesced: number;
  /** With all clients connected. */
  readonly used: Used;
};

/** Runs one set of clients after the other, and reads the gateway before and after. */
class Phases {
  readonly #map: LiveMap;
  readonly #clients: Child;
  readonly #seconds: number;

  constructor(map: LiveMap, clients: Child, seconds: number) {
    this.#map = map;
    this.#clients = clients;
    this.#seconds = seconds;
  }

  async watch(areas: readonly Area[], { isTimed = false } = {}): Promise<Phase> {
    const { gateway } = this.#map;
    this.#say('watch', areas, isTimed);
    await this.#clients.take(({ type }) => type === 'begun');
    const before = await this.#map.counters();
    const startMs = performance.now();
    const cpuS = gateway.cpuSeconds();
    const watched = await this.#clients.take(({ type }) => type === 'watched');
    const used = { cpuS: gateway.cpuSeconds() - cpuS, seconds: performance.now() - startMs };
    const after = await this.#map.counters();
    const phase: Phase = {
      watched: watched as unknown as Watched,
      cpuS: used.cpuS,
      seconds: used.seconds / 1_000,
      updates: after('updates') - before('updates'),
      coalesced: after('coalesced') - before('coalesced'),
      used: await this.#map.used(),
    };
    this.#clients.say({ type: 'leave' });
    await this.#clients.take(({ type }) => type === 'left');
    return phase;
  }

  async draw(area: Area): Promise<Drawn> {
    this.#say('draw', [area]);
    const drawn = await this.#clients.take(({ type }) => type === 'drawn');
    return drawn as unknown as Drawn;
  }

  #say(type: Task['type'], areas: readonly Area[], isTimed = false): void {
    const { url, stored } = this.#map;
    const task: Task = { type, url, areas, seconds: this.#seconds };
    this.#clients.say(isTimed ? { ...task, stored } : task);
  }
}

function wire({ watched, updates }: Phase, drawn: Drawn): Figure[] {
  const bytes = watched.bytes / updates;
  return [
    {
      ...{ name: 'bytes of an entity update on the wire', value: bytes, unit: 'bytes' },
      ...{ target: '≤ 6', isMet: bytes <= 6 },
    },
    { name: 'frames a tick, 10,000 entities', value: watched.frames / watched.ticks, unit: '' },
    { name: 'the same as JSON', value: drawn.jsonBytes / drawn.bytes, unit: '× the bytes' },
    {
      ...{ name: 'lag with 10,000 entities, p99', value: watched.lag.p99, unit: 'ms' },
    },
  ];
}

function latency({ watched }: Phase): Figure[] {
  const { lag, carried, behind, committed } = watched;
  return [
    { name: 'commit to frame received, one client, p50', value: behind.p50, unit: 'ms' },
    {
      ...{ name: 'commit to frame received, one client, p99', value: behind.p99, unit: 'ms' },
      ...{ target: '≤ 50', isMet: behind.p99 <= 50 },
    },
    { name: 'commit to frame received, one client, max', value: behind.max, unit: 'ms' },
    { name: 'tick due to commit, p99', value: committed.p99, unit: 'ms' },
    { name: 'tick due to frame received, one client, p99', value: lag.p99, unit: 'ms' },
    { name: 'from sending to receiving, p99', value: carried.p99, unit: 'ms' },
  ];
}

function crowded(phase: Phase, idle: Used, count: number): Figure[] {
  const { watched, updates, coalesced, cpuS, seconds, used } = phase;
  const worst = watched.p99s.at(-1) ?? 0;
  const heap = (of: Used): number => of.heapUsed + of.external;
  const kb = (heap(used) - heap(idle)) / count / 1024;
  return [
    {
      name: 'crowd: ticks that the machine managed, of those due',
      ...{ value: (100 * watched.ticks) / (TICK_HZ * seconds), unit: '%' },
    },
    { name: 'crowd: updates delivered', value: updates / seconds, unit: '/s' },
    { name: 'crowd: lag of all, p50', value: watched.lag.p50, unit: 'ms' },
    {
      ...{ name: 'crowd: lag of the worst client, p99', value: worst, unit: 'ms' },
      ...{ target: '≤ 150', isMet: worst <= 150 },
    },
    { name: 'crowd: lag of all, max', value: watched.lag.max, unit: 'ms' },
    { name: 'crowd: gateway CPU of a delivered update', value: (cpuS / updates) * 1e9, unit: 'ns' },
    { name: 'crowd: gateway CPU', value: (cpuS / seconds) * 100, unit: '% of a core' },
    {
      ...{ name: 'crowd: memory of a client (heap and buffers)', value: kb, unit: 'KB' },
      ...{ target: '≤ 256', isMet: kb <= 256 },
    },
    {
      name: 'crowd: the same by resident memory',
      ...{ value: (used.rss - idle.rss) / count / 1024, unit: 'KB' },
    },
    { name: 'crowd: frames skipped for slow clients', value: coalesced, unit: '' },
  ];
}

function shared(alone: Phase, same: Phase, count: number): Figure[] {
  const one = alone.cpuS / alone.seconds;
  const each = same.cpuS / same.seconds / count;
  return [
    { name: 'gateway CPU of one client alone', value: one * 1_000, unit: 'ms/s' },
    { name: `of each of ${count} with the same area`, value: each * 1_000, unit: 'ms/s' },
    { name: 'CPU of a delivered update, same area', value: perUpdate(same), unit: 'ns' },
  ];
}

const perUpdate = ({ cpuS, updates }: Phase): number => (cpuS / updates) * 1e9;

function client({ entities, positions, apply }: Drawn): Figure[] {
  const what = `client, ${entities.toLocaleString('en-US')} entities:`;
  return [
    { name: `${what} positions() of a frame, p50`, value: positions.p50, unit: 'ms' },
    { name: `${what} positions() of a frame, p95`, value: positions.p95, unit: 'ms' },
    { name: `${what} applying a frame, p50`, value: apply.p50, unit: 'ms' },
    { name: `${what} applying a frame, p95`, value: apply.p95, unit: 'ms' },
  ];
}
