/**
 * A stored world by its name, its folder, or because it is the only one that runs: for commands that
 * look at a world or tell its pods something, and start none. Nothing is seeded and nothing checked.
 */

import { LeaseholdError } from '@leasehold/kernel';
import {
  type LivePlanStore,
  type LiveStore,
  openLivePlanStore,
  openLiveStore,
} from '@leasehold/live-store';
import type { Registry } from '@leasehold/protocol';
import { openServers } from '@leasehold/servers';
import {
  coldStoreOf,
  homeLayer,
  type Known,
  knownOf,
  knownWorlds,
  loadWorld,
} from '@leasehold/world';
import type { Output } from './output.ts';
import { coldUrlOf, commandRegistry } from './registry.ts';

/** What a command is told of where the world is. */
export type WorldFlags = {
  /** A name or a folder; undefined = the one that runs. */
  readonly world: string | undefined;
  readonly home: string;
  /** Of the world; undefined = the one that says who lives and where. */
  readonly layer?: string | undefined;
};

/** One layer of a world: its plan, its pods, its cells. */
export type OpenLayer = {
  readonly layer: string;
  readonly plans: LivePlanStore;
  readonly store: LiveStore;
};

/** `layer`, `plans` and `store` are of the layer that was asked for. */
export type OpenWorld = Known &
  OpenLayer & {
    /** Of all of them, that one first. */
    readonly layers: readonly OpenLayer[];
    /** Those of all but it. */
    readonly otherStores: readonly LiveStore[];
    /** What a tick may take, by the world's clock; 0 = its time has never run. */
    readonly tickBudgetMs: number;
  };

/** Finds the world, works with it, and leaves it. Errors: `WORLD_NOT_READY`, `SETTING_INVALID`. */
export async function withWorld<T>(
  { world, home, layer }: WorldFlags,
  output: Output,
  work: (open: OpenWorld) => Promise<T>,
): Promise<T> {
  const registry = await commandRegistry({ home }, output);
  const candidates = await candidatesOf(registry, world, home);
  const servers = await openServers({ home, allowEmbedded: true });
  const closing: (() => Promise<void>)[] = [() => servers.close()];
  const url = servers.redisUrl;
  try {
    const known = chosenLayer(await theOne(candidates, url), layer);
    const openLayer = async (name: string): Promise<OpenLayer> => {
      const place = { ...known, url, layer: name };
      const plans = await openLivePlanStore({
        ...place,
        onEvent: (event) => {
          if (event.kind !== 'unreadable') return;
          output.warn(`passed over ${event.what}: ${event.message}`);
        },
      });
      closing.unshift(() => plans.close());
      const layers = [known.layer, ...known.others];
      const cold = coldStoreOf({ ...place, url: coldUrlOf({}), layers });
      const store = await openLiveStore({ ...place, ...cold });
      closing.unshift(() => store.close());
      return { layer: name, plans, store };
    };
    const first = await openLayer(known.layer);
    const others = await Promise.all(known.others.map(openLayer));
    const rateHz = (await first.store.clock())?.rateHz ?? 0;
    return await work({
      ...{ ...known, ...first, layers: [first, ...others] },
      otherStores: others.map(({ store }) => store),
      tickBudgetMs: rateHz > 0 ? 1_000 / rateHz : 0,
    });
  } finally {
    for (const close of closing) await close();
  }
}

/** The same world, seen from a layer of it. Errors: `SETTING_INVALID`. */
function chosenLayer(known: Known, asked: string | undefined): Known {
  const all = [known.layer, ...known.others];
  if (asked === undefined || asked === known.layer) return known;
  if (all.includes(asked)) {
    return { ...known, layer: asked, others: all.filter((layer) => layer !== asked) };
  }
  throw new LeaseholdError('SETTING_INVALID', `${known.world} has no layer ${asked}`, {
    field: '--layer',
    value: asked,
    remedy: `It has ${all.join(', ')}.`,
  });
}

/** The world, seen from the layer that a pod is of; as it is where no pod has the name. */
export async function seenByPod(open: OpenWorld, pod: string): Promise<OpenWorld> {
  for (const layer of open.layers) {
    const records = await layer.plans.pods();
    if (records.some((record) => record.pod === pod)) return { ...open, ...layer };
  }
  return open;
}

/** Ready worlds that may be meant. */
async function candidatesOf(
  registry: Registry,
  asked: string | undefined,
  home: string,
): Promise<Known[]> {
  if (asked !== undefined) return [await namedWorld(registry, asked, home)];
  const found = await knownWorlds(registry);
  if (found.length > 0) return found;
  throw notReady('', home, 'no world was ever run');
}

async function namedWorld(registry: Registry, asked: string, home: string): Promise<Known> {
  const isFolder = asked.startsWith('.') || asked.includes('/');
  const loaded = isFolder ? await loadWorld(asked) : undefined;
  const name = loaded?.manifest.world ?? asked;
  const record = await registry.read(name);
  if (record?.state !== 'ready') throw notReady(name, home, `${name} was never run`);
  if (loaded !== undefined) {
    const layer = homeLayer(loaded);
    const others = Object.keys(loaded.manifest.layers).filter((other) => other !== layer);
    return { world: name, incarnation: record.incarnation, layer, others, grid: loaded.grid };
  }
  const known = knownOf(record);
  if (known !== undefined) return known;
  throw invalidWorld(`${name} was seeded by an older version`, name, 'Name its folder instead.');
}

/** Of several the one that has pods. */
async function theOne(candidates: readonly Known[], url: string): Promise<Known> {
  const [first, ...others] = candidates;
  if (first !== undefined && others.length === 0) return first;
  const running: Known[] = [];
  for (const known of candidates) {
    if (await hasPods(known, url)) running.push(known);
  }
  const [only, ...more] = running;
  if (only !== undefined && more.length === 0) return only;
  const named = (only === undefined ? candidates : running).map(({ world }) => world).join(', ');
  const message = only === undefined ? `none of ${named} runs` : `${named} run`;
  throw invalidWorld(message, named, 'Say which one with --world.');
}

/** In any of its layers. */
async function hasPods(known: Known, url: string): Promise<boolean> {
  for (const layer of [known.layer, ...known.others]) {
    const plans = await openLivePlanStore({ ...known, url, layer });
    try {
      const names = (await plans.pods()).map(({ pod }) => pod);
      if ((await plans.connected(names)).size > 0) return true;
    } finally {
      await plans.close();
    }
  }
  return false;
}

function notReady(value: string, home: string, message: string): LeaseholdError {
  return new LeaseholdError('WORLD_NOT_READY', `${message} from ${home}`, {
    field: 'world',
    value,
    remedy: 'Run it first, or name its home with --home.',
  });
}

function invalidWorld(message: string, value: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SETTING_INVALID', message, { field: '--world', value, remedy });
}
