/** `leasehold world list`: the worlds of a home, and which of them run. */

import { openControl } from '@leasehold/control';
import { type LiveStore, openLiveStore } from '@leasehold/live-store';
import { tickAt } from '@leasehold/protocol';
import { openServers } from '@leasehold/servers';
import { type Known, knownWorlds } from '@leasehold/world';
import type { Output } from '../output.ts';
import { commandRegistry } from '../registry.ts';
import { textTable } from '../text-table.ts';
import { podsOf } from './compare.ts';

type WorldFacts = {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly cells: number;
  /** Of all layers. */
  readonly pods: number;
  /** In the cells of its pods; who is on the way between two is in none. */
  readonly entities: number;
  /** null: its time has never run. */
  readonly tick: number | null;
  readonly rateHz: number | null;
  readonly isPaused: boolean;
  /** ISO 8601, and the version of the module then; null: it was never applied. */
  readonly appliedAt: string | null;
  readonly moduleVersion: string | null;
};

export async function list(home: string, output: Output): Promise<number> {
  const known = await knownWorlds(await commandRegistry({ home }, output));
  const worlds = known.length === 0 ? [] : await looked(known, home);
  output.json({ home, worlds });
  if (worlds.length === 0) output.print('no world was ever run here: start one with leasehold run');
  else output.print(textTable([TITLE, ...worlds.map(row)], LEFT).join('\n'));
  return 0;
}

const TITLE = ['world', 'state', 'tick', 'Hz', 'pods', 'entities', 'cells', 'incarnation'];
const LEFT: ReadonlySet<number> = new Set([0, 1]);

function row(facts: WorldFacts): string[] {
  const { world, tick, rateHz, pods, entities, cells, incarnation } = facts;
  const numbers = [tick ?? '-', rateHz ?? '-', pods, entities, cells, incarnation];
  return [world, stateOf(facts), ...numbers.map(String)];
}

function stateOf({ pods, isPaused, tick }: WorldFacts): string {
  if (tick === null) return 'seeded';
  if (pods === 0) return 'at rest';
  return isPaused ? 'paused' : 'runs';
}

async function looked(known: readonly Known[], home: string): Promise<WorldFacts[]> {
  const servers = await openServers({ home, allowEmbedded: true });
  try {
    const facts: WorldFacts[] = [];
    const control = await openControl(servers.redisUrl);
    try {
      for (const one of known) {
        const { appliedAt = null, moduleVersion = null } = (await control.world(one.world)) ?? {};
        facts.push({ ...(await look(one, servers.redisUrl)), appliedAt, moduleVersion });
      }
    } finally {
      await control.close();
    }
    return facts;
  } finally {
    await servers.close();
  }
}

async function look(
  known: Known,
  url: string,
): Promise<Omit<WorldFacts, 'appliedAt' | 'moduleVersion'>> {
  const { world, incarnation, layer, others, grid } = known;
  const stores: LiveStore[] = [];
  try {
    for (const name of [layer, ...others]) {
      stores.push(await openLiveStore({ ...known, url, layer: name }));
    }
    const [store] = stores as [LiveStore];
    const clock = await store.clock();
    const pods = await podsOf(stores);
    // Every layer has a row for each of them.
    const here = pods.filter((pod) => pod.layer === layer);
    return {
      ...{ world, incarnation, layer, cells: grid.cells, pods: pods.length },
      entities: here.reduce((sum, { report }) => sum + (report['entities'] ?? 0), 0),
      tick: clock === undefined ? null : tickAt(clock, store.nowMs()),
      rateHz: clock?.rateHz ?? null,
      isPaused: clock?.isPaused ?? false,
    };
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}
