/** What two versions of a world's prefabs differ in. Pure. */
import type { Json } from '@leasehold/protocol';
import { isSame, type Prefab } from './prefab.ts';

export type PrefabSet = {
  readonly commit: string;
  readonly prefabs: ReadonlyMap<string, Prefab>;
};

/** The version of a world that has none yet. */
export const NO_PREFABS: PrefabSet = { commit: '', prefabs: new Map() };

export type FieldDifference = {
  /** `component.field`, or `component` when it came or went as a whole. */
  readonly field: string;
  /** Undefined: the older version has no such component. */
  readonly was: Json | undefined;
  readonly is: Json | undefined;
};

export type PrefabDifference = {
  readonly name: string;
  readonly kind: 'added' | 'changed' | 'removed';
  /** Of a changed one. */
  readonly fields: readonly FieldDifference[];
};

/** Ascending by name; what is the same is left out, and so are descriptions. */
export function prefabDifferences(was: PrefabSet, is: PrefabSet): PrefabDifference[] {
  const names = [...new Set([...was.prefabs.keys(), ...is.prefabs.keys()])].sort();
  return names.flatMap((name): PrefabDifference[] => {
    const [older, newer] = [was.prefabs.get(name), is.prefabs.get(name)];
    if (older === undefined) return [{ name, kind: 'added', fields: [] }];
    if (newer === undefined) return [{ name, kind: 'removed', fields: [] }];
    const fields = fieldDifferences(older, newer);
    return fields.length === 0 ? [] : [{ name, kind: 'changed', fields }];
  });
}

function fieldDifferences(was: Prefab, is: Prefab): FieldDifference[] {
  const names = [...new Set([...Object.keys(was.components), ...Object.keys(is.components)])];
  return names.sort().flatMap((component): FieldDifference[] => {
    const [older, newer] = [was.components[component], is.components[component]];
    if (older === undefined || newer === undefined) {
      return [{ field: component, was: older, is: newer }];
    }
    const fields = [...new Set([...Object.keys(older), ...Object.keys(newer)])].sort();
    return fields
      .filter((field) => !isSame(older[field], newer[field]))
      .map((field) => ({ field: `${component}.${field}`, was: older[field], is: newer[field] }));
  });
}
