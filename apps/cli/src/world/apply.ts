/** `leasehold world create`, `apply` and `diff`: a stored world becomes what a folder says. */

import { LeaseholdError } from '@leasehold/kernel';
import { openLiveStore } from '@leasehold/live-store';
import { tickAt } from '@leasehold/protocol';
import { openServers } from '@leasehold/servers';
import type { Change } from '@leasehold/world';
import type { Output } from '../output.ts';
import { commandRegistry } from '../registry.ts';
import {
  type CheckedWorld,
  checkWorld,
  ensureWorld,
  openCheckedServers,
  type WorldRequest,
} from '../stored-world.ts';
import { count } from '../text-table.ts';
import { type Comparison, compareWorld } from './compare.ts';
import { recordApplied } from './record.ts';
import { changeLines, podLines } from './words.ts';

export type ApplyFlags = { readonly folder: string; readonly home: string };

/** Seeds a world without running it. Errors: `WORLD_EXISTS`, and those of a world that is wrong. */
export async function create(flags: ApplyFlags, output: Output): Promise<number> {
  const { checked, request } = await readFolder(flags);
  const registry = await commandRegistry(flags, output);
  const before = await registry.read(checked.name);
  if (before?.state === 'ready') {
    throw new LeaseholdError('WORLD_EXISTS', `${checked.name} is stored already`, {
      field: 'world',
      value: checked.name,
      remedy: 'Change it with leasehold world apply, or remove it with leasehold world delete.',
    });
  }
  const servers = await openCheckedServers(flags.home, output);
  try {
    const { record, entities, cells } = await ensureWorld(
      request,
      checked,
      { registry, redisUrl: servers.redisUrl },
      output,
    );
    const { incarnation } = record;
    const applied = await recordApplied(checked, incarnation, servers.redisUrl);
    const { name: world } = checked;
    output.json({ world, incarnation, entities, cells, moduleVersion: applied.moduleVersion });
    output.print(
      `${output.colors.bold(world)} is seeded: ${count(entities, 'entity', 'entities')} in ` +
        `${count(cells, 'cell')}, incarnation ${incarnation}. Its time has not begun.`,
    );
    return 0;
  } finally {
    await servers.close();
  }
}

/** Errors: `WORLD_MISMATCH` or `SCHEMA_INCOMPATIBLE`, naming all that is refused; nothing is changed. */
export async function apply(flags: ApplyFlags, output: Output): Promise<number> {
  const comparison = await applied(flags, output);
  output.json({ ...reportOf(comparison), isChanged: isDifferent(comparison) });
  sayApplied(comparison, output);
  return 0;
}

/** What `apply` does, but for what it says at the end. */
export async function applied(flags: ApplyFlags, output: Output): Promise<Comparison> {
  const { checked, request } = await readFolder(flags);
  const servers = await openCheckedServers(flags.home, output);
  try {
    const { redisUrl } = servers;
    const registry = await commandRegistry(flags, output);
    const comparison = await compareWorld(checked, registry, redisUrl);
    refuse(comparison);
    const { record } = await ensureWorld(request, checked, { registry, redisUrl }, output);
    const { incarnation } = record;
    if (comparison.settings.some(({ field }) => field === 'tickHz')) {
      await setRate(checked, incarnation, redisUrl);
    }
    if (isDifferent(comparison)) await recordApplied(checked, incarnation, redisUrl);
    await warnOfPrefabs(checked, { home: flags.home, redisUrl }, output);
    return comparison;
  } finally {
    await servers.close();
  }
}

/** Exit codes: 0 nothing differs, 2 apply would change something, 1 it would be refused. */
export async function diff(flags: ApplyFlags, output: Output): Promise<number> {
  const { checked } = await readFolder(flags);
  const servers = await openServers({ home: flags.home, allowEmbedded: true });
  try {
    const { redisUrl } = servers;
    const comparison = await compareWorld(checked, await commandRegistry(flags, output), redisUrl);
    await warnOfPrefabs(checked, { home: flags.home, redisUrl }, output);
    output.json(reportOf(comparison));
    sayDifferences(comparison, output);
    if (refusedOf(comparison).length > 0) return 1;
    return isDifferent(comparison) ? 2 : 0;
  } finally {
    await servers.close();
  }
}

