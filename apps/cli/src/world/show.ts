/** `leasehold world show`: one world: what it is, what was applied to it, who runs it. */
import { type AppliedWorld, openControl, type PrefabIndex } from '@leasehold/control';
import { tickAt } from '@leasehold/protocol';
import { openServers } from '@leasehold/servers';
import { type OpenWorld, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count, textTable } from '../text-table.ts';
import { podsOf } from './compare.ts';
import { markOf } from './record.ts';

export function show(flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { applied, prefabs } = await records(open.world, flags.home);
    const facts = await factsOf(open, applied, prefabs);
    output.json(facts);
    const rows = rowsOf(facts, applied);
    output.print(output.colors.bold(open.world));
    output.print(
      textTable([['', ''], ...rows], new Set([0, 1]))
        .slice(1)
        .join('\n'),
    );
    return 0;
  });
}

async function records(world: string, home: string) {
  const servers = await openServers({ home, allowEmbedded: true });
  try {
    const control = await openControl(servers.redisUrl);
    try {
      return { applied: await control.world(world), prefabs: await control.prefabs(world) };
    } finally {
      await control.close();
    }
  } finally {
    await servers.close();
  }
}

async function factsOf(
  { world, incarnation, grid, store, layers }: OpenWorld,
  applied: AppliedWorld | undefined,
  prefabs: PrefabIndex | undefined,
) {
  const clock = await store.clock();
  const pods = await podsOf(layers.map((each) => each.store));
  const mark = applied === undefined ? undefined : markOf(applied);
  return {
    ...{ world, incarnation, cells: grid.cells, blocks: grid.blocks },
    tick: clock === undefined ? null : tickAt(clock, store.nowMs()),
    rateHz: clock?.rateHz ?? null,
    isPaused: clock?.isPaused ?? false,
    /** null: it was seeded by an older version, and never applied since. */
    applied: applied ?? null,
    layers: layers.map(({ layer }) => layer),
    pods: pods.map(({ pod, layer, report }) => {
      return { pod, layer, isOlder: report['module'] !== mark };
    }),
    prefabs: prefabs ?? null,
  };
}

type Facts = Awaited<ReturnType<typeof factsOf>>;

function rowsOf(facts: Facts, applied: AppliedWorld | undefined): string[][] {
  const { incarnation, cells, tick, rateHz, isPaused, pods, prefabs } = facts;
  const time = tick === null ? 'has never run' : `tick ${tick}, ${rateHz} Hz`;
  const older = pods.filter(({ isOlder }) => isOlder).length;
  const rows = [
    ['cells', `${cells} in ${count(facts.blocks, 'block')}, incarnation ${incarnation}`],
    ['time', `${time}${isPaused ? ', paused' : ''}`],
    [
      'pods',
      older === 0
        ? String(pods.length)
        : `${pods.length}, ${older} with another module or settings`,
    ],
  ];
  if (applied === undefined) return [...rows, ['manifest', 'was never applied']];
  const { folder, appliedAt, manifestHash, moduleVersion, moduleCommit, manifest } = applied;
  const layers = Object.entries(manifest['layers'] as Record<string, readonly string[]>);
  const commit = moduleCommit === '' ? '' : `, commit ${moduleCommit.slice(0, 12)}`;
  const version = prefabs?.versions.at(-1);
  return [
    ...rows,
    ['manifest', `${manifestHash}, applied ${appliedAt} from ${folder}`],
    ['module', `${moduleVersion}${commit}`],
    ...layers.map(([layer, names]) => {
      const its = facts.pods.filter((pod) => pod.layer === layer).length;
      const told = layers.length === 1 ? '' : `; ${count(its, 'pod')}`;
      return [`layer ${layer}`, `${names.join(', ')}${told}`];
    }),
    ...(version === undefined
      ? []
      : [['prefabs', `${version.names.join(', ')} of ${version.commit.slice(0, 12)}`]]),
  ];
}
