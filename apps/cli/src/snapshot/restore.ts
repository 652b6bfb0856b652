/** `leasehold snapshot restore` and `branch`: a world goes back, or another begins where one was. */
import { randomBytes } from 'node:crypto';
import type { Registry } from '@leasehold/protocol';
import { openServers } from '@leasehold/servers';
import type { SnapshotStore } from '@leasehold/snapshot-store';
import { type Restored, restoreSnapshot } from '@leasehold/snapshots';
import type { Output } from '../output.ts';
import { commandRegistry } from '../registry.ts';
import { take } from './create.ts';
import { expectSure } from './keep.ts';
import { newSnapshotId, withSnapshots } from './place.ts';

export type RestoreFlags = {
  readonly home: string;
  readonly id: string;
  readonly isSure: boolean;
  readonly isDryRun: boolean;
};

export async function restore(flags: RestoreFlags, output: Output): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const facts = await snapshots.facts(flags.id);
    const { totals, takenAtMs } = await snapshots.get(flags.id);
    const registry = await commandRegistry(flags, output);
    const before = await registry.read(facts.world);
    const ageS = Math.round((Date.now() - takenAtMs) / 1_000);
    const lost = Math.max(0, Math.round(ageS * facts.clock.rateHz));
    const plan = {
      ...{ id: flags.id, world: facts.world, tick: facts.tick, entities: totals?.entities ?? 0 },
      ...{ replaces: before?.incarnation ?? null, ageS, ticksLostAtMost: lost },
    };
    output.print(
      `${facts.world} goes back to tick ${facts.tick}, ${totals?.entities ?? 0} entities, as it was ` +
        `${ageS} s ago: ${lost} ticks at ${facts.clock.rateHz} Hz are lost if it has run since`,
    );
    if (flags.isDryRun) {
      output.json(plan);
      return 0;
    }
    expectSure(flags.isSure, `${facts.world} would be replaced by what it was`);
    const restored = await put(flags, { snapshots, registry }, output);
    output.json({ ...plan, ...restored });
    output.print(
      `${output.colors.bold(restored.world)} is incarnation ${restored.incarnation}: ` +
        `${restored.entities} entities in ${restored.cells} cells. What runs it follows by itself.`,
    );
    return 0;
  });
}

export type BranchFlags = {
  readonly home: string;
  /** undefined: as the world is now. */
  readonly id: string | undefined;
  /** The world that `now` is of. */
  readonly world: string | undefined;
  readonly as: string;
};

export async function branch(flags: BranchFlags, output: Output): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const registry = await commandRegistry(flags, output);
    const id = flags.id ?? (await takeNow(flags, snapshots, output));
    const place = { home: flags.home, id };
    const made = await put(place, { snapshots, registry, world: flags.as }, output);
    output.json({ id, ...made });
    output.print(
      `${output.colors.bold(made.world)} begins at tick ${made.tick} with ${made.entities} entities`,
    );
    return 0;
  });
}

/** A snapshot of this moment, under a name that nobody else has who asks in the same second. */
export async function takeNow(
  { home, world }: Pick<BranchFlags, 'home' | 'world'>,
  snapshots: SnapshotStore,
  output: Output,
): Promise<string> {
  const id = `${newSnapshotId('now')}-${randomBytes(4).toString('hex')}`;
  const rest = { tick: undefined, bytesPerSecond: undefined };
  return (await take({ home, world, id, ...rest }, snapshots, output)).id;
}

type Into = {
  readonly snapshots: SnapshotStore;
  readonly registry: Registry;
  readonly world?: string;
};

async function put(
  { home, id }: Pick<RestoreFlags, 'home' | 'id'>,
  { snapshots, registry, world }: Into,
  output: Output,
): Promise<Restored> {
  const servers = await openServers({ home, allowEmbedded: true });
  try {
    return await restoreSnapshot({
      ...{ redisUrl: servers.redisUrl, registry, snapshots, id },
      ...(world === undefined ? {} : { world }),
      progress: ({ phase, cells, cellsTotal }) =>
        output.live([
          phase === 'forgetting'
            ? '  removing what it was before'
            : `  ${phase} ${cells} of ${cellsTotal} cells`,
        ]),
    });
  } finally {
    await servers.close();
  }
}
