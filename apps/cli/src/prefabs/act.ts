/** `leasehold prefabs list`, `plan`, `apply` and `rollback`. */
import { descentsOf, type PrefabPlan, type PrefabSet, postAll } from '@leasehold/prefabs';
import type { Output } from '../output.ts';
import { count, textTable } from '../text-table.ts';
import { type OpenPrefabs, type PrefabPlace, withLiving, withPrefabs } from './open.ts';
import { liveLines, planLines, shortCommit } from './words.ts';

export type PrefabFlags = PrefabPlace & {
  /** Undefined: the ref of the manifest. */
  readonly commit: string | undefined;
};

export type ApplyFlags = PrefabFlags & { readonly isLive: boolean };

/** What became of living descendants. */
export type LiveReport = {
  readonly patches: number;
  readonly posted: number;
  readonly kept: number;
  readonly unknown: number;
};

const LOOKS = 2;

export function list(place: PrefabPlace, output: Output): Promise<number> {
  return withPrefabs(place, async ({ prefabs, source, loaded, repository }) => {
    const { world } = loaded.manifest;
    const index = await prefabs.index();
    const commit = index?.versions.at(-1)?.commit;
    // What is not applied yet is shown all the same: it is what there is to apply.
    const set = await prefabs.at(commit ?? (await repository.commit()));
    const all = [...set.prefabs.values()];
    const isApplied = commit !== undefined;
    const versions = index?.versions ?? [];
    output.json({ world, source, commit: set.commit, isApplied, versions, prefabs: all });
    const state = isApplied ? count(versions.length, 'version') : 'not applied yet';
    output.print(
      `${output.colors.bold(world)}  ${count(all.length, 'prefab')} of ` +
        `${shortCommit(set.commit)}, ${state}`,
    );
    const rows = all.map(({ name, components, description }) => [
      name,
      Object.keys(components).join(', '),
      description,
    ]);
    const titled = [['prefab', 'components', 'description'], ...rows];
    if (rows.length > 0) output.print(textTable(titled, new Set([0, 1, 2])).join('\n'));
    return 0;
  });
}

/** Exit codes: 0 nothing differs, 2 apply would change something. */
export function plan(flags: PrefabFlags, output: Output): Promise<number> {
  return withPrefabs(flags, async (open) => {
    const next = await asked(open, flags.commit);
    const found = await planned(open, next, output);
    output.json(found);
    output.print(planLines(found, found.descendants, output.colors).join('\n'));
    return found.differences.length === 0 ? 0 : 2;
  });
}

export function apply(flags: ApplyFlags, output: Output): Promise<number> {
  return withPrefabs(flags, async (open) => {
    const next = await asked(open, flags.commit);
    const found = await planned(open, next, output);
    const live = await applied(open, next, flags.isLive, output);
    output.json({ ...found, live });
    output.print(planLines(found, found.descendants, output.colors).join('\n'));
    output.print(`  ${shortCommit(next.commit)} is the version of what is made from now on`);
    if (live !== null) output.print(liveLines(live).join('\n'));
    return live !== null && live.posted < live.patches ? 1 : 0;
  });
}

/** Errors: `PREFAB_UNKNOWN` when there is no version before. */
export function rollback({ isLive, ...place }: Omit<ApplyFlags, 'commit'>, output: Output) {
  return withPrefabs(place, async (open) => {
    const previous = await open.prefabs.previous();
    const found = await planned(open, previous, output);
    await open.prefabs.rollback();
    const live = isLive ? await patched(open, previous, output) : null;
    output.json({ ...found, live });
    output.print(planLines(found, found.descendants, output.colors).join('\n'));
    output.print(`  gone back to ${shortCommit(previous.commit)}`);
    if (live !== null) output.print(liveLines(live).join('\n'));
    return live !== null && live.posted < live.patches ? 1 : 0;
  });
}

async function asked({ repository, prefabs }: OpenPrefabs, ref: string | undefined) {
  return prefabs.at(await repository.commit(ref));
}

/** With the living descendants of all that differs. */
export async function planned(open: OpenPrefabs, next: PrefabSet, output: Output) {
  const found: PrefabPlan = await open.prefabs.plan(next);
  const names = new Set(found.differences.map(({ name }) => name));
  const { grid } = open.loaded;
  return withLiving(open, names, output, async (living) => {
    return { ...found, descendants: descentsOf(living?.descendants ?? [], grid) };
  });
}

/** Makes a version the current one, and brings the living up to it if that is asked for. */
export async function applied(
  open: OpenPrefabs,
  next: PrefabSet,
  isLive: boolean,
  output: Output,
): Promise<LiveReport | null> {
  await open.prefabs.apply(next);
  return isLive ? patched(open, next, output) : null;
}

/** Whoever was on the way between two cells at the first look is found by the second. */
async function patched(open: OpenPrefabs, next: PrefabSet, output: Output): Promise<LiveReport> {
  const names = new Set(next.prefabs.keys());
  const asked = new Set<string>();
  let report: LiveReport = { patches: 0, posted: 0, kept: 0, unknown: 0 };
  for (let look = 0; look < LOOKS; look++) {
    await withLiving(open, names, output, async (living) => {
      if (living === undefined) return;
      const { posts, kept, unknown } = await open.prefabs.livePatches(living.descendants, next);
      const more = posts.filter(({ id }) => !asked.has(id));
      for (const { id } of more) asked.add(id);
      const progress = (done: number, total: number): void =>
        output.live([`  asking descendants to change: ${done} of ${total}`]);
      const posted = report.posted + (await postAll(more, { store: living.store, progress }));
      report = { patches: asked.size, posted, kept, unknown };
    });
  }
  return report;
}
