/** Whether values that somebody sends fit the components of a world, by their names and kinds. */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type ComponentSchema,
  type ComponentValues,
  type EntityMatch,
  isOfKind,
  type Json,
} from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { OpenLayer, OpenWorld } from './worlds.ts';

const VALUE_SHOWN_MAX = 100;

type NamedLayer = Pick<OpenLayer, 'layer' | 'own'>;
/** What the names of components are looked up in. */
export type NamedLayers = Pick<OpenWorld, 'components'> & {
  readonly layers: readonly [NamedLayer, ...NamedLayer[]];
};

/** The layers that have these components. Errors: `COMPONENT_UNKNOWN`. */
export function layersOf(open: NamedLayers, names: readonly string[]): NamedLayer[] {
  return [...new Set(names.map((name) => layerWith(open, name)))];
}

function layerWith({ layers, components }: NamedLayers, name: string): NamedLayer {
  const layer = layers.find(({ own }) => own.components.some((each) => each.name === name));
  if (layer !== undefined) return layer;
  throw unknownComponent(components, name, 'components');
}

/**
 * What was read is compared in the tick that changes it, by the layer that has it: what spans layers
 * changes in several ticks, and between those nobody could say that nothing else has. Errors:
 * `COMPONENT_UNKNOWN`; `REQUEST_INVALID` for what spans layers.
 */
export function checkMatch(
  open: NamedLayers,
  match: EntityMatch | undefined,
  changed: readonly string[],
): void {
  const [home] = open.layers;
  if (match === undefined || match.components.length === 0 || open.layers.length === 1) return;
  const acting = changed.length === 0 ? [home] : layersOf(open, changed);
  const read = layersOf(open, match.components);
  if (acting.length === 1 && read.length === 1 && acting[0] === read[0]) return;
  const namesOf = (of: readonly NamedLayer[]): string => of.map(({ layer }) => layer).join(', ');
  const what = `If-Match is of ${namesOf(read)}, and what is to be changed of ${namesOf(acting)}`;
  throw new LeaseholdError('REQUEST_INVALID', what, {
    field: 'If-Match',
    value: match.components.join(', ').slice(0, VALUE_SHOWN_MAX),
    remedy:
      acting.length === 1
        ? `Read only components of the layer ${namesOf(acting)}, with ?components=, and send that tag.`
        : 'Send one request for each layer, with the entity tag of components of that layer.',
  });
}

/** Errors: `COMPONENT_UNKNOWN`, `VALUE_INVALID`; `at` begins the name of the field. */
export function checkValues(
  components: readonly ComponentSchema[],
  values: ComponentValues,
  at: string,
): void {
  for (const [name, fields] of Object.entries(values)) {
    const component = components.find((each) => each.name === name);
    if (component === undefined) throw unknownComponent(components, name, `${at}.${name}`);
    for (const [field, value] of Object.entries(fields)) {
      const known = component.fields.find((each) => each.name === field);
      if (known !== undefined && isOfKind(known.kind, value)) continue;
      const remedy =
        known === undefined
          ? `It has ${component.fields.map((each) => each.name).join(', ')}.`
          : `It is of kind ${known.kind}.`;
      throw invalid(`${at}.${name}.${field}`, value, remedy);
    }
  }
}

/** The cell that an entity is to be born in, by its position. Errors: `VALUE_INVALID`. */
export function cellOf(
  grid: Grid,
  { spatial, schema }: OpenLayer,
  values: ComponentValues,
  at: string,
): number {
  if (spatial === undefined) {
    throw invalid(at, 'no position', 'The world has no positions, so no cell to be born in.');
  }
  const fields = values[spatial.name];
  if (fields === undefined) {
    const remedy = `Give it ${spatial.name} with ${spatial.xName} and ${spatial.yName}.`;
    throw invalid(`${at}.${spatial.name}`, 'nothing', remedy);
  }
  const component = schema.components[spatial.component];
  const [x, y] = [spatial.x, spatial.y].map((f) => {
    const field = component?.fields[f];
    const value = fields[field?.name ?? ''] ?? field?.initial;
    return typeof value === 'number' ? value : 0;
  }) as [number, number];
  return grid.cellAt(x, y);
}

function unknownComponent(
  components: readonly ComponentSchema[],
  name: string,
  field: string,
): LeaseholdError {
  return new LeaseholdError('COMPONENT_UNKNOWN', `no component is called ${name}`, {
    field: field.slice(0, VALUE_SHOWN_MAX),
    value: name.slice(0, VALUE_SHOWN_MAX),
    remedy: `The world has ${components.map((each) => each.name).join(', ')}.`,
  });
}

function invalid(field: string, value: Json, what: string): LeaseholdError {
  const name = field.slice(0, VALUE_SHOWN_MAX);
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, VALUE_SHOWN_MAX);
  return new LeaseholdError('VALUE_INVALID', `${name} cannot be ${shown}: ${what}`, {
    field: name,
    value: shown,
    remedy: 'Give values of the kinds that the components declare.',
  });
}
