/**
 * Goal: kill pods and gateways at will, and no client ever sees an untruth that stays (V1), nor
 * anybody vanish who lives. Method: real processes, SIGKILL by a seeded schedule, twenty clients;
 * then the world's time is stopped, and each view is compared with what the store says itself.
 *
 * `PROOF_KILLS=20,5` kills that many pods and gateways instead of a few; `SIM_SEED` chooses whom
 * and when.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRandom, type Random } from '@leasehold/kernel';
import { openLiveStore } from '@leasehold/live-store';
import { compile } from '@leasehold/sdk/engine';
import { eventually, freePort, type Spawned, useRedis } from '@leasehold/testkit';
import { loadWorld } from '@leasehold/world';
import { expect, onTestFinished, test } from 'vitest';
import { type Gateway, GatewayWorld } from './gateway-fixture.ts';
import { authority, Ledger, rest } from './proof-authority-fixture.ts';
import { looks, Stillness, Watcher } from './proof-watchers-fixture.ts';

const WORLD = fileURLToPath(new URL('./proof-world-fixture.ts', import.meta.url));
const ENTITIES = 400;
const PODS = 3;
const GATEWAYS = 3;
const [POD_KILLS = 5, GATEWAY_KILLS = 2] = (process.env['PROOF_KILLS'] ?? '5,2')
  .split(',')
  .map(Number);
const SEED = Number(process.env['SIM_SEED'] ?? 1);
/** From one kill to the next: sometimes the last is healed by then, sometimes not. */
const PAUSE_MS = [1_200, 3_200] as const;
const REST_MS = 60_000;

const at = useRedis();

async function openStore(world: GatewayWorld) {
  const { grid, manifest, simulation } = await loadWorld(world.folder);
  const { seed, tickHz, params } = manifest;
  const { schema } = compile(simulation, { layer: 'main', grid, seed, tickHz, params });
  const of = { world: world.name, incarnation: 1, layer: 'main', grid };
  const store = await openLiveStore({ url: at.url, ...of });
  onTestFinished(() => store.close());
  return { store, schema, grid, cells: [...Array(grid.cells).keys()] };
}

/** Pods and gateways; whoever is killed is replaced, a gateway at its own address. */
class Fleet {
  readonly pods: Spawned[] = [];
  readonly gateways: Gateway[] = [];
  readonly #world: GatewayWorld;
  readonly #starting = new Set<Promise<void>>();
  #ports: number[] = [];

  constructor(world: GatewayWorld) {
    this.#world = world;
  }

