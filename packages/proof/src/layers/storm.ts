/**
 * A world of three layers that lives through a storm: pods that die or are cut off, a store that stalls,
 * loses replies and goes back in time. One seed is one run. When it has calmed down, every layer must
 * have the same entities, each once, and whatever was paid must have been received or refused aloud.
 */
import { createRandom, type Random } from '@leasehold/kernel';
import {
  censusOf,
  herd,
  isImmortal,
  LAYERS,
  type LayerName,
  NAMES,
  openLayers,
  sumOf,
} from '@leasehold/pod/layers-fixture';
import type { Store } from '@leasehold/protocol';

export type StormOptions = {
  readonly seed: number;
  /** How many faults there are. */
  readonly faults: number;
  readonly podsPerLayer: number;
};

export type StormResult = {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly entities: number;
  readonly paid: number;
  readonly received: number;
  /** Coins for those who never die that were refused aloud. */
  readonly refused: number;
  /** What is not as it must be. */
  readonly wrong: readonly string[];
};

type World = Awaited<ReturnType<typeof openLayers>>;
type Fault = (world: World, pod: string, random: Random) => Promise<void>;

/** From the start until nobody is born, dies or pays any more, and after that. */
const BEFORE_TICKS = 30;
const BETWEEN_TICKS = 30;
/** Leases run out, letters find their way, and those whom nobody has seen for long are looked for. */
const CALM_TICKS = 400;
const REPLICA_LAG_MS = 20;
const STALL_TICKS_MAX = 32;

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: async (world, pod) => {
    world.kill(pod);
    const [layer] = pod.split('-') as [LayerName];
    // The store may stall: time goes on for whoever waits for it.
    await Promise.all([world.start(layer, `${pod}-again`), world.pass(STALL_TICKS_MAX)]);
  },
  failover: async (world) => {
    const snapshot = world.server.snapshot();
    await world.clock.advance(REPLICA_LAG_MS - 5);
    world.server.rollback(snapshot);
  },
  stall: async (world, _, random) =>
    world.server.stall(100 + random.below(STALL_TICKS_MAX * 50 - 200)),
  cut: async (world, pod, random) => {
    world.server.disconnect(pod);
    await world.pass(random.below(20));
    world.server.reconnect(pod);
  },
  replies: async (world) => world.server.dropReplies(3),
};

const pick = <T>(random: Random, of: readonly T[]): T => of[random.below(of.length)] as T;

export async function storm({ seed, faults, podsPerLayer }: StormOptions): Promise<StormResult> {
  const random = createRandom(seed);
  const until = BEFORE_TICKS + faults * BETWEEN_TICKS;
  const space = { kind: 'torus', width: 60, height: 60, cell: 10 } as const;
  const params = { until };
  const world = await openLayers({
    ...{ mode: 'realtime', replicas: 1 },
    world: { simulation: herd, layers: LAYERS, space, params },
  });
  world.server.replicaLagMs = REPLICA_LAG_MS;
  for (const layer of NAMES) {
    for (let i = 0; i < podsPerLayer; i++) await world.start(layer, `${layer}-${i}`);
  }
  await world.pass(BEFORE_TICKS);
  const said: string[] = [];
  for (let i = 0; i < faults; i++) {
    const [name, fault] = pick(random, Object.entries(FAULTS));
    const pod = pick(random, [...world.pods.keys()]);
    said.push(`${name} ${pod}`);
    await fault(world, pod, random);
    await world.pass(BETWEEN_TICKS);
  }
  await world.pass(CALM_TICKS);
  const found = await judge(world);
  await world.close();
  return { seed, faults: said, ...found };
}

async function judge(world: World): Promise<Omit<StormResult, 'seed' | 'faults'>> {
  const cells = await world.cells();
  const tables = (layer: LayerName) => cells.get(layer) ?? [];
  const [first, ...others] = NAMES.map((layer) => ({ layer, ...censusOf(tables(layer), 0) }));
  const ids = first?.ids ?? [];
  const wrong: string[] = [];
  if (new Set(ids).size < ids.length) wrong.push('E1: an entity is in two places');
  for (const other of others) {
    const here = new Set(other.ids);
    const missing = ids.filter((id) => !here.has(id)).length;
    const extra = other.ids.length - (ids.length - missing);
    if (missing + extra > 0) wrong.push(`E1: ${other.layer} lacks ${missing}, has ${extra} more`);
  }
  const paid = sumOf(tables('reproduction'), 'litter', 'paid');
  const received = sumOf(tables('metabolism'), 'purse', 'coins');
  const refused = await refusedCoins([...world.watchers.values()]);
  if (paid !== received + refused) {
    wrong.push(`M1: ${paid} coins paid, ${received} received, ${refused} refused`);
  }
  return { entities: ids.length, paid, received, refused, wrong };
}

async function refusedCoins(stores: readonly Store[]): Promise<number> {
  const letters = (await Promise.all(stores.map((store) => store.deadLetters(10_000)))).flat();
  return letters.filter(({ event, to }) => event === 'pay' && isImmortal(to)).length;
}
