/**
 * What differs between a world as it is stored and a manifest with its module, and what becomes of
 * each difference. Pure: it decides, others ask and do.
 */
import { hasCode } from '@leasehold/kernel';
import {
  type ComponentSchema,
  durabilityText,
  type LayerSchema,
  layerSchema,
  planMigration,
} from '@leasehold/protocol';
import type { Manifest } from './manifest.ts';

/**
 * now: it holds as soon as it is applied. start: processes read it when they start. rest: only while
 * no pod is there. refused: never, as long as the stored state is kept.
 */
export type Effect = 'now' | 'start' | 'rest' | 'refused';

export type Change = {
  /** As the manifest nests it, or `component` or `component.field`. */
  readonly field: string;
  readonly was: string;
  readonly is: string;
  readonly effect: Effect;
  /** Why it is refused, or when it holds. */
  readonly reason: string;
};

type Rule = { readonly effect: Effect; readonly reason: string };

/** By first key. Name, layers and components have rules of their own. */
const RULES: Readonly<Record<Exclude<keyof Manifest, 'world' | 'layers'>, Rule>> = {
  space: { effect: 'refused', reason: 'what is stored is cut into cells by it' },
  blockCells: { effect: 'refused', reason: 'the key of every cell names its block' },
  seed: { effect: 'refused', reason: 'all that was random so far followed from it' },
  mode: {
    effect: 'refused',
    reason: 'cells of a realtime world stand at ticks of their own, those in lockstep at one',
  },
  margin: { effect: 'rest', reason: 'neighbouring pods must agree on where a cell ends' },
  tickHz: {
    effect: 'now',
    reason: 'the clock has the new rate at once, ticks their new length when pods start',
  },
  module: { effect: 'start', reason: 'pods load it when they start' },
  params: { effect: 'start', reason: 'pods read them when they start' },
  lease: { effect: 'start', reason: 'pods read it when they start' },
  index: { effect: 'start', reason: 'pods read it when they start' },
  sleep: { effect: 'start', reason: 'authorities and pods read it when they start' },
  prefabs: { effect: 'start', reason: 'whoever follows prefabs reads it when it starts' },
};

const VALUE_CHARACTERS_MAX = 60;
const NOTHING = 'nothing';

/** Each setting that differs, in the order of the rules; what is in layers is for `schemaChanges`. */
export function manifestChanges(was: Partial<Manifest>, is: Manifest): Change[] {
  const settings = Object.entries(RULES).flatMap(([key, rule]) => {
    const before = leaves(key, (was as Record<string, unknown>)[key]);
    const after = leaves(key, is[key as keyof Manifest]);
    const fields = [...new Set([...before.keys(), ...after.keys()])].sort();
    return fields
      .filter((field) => before.get(field) !== after.get(field))
      .map((field) => ({
        field,
        was: shown(before.get(field)),
        is: shown(after.get(field)),
        ...rule,
      }));
  });
  return [...settings, ...layersChange(was, is)];
}

/** Their names, and the order that numbers them. */
function layersChange(was: Partial<Manifest>, is: Manifest): Change[] {
  const [before, after] = [was.layers ?? is.layers, is.layers].map((of) =>
    Object.keys(of).join(', '),
  );
  if (before === after) return [];
  const reason = 'each is stored apart, and known to the others by its place among them';
  return [{ field: 'layers', was: before ?? '', is: after ?? '', effect: 'refused', reason }];
}

/** The values below a key, as JSON, by dotted path; a list is one value. */
function leaves(path: string, value: unknown, into = new Map<string, string>()) {
  if (value === undefined) return into;
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap) return into.set(path, JSON.stringify(value));
  for (const [key, each] of Object.entries(value)) leaves(`${path}.${key}`, each, into);
  return into;
}

function shown(json: string = NOTHING): string {
  return json.length > VALUE_CHARACTERS_MAX ? `${json.slice(0, VALUE_CHARACTERS_MAX)}…` : json;
}

/** Each component that came, went, moved to another layer or has other fields. */
export function schemaChanges(
  was: readonly LayerSchema[],
  is: readonly LayerSchema[],
): readonly Change[] {
  const before = placesOf(was);
  const after = placesOf(is);
  const changes: Change[] = [];
  for (const [name, place] of before) {
    const change = componentChange(place, after.get(name));
    if (change !== undefined) changes.push(change);
  }
  for (const [name, { layer, component }] of after) {
    if (before.has(name)) continue;
    const reason = 'entities may have it once pods run the module that declares it';
    const text = `version ${component.version} in layer ${layer}`;
    changes.push({ field: name, was: NOTHING, is: text, effect: 'start', reason });
  }
  return changes.sort((a, b) => (a.field < b.field ? -1 : 1));
}

type Place = { readonly layer: string; readonly component: ComponentSchema };

const placesOf = (schemas: readonly LayerSchema[]): Map<string, Place> =>
  new Map(
    schemas.flatMap(({ layer, components }) =>
      components.map((component) => [component.name, { layer, component }] as const),
    ),
  );

function componentChange(was: Place, is: Place | undefined): Change | undefined {
  const field = was.component.name;
  if (is !== undefined && is.layer !== was.layer) {
    const reason = `what entities have of it is in the log of the layer ${was.layer}`;
    const moved = { was: `layer ${was.layer}`, is: `layer ${is.layer}` };
    return { field: `layers.${field}`, ...moved, effect: 'refused', reason };
  }
  const older = layerSchema(was.layer, [was.component]);
  const newer = layerSchema(was.layer, is === undefined ? [] : [is.component]);
  if (older.hash === newer.hash) return undefined;
  const texts = { was: fieldsOf(was.component), is: is ? fieldsOf(is.component) : NOTHING };
  try {
    planMigration(older, newer);
  } catch (error) {
    if (!hasCode(error, 'SCHEMA_INCOMPATIBLE')) throw error;
    const { detail } = error;
    const reason = `${detail.value}. ${detail.remedy}`;
    return { field: detail.field, ...texts, effect: 'refused', reason };
  }
  return { field, ...texts, effect: 'start', reason: 'pods migrate each cell when they load it' };
}

function fieldsOf(component: ComponentSchema): string {
  const { version, fields, durability } = component;
  const kinds = fields.map(({ name, kind }) => `${name}: ${kind}`).join(', ');
  const text = `version ${version} {${kinds}}`;
  return durability === undefined ? text : `${text}, ${durabilityText(component)}`;
}
