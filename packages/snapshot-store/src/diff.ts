/**
 * What became of the entities between two snapshots. Content that both name is not looked at, so the
 * work is that of the cells in which something happened.
 */
import type { ComponentValues, Json } from '@leasehold/protocol';
import { cursorOf, type Database } from './database.ts';
import { openSnapshot } from './reader.ts';

/** `before` and `after` are absent where the component or field is not there. */
export type FieldDifference = {
  readonly component: string;
  /** Absent: the component as a whole came or went. */
  readonly field?: string;
  readonly before?: Json;
  readonly after?: Json;
};

export type EntityDifference =
  | { readonly kind: 'added'; readonly id: number; readonly components: ComponentValues }
  | { readonly kind: 'removed'; readonly id: number; readonly components: ComponentValues }
  | {
      readonly kind: 'changed';
      readonly id: number;
      readonly fields: readonly FieldDifference[];
    };

/** An entity that only another layer changed has no row of home in what differs. */
const DIFFERENCES = `
with a as (
  select layer, blob from leasehold.snapshot_part where snapshot = $1
  except all select layer, blob from leasehold.snapshot_part where snapshot = $2),
b as (
  select layer, blob from leasehold.snapshot_part where snapshot = $2
  except all select layer, blob from leasehold.snapshot_part where snapshot = $1),
before as (
  select e.id, bool_or(a.layer = 0) as lives, leasehold.jsonb_merge(e.components) as components
    from a join leasehold.entity e on e.blob = a.blob group by e.id),
later as (
  select e.id, bool_or(b.layer = 0) as lives, leasehold.jsonb_merge(e.components) as components
    from b join leasehold.entity e on e.blob = b.blob group by e.id)
select coalesce(x.id, y.id) as id,
       coalesce(x.lives, false) as lived, coalesce(y.lives, false) as lives,
       coalesce(x.components, '{}') as before, coalesce(y.components, '{}') as after
  from before x full join later y on y.id = x.id
 where x.components is distinct from y.components or x.lives is distinct from y.lives
 order by 1`;

type DifferenceRow = {
  id: string;
  lived: boolean;
  lives: boolean;
  before: ComponentValues;
  after: ComponentValues;
};

/** Ascending by id. Errors: those of `openSnapshot`. */
export async function* differences(
  db: Database,
  from: string,
  to: string,
): AsyncGenerator<EntityDifference> {
  const [a, b] = [await openSnapshot(db, from), await openSnapshot(db, to)];
  const rows = cursorOf<DifferenceRow>(db, DIFFERENCES, [a.number, b.number]);
  for await (const { id: text, lived, lives, before, after } of rows) {
    const id = Number(text);
    if (lived && !lives) yield { kind: 'removed', id, components: before };
    else if (lives && !lived) yield { kind: 'added', id, components: after };
    else yield { kind: 'changed', id, fields: changedFields(before, after) };
  }
}

/** By component, then by field, in the order of their names. */
export function changedFields(before: ComponentValues, after: ComponentValues): FieldDifference[] {
  const changed: FieldDifference[] = [];
  for (const component of namesOf(before, after)) {
    const [was, is] = [before[component], after[component]];
    if (was === undefined || is === undefined) {
      changed.push({ component, ...sides(was, is) });
      continue;
    }
    for (const field of namesOf(was, is)) {
      if (sameJson(was[field], is[field])) continue;
      changed.push({ component, field, ...sides(was[field], is[field]) });
    }
  }
  return changed;
}

const namesOf = (a: object, b: object): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();

function sides(before: Json | undefined, after: Json | undefined) {
  return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

/** The database gives keys in one order, whatever they were written in. */
const sameJson = (a: Json | undefined, b: Json | undefined): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);
