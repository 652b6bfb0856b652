/**
 * What it takes to make an area what it was, as ordinary births, deaths and changes of a world that goes
 * on. Who was there and still lives there gets back what it had; who has come since goes; who has died is
 * born again under a new id, as what is deleted stays deleted (E2); who lives elsewhere now is left alone.
 *
 * Who stands there just as somebody who has died is taken for the same one, born again: so what was put
 * back is as it was, and putting it back once more changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import { LeaseholdError } from '@leasehold/kernel';
import type { ComponentValues } from '@leasehold/protocol';
import type { SnapshotEntity, SnapshotStore } from '@leasehold/snapshot-store';
import type { AreaSpec } from '@leasehold/spatial';

/** Entities of an area that are put back at once. */
export const AREA_ENTITIES_MAX = 200_000;
const PAGE = 5_000;

export type AreaPlan = {
  readonly births: readonly SnapshotEntity[];
  readonly deaths: readonly SnapshotEntity[];
  readonly changes: readonly AreaChange[];
  /** Those that are as they were, under their id or born again. */
  readonly same: number;
  /** Those that live elsewhere now. */
  readonly elsewhere: readonly number[];
};

export type AreaChange = {
  readonly id: number;
  /** Where it is now. */
  readonly cell: number;
  readonly set: ComponentValues;
  readonly remove: readonly string[];
};

/** `now`: a snapshot of this moment. Throws `AREA_INVALID` and `LIMIT_EXCEEDED`. */
export async function planArea(
  snapshots: Pick<SnapshotStore, 'entities'>,
  { then, now, area }: { readonly then: string; readonly now: string; readonly area: AreaSpec },
): Promise<AreaPlan> {
  const was = await allIn(snapshots, then, area);
  const is = await allIn(snapshots, now, area);
  const away = [...was.keys()].filter((id) => !is.has(id));
  const living = await livingOf(snapshots, now, away);
  const missing: SnapshotEntity[] = [];
  const changes: AreaChange[] = [];
  let same = 0;
  for (const [id, before] of was) {
    const after = is.get(id);
    if (after === undefined) {
      if (!living.has(id)) missing.push(before);
      continue;
    }
    const change = changeOf(before, after);
    if (change === undefined) same++;
    else changes.push(change);
  }
  const strangers = [...is.values()].filter(({ id }) => !was.has(id));
  const { births, deaths } = withoutBornAgain(missing, strangers);
  same += missing.length - births.length;
  return { births, deaths, changes, same, elsewhere: [...living] };
}

/** Pairs those that are alike, each with one. */
function withoutBornAgain(
  missing: readonly SnapshotEntity[],
  strangers: readonly SnapshotEntity[],
): { births: SnapshotEntity[]; deaths: SnapshotEntity[] } {
  const standing = new Map<string, SnapshotEntity[]>();
  // The database tells members in one order, whatever they were written in.
  const alike = ({ components }: SnapshotEntity): string => JSON.stringify(components);
  // Nobody has to be compared where nobody came, or nobody is missing.
  if (missing.length === 0) return { births: [], deaths: [...strangers] };
  for (const stranger of strangers) {
    const key = alike(stranger);
    standing.set(key, [stranger, ...(standing.get(key) ?? [])]);
  }
  const births = missing.filter((each) => standing.get(alike(each))?.pop() === undefined);
  const left = new Set([...standing.values()].flat());
  return { births, deaths: strangers.filter((each) => left.has(each)) };
}

function changeOf(before: SnapshotEntity, after: SnapshotEntity): AreaChange | undefined {
  const names = Object.entries(before.components);
  const differing = names.filter(
    ([name, values]) => !isDeepStrictEqual(values, after.components[name]),
  );
  const remove = Object.keys(after.components).filter((name) => !(name in before.components));
  if (differing.length + remove.length === 0) return undefined;
  return { id: after.id, cell: after.cell, set: Object.fromEntries(differing), remove };
}

async function allIn(
  snapshots: Pick<SnapshotStore, 'entities'>,
  id: string,
  area: AreaSpec,
): Promise<Map<number, SnapshotEntity>> {
  const found = new Map<number, SnapshotEntity>();
  let after = -1;
  for (;;) {
    const page = await snapshots.entities(id, { area, after, limit: PAGE });
    for (const entity of page) found.set(entity.id, entity);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return found;
    if (found.size > AREA_ENTITIES_MAX) throw tooMany(found.size);
    after = last.id;
  }
}

/** Of these, who lives. */
async function livingOf(
  snapshots: Pick<SnapshotStore, 'entities'>,
  now: string,
  ids: readonly number[],
): Promise<Set<number>> {
  const found = new Set<number>();
  for (let i = 0; i < ids.length; i += PAGE) {
    const some = ids.slice(i, i + PAGE);
    for (const { id } of await snapshots.entities(now, { ids: some, limit: PAGE })) found.add(id);
  }
  return found;
}

function tooMany(count: number): LeaseholdError {
  return new LeaseholdError(
    'LIMIT_EXCEEDED',
    `the area has more than ${AREA_ENTITIES_MAX} entities`,
    {
      field: 'area',
      value: `${count} so far`,
      remedy: 'Restore a smaller area, or the whole world.',
    },
  );
}