async function readFolder({ folder, home }: ApplyFlags) {
  const request: WorldRequest = { folder, home, isLockstep: false, seed: -1, isFresh: false };
  return { request, checked: await checkWorld(request) };
}

const changesOf = ({ settings, components }: Comparison): Change[] => [...settings, ...components];

const refusedOf = (comparison: Comparison): Change[] =>
  changesOf(comparison).filter(({ effect }) => effect === 'refused');

const isDifferent = (comparison: Comparison): boolean =>
  comparison.incarnation === null || changesOf(comparison).length > 0;

function reportOf(comparison: Comparison) {
  const { world, incarnation, module, pods, olderPods } = comparison;
  const isNew = incarnation === null;
  return { world, incarnation, isNew, changes: changesOf(comparison), module, pods, olderPods };
}

function refuse(comparison: Comparison): void {
  const refused = refusedOf(comparison);
  const [first] = refused;
  if (first === undefined) return;
  const isOfSettings = comparison.settings.some(({ effect }) => effect === 'refused');
  const code = isOfSettings ? 'WORLD_MISMATCH' : 'SCHEMA_INCOMPATIBLE';
  const lines = refused.map(({ field, was, is, reason }) => `${field}: ${was} → ${is}: ${reason}`);
  const what = `${comparison.world} cannot become what the folder says`;
  throw new LeaseholdError(code, [`${what}:`, ...lines.map((line) => `  ${line}`)].join('\n'), {
    field: first.field,
    value: first.is,
    remedy:
      'Put it back, or give the folder another world name; leasehold world delete forgets a world ' +
      'with all its state.',
  });
}

/** The clock goes on from the tick that it shows, at the new rate. */
async function setRate(checked: CheckedWorld, incarnation: number, url: string): Promise<void> {
  const { name: world, layer, loaded } = checked;
  const store = await openLiveStore({ url, world, incarnation, layer, grid: loaded.grid });
  try {
    const clock = await store.clock();
    if (clock === undefined) return;
    const baseTick = tickAt(clock, store.nowMs());
    await store.setClock({ ...clock, baseTick, rateHz: loaded.manifest.tickHz });
  } finally {
    await store.close();
  }
}

/** A module may change a component that the prefabs which the world has still use as it was. */
async function warnOfPrefabs(
  { loaded }: CheckedWorld,
  place: { readonly home: string; readonly redisUrl: string },
  output: Output,
): Promise<void> {
  const source = loaded.manifest.prefabs;
  if (source === undefined) return;
  const { openPrefabsOf } = await import('../prefabs/open.ts');
  try {
    const { prefabs, close } = await openPrefabsOf(loaded, source, place);
    await prefabs.check().finally(close);
  } catch (error) {
    if (!(error instanceof LeaseholdError)) throw error;
    output.warn(`the prefabs do not fit: ${error.message} (${error.code})`);
  }
}

function sayDifferences(comparison: Comparison, output: Output): void {
  const { bold } = output.colors;
  const { world, incarnation } = comparison;
  const changes = changesOf(comparison);
  if (incarnation === null) {
    output.print(`${bold(world)} is not stored: apply would seed it`);
  } else if (changes.length === 0) output.print(`${bold(world)} is as the folder says`);
  else output.print(`${bold(world)} differs in ${count(changes.length, 'thing')}`);
  if (changes.length > 0) output.print(changeLines(changes, output.colors).join('\n'));
  output.print(podLines(comparison).join('\n'));
}

function sayApplied(comparison: Comparison, output: Output): void {
  const { bold } = output.colors;
  const { world, incarnation } = comparison;
  const changes = changesOf(comparison);
  if (incarnation === null) output.print(`${bold(world)} is seeded. Its time has not begun.`);
  else if (changes.length === 0) output.print(`${bold(world)} was as the folder says`);
  else output.print(`${bold(world)} is applied: ${count(changes.length, 'change')}`);
  if (changes.length > 0) output.print(changeLines(changes, output.colors).join('\n'));
  output.print(podLines(comparison).join('\n'));
}
