/** `leasehold world delete`: a world and all its state are forgotten. */

import { openControl } from '@leasehold/control';
import { LeaseholdError } from '@leasehold/kernel';
import { openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import type { PodRecord, Registry } from '@leasehold/protocol';
import { type Known, knownOf } from '@leasehold/world';
import { forgetColdCells } from '../cold-database.ts';
import type { Output } from '../output.ts';
import { commandRegistry } from '../registry.ts';
import { openCheckedServers } from '../stored-world.ts';
import { count } from '../text-table.ts';
import { podsHere } from './compare.ts';

export type RemoveFlags = {
  readonly world: string;
  readonly home: string;
  readonly isSure: boolean;
};

/** Errors: `WORLD_NOT_READY`, `WORLD_RUNS`, `SETTING_INVALID` for one who is not sure. */
export async function remove(flags: RemoveFlags, output: Output): Promise<number> {
  const { world, home } = flags;
  const registry = await commandRegistry(flags, output);
  const known = await knownByRegistry(registry, flags);
  if (!flags.isSure) {
    throw new LeaseholdError('SETTING_INVALID', `${world} would be gone with all its state`, {
      field: '--yes',
      value: '',
      remedy: `Say that you are sure: leasehold world delete ${world} --yes.`,
    });
  }
  const servers = await openCheckedServers(home, output);
  try {
    const url = servers.redisUrl;
    await expectNobody(known, url);
    const incarnations = [known.incarnation, ...(await registry.leftovers(world))];
    for (const incarnation of incarnations) {
      output.progress(`forgetting incarnation ${incarnation} of ${world}`);
      const admin = await openWorldAdmin({ ...known, url, incarnation });
      // Sealed first: whoever comes now is refused, and a removal that was cut short is repeated.
      await admin.forget().finally(() => admin.close());
    }
    // Before the registry, so that a removal that was cut short is repeated with this.
    await forgetColdCells({ world, below: Math.max(...incarnations) + 1 }, home, output);
    await registry.forget(world);
    for (const incarnation of incarnations) await registry.forgotten(world, incarnation);
    const control = await openControl(url);
    await control.forget(world).finally(() => control.close());
    output.json({ world, incarnations });
    output.print(
      `${output.colors.bold(world)} is gone, ${count(incarnations.length, 'incarnation')}`,
    );
    return 0;
  } finally {
    await servers.close();
  }
}

async function knownByRegistry(registry: Registry, { world, home }: RemoveFlags): Promise<Known> {
  const record = await registry.read(world);
  const known = record === undefined ? undefined : knownOf(record);
  if (known !== undefined) return known;
  throw new LeaseholdError('WORLD_NOT_READY', `there is no world ${world} in ${home}`, {
    field: 'world',
    value: world,
    remedy: 'See leasehold world list, or name its home with --home.',
  });
}

async function expectNobody(known: Known, url: string): Promise<void> {
  const pods: PodRecord[] = [];
  for (const layer of [known.layer, ...known.others]) {
    const store = await openLiveStore({ ...known, url, layer });
    pods.push(...(await podsHere(store).finally(() => store.close())));
  }
  if (pods.length === 0) return;
  const names = pods.map(({ pod }) => pod).join(', ');
  throw new LeaseholdError('WORLD_RUNS', `${known.world} is being run by ${names}`, {
    field: 'world',
    value: known.world,
    remedy: 'End that run first.',
  });
}