  async open(): Promise<void> {
    this.#ports = await Promise.all(Array.from({ length: GATEWAYS }, () => freePort()));
    const pods = Array.from({ length: PODS }, () => this.#startPod());
    await Promise.all([...pods, ...this.#ports.map((port) => this.#startGateway(port))]);
  }

  get urls(): string[] {
    return this.#ports.map((port) => `ws://127.0.0.1:${port}/view`);
  }

  async #startPod(): Promise<void> {
    this.pods.push(await this.#world.startPod());
  }

  async #startGateway(port: number): Promise<void> {
    const env = { PORT: String(port), LOG_LEVEL: 'warn', KEEP_WARM: '1' };
    this.gateways.push(await this.#world.startGateway(env));
  }

  /** There is always another pod that is ready. */
  async killPod(random: Random): Promise<void> {
    await eventually(() => this.pods.length > 1, 30_000);
    const [pod] = this.pods.splice(random.below(this.pods.length), 1);
    pod?.kill();
    this.#replace(this.#startPod());
  }

  /** One that has clients, while there is another that is ready. Answers its address. */
  async killGateway(random: Random, isUsed: (url: string) => boolean): Promise<string> {
    await eventually(() => this.gateways.length > 1, 30_000);
    const used = this.gateways.filter(({ viewUrl }) => isUsed(viewUrl));
    const gateway = used[random.below(used.length)] as Gateway;
    this.gateways.splice(this.gateways.indexOf(gateway), 1);
    gateway.process.kill();
    const port = Number(new URL(gateway.url).port);
    this.#replace(gateway.process.exited.then(() => this.#startGateway(port)));
    return gateway.viewUrl;
  }

  /** Cells that a pod gave up, because the world's module failed in them. */
  get frozen(): readonly unknown[] {
    const lines = this.pods.flatMap((pod) => pod.lines);
    return lines.filter(({ msg }) => msg === 'cell is frozen').map(({ why }) => why);
  }

  #replace(started: Promise<void>): void {
    this.#starting.add(started);
  }

  /** Nobody is being started any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#starting);
  }
}

/** Who is killed, in which order: gateways spread among the pods. */
function schedule(random: Random): ('pod' | 'gateway')[] {
  const kills: ('pod' | 'gateway')[] = Array<'pod'>(POD_KILLS).fill('pod');
  for (let i = 0; i < GATEWAY_KILLS; i++)
    kills.splice(1 + random.below(kills.length), 0, 'gateway');
  return kills;
}

const rotated = <T>(list: readonly T[], by: number): T[] =>
  list.map((_, i) => list[(i + by) % list.length] as T);

test(`V1 20 clients watch while ${POD_KILLS} pods and ${GATEWAY_KILLS} gateways are killed (SIM_SEED=${SEED})`, async () => {
  const random = createRandom(SEED);
  const world = await GatewayWorld.seed(at.url, ENTITIES, WORLD);
  onTestFinished(() => world.close());
  const { store, schema, grid, cells } = await openStore(world);
  const beacons = [...(await authority(store, schema, cells))]
    .filter(([, { components }]) => 'beacon' in components)
    .map(([id]) => id);
  const ledger = new Ledger(store);
  await ledger.start(cells);
  onTestFinished(() => ledger.stop());
  const fleet = new Fleet(world);
  await fleet.open();
  const watchers = looks(beacons).map((look, i) => new Watcher(look, rotated(fleet.urls, i)));
  onTestFinished(() => {
    for (const { view } of watchers) view.close();
  });
  await eventually(() => {
    const late = watchers.filter(({ subscription }) => !subscription.isLive);
    expect(late.map(({ subscription, faults }) => ({ area: subscription.area, faults }))).toEqual(
      [],
    );
    return true;
  }, 20_000);
  // The cells are held, and their time runs.
  await eventually(() => (watchers[0]?.subscription.tick ?? 0) > 40, 60_000);
  const stillness = new Stillness((watchers[0] as Watcher).subscription);
  await sleep(1_000);

  const calmMs = stillness.take();
  const standstills: number[] = [];
  for (const kill of schedule(random)) {
    if (kill === 'pod') await fleet.killPod(random);
    else {
      const url = await fleet.killGateway(random, (of) =>
        watchers.some(({ view }) => view.url === of),
      );
      for (const watcher of watchers) if (watcher.view.url === url) watcher.bereave();
    }
    await sleep(PAUSE_MS[0] + random.below(PAUSE_MS[1] - PAUSE_MS[0]));
    if (kill === 'pod') standstills.push(stillness.take());
    else stillness.take();
  }
  await fleet.settled();
  expect(fleet.frozen).toEqual([]);
  const tick = await rest(store, cells, REST_MS);
  await ledger.stop();

  const truth = await authority(store, schema, cells);
  const errors = (): string[] =>
    watchers.flatMap((watcher, i) =>
      watcher.errors(truth, schema, grid).map((error) => `client ${i}: ${error}`),
    );
  await eventually(() => errors().length === 0).catch(() => undefined);
  report({ calmMs, standstills, watchers, ledger, tick, living: truth.size });
  expect(errors()).toEqual([]);
  await sleep(500);
  expect(errors()).toEqual([]);
  expect(blinks(watchers, ledger)).toEqual([]);
  // Else nothing was proven.
  const { deaths, births, arrivals } = ledger;
  expect(Math.min(deaths.size, births.size, arrivals)).toBeGreaterThan(POD_KILLS);
  expect(truth.size).toBe(ENTITIES + births.size - deaths.size);
  expect(watchers.flatMap(({ faults }) => faults)).toEqual([]);
  const returns = watchers.flatMap((watcher) => watcher.returns);
  expect(returns.length).toBeGreaterThanOrEqual(GATEWAY_KILLS);
  expect(watchers.filter(({ isBereft }) => isBereft)).toEqual([]);
}, 600_000);

/** Who left a view of everybody without having died by then. */
function blinks(watchers: readonly Watcher[], { deaths }: Ledger): string[] {
  return watchers.flatMap(({ seesEverybody, left }, i) =>
    left
      .filter(({ id, tick }) => seesEverybody && !((deaths.get(id) ?? Infinity) <= tick))
      .map(({ id, tick }) => `client ${i}: ${id} vanished at ${tick}, died at ${deaths.get(id)}`),
  );
}

type Course = {
  readonly calmMs: number;
  readonly standstills: readonly number[];
  readonly watchers: readonly Watcher[];
  readonly ledger: Ledger;
  readonly tick: number;
  readonly living: number;
};

/** One line of JSON, to be quoted. All times in ms. */
function report({ calmMs, standstills, watchers, ledger, tick, living }: Course): void {
  const { births, deaths, arrivals, entries } = ledger;
  const figures = {
    kills: { pods: POD_KILLS, gateways: GATEWAY_KILLS, seed: SEED },
    world: { tick, living, births: births.size, deaths: deaths.size, arrivals, entries },
    stillCellMs: { calm: Math.round(calmMs), ...spread(standstills) },
    liveAgainMs: spread(watchers.flatMap(({ returns }) => returns)),
    clients: {
      frames: watchers.reduce((sum, { view }) => sum + view.frames, 0),
      updates: watchers.reduce((sum, { view }) => sum + view.updates, 0),
      leftSeen: watchers.reduce((sum, { left }) => sum + left.length, 0),
    },
  };
  process.stdout.write(`proof of views: ${JSON.stringify(figures)}\n`);
}

function spread(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
