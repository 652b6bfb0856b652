/** Whether values that somebody sends fit the components of a layer, by their names and kinds. */
import { LeaseholdError } from '@leasehold/kernel';
import { type ComponentValues, isOfKind, type Json, type LayerSchema } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { OpenLayer, OpenWorld } from './worlds.ts';

const VALUE_SHOWN_MAX = 100;

/** The layer that has these components. Errors: `COMPONENT_UNKNOWN`; `SETTING_INVALID` for several. */
export function layerOf(open: OpenWorld, names: readonly string[]): OpenLayer {
  const [bearing] = open.layers;
  const found = new Set(names.map((name) => layerWith(open, name)));
  if (found.size === 0) return bearing;
  const [only, ...others] = [...found];
  if (only !== undefined && others.length === 0) return only;
  throw new LeaseholdError('SETTING_INVALID', 'components of several layers in one request', {
    field: 'components',
    value: names.join(', ').slice(0, VALUE_SHOWN_MAX),
    remedy: 'Send one request for each layer: each is changed by another pod.',
  });
}

function layerWith(open: OpenWorld, name: string): OpenLayer {
  const layer = open.layers.find(({ schema }) => has(schema, name));
  if (layer !== undefined) return layer;
  const known = open.layers.flatMap(({ schema }) => schema.components.map((each) => each.name));
  throw new LeaseholdError('COMPONENT_UNKNOWN', `no component is called ${name}`, {
    field: 'components',
    value: name.slice(0, VALUE_SHOWN_MAX),
    remedy: `The world has ${known.join(', ')}.`,
  });
}

const has = (schema: LayerSchema, name: string): boolean =>
  schema.components.some((component) => component.name === name);

/** Errors: `COMPONENT_UNKNOWN`, `VALUE_INVALID`; `at` begins the name of the field. */
export function checkValues(schema: LayerSchema, values: ComponentValues, at: string): void {
  for (const [name, fields] of Object.entries(values)) {
    const component = schema.components.find((each) => each.name === name);
    if (component === undefined) {
      throw new LeaseholdError('COMPONENT_UNKNOWN', `no component is called ${name}`, {
        field: `${at}.${name}`.slice(0, VALUE_SHOWN_MAX),
        value: name.slice(0, VALUE_SHOWN_MAX),
        remedy: `The layer has ${schema.components.map((each) => each.name).join(', ')}.`,
      });
    }
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
    throw invalid(at, 'no position', 'The layer has no positions, so no cell to be born in.');
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

function invalid(field: string, value: Json, what: string): LeaseholdError {
  const name = field.slice(0, VALUE_SHOWN_MAX);
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, VALUE_SHOWN_MAX);
  return new LeaseholdError('VALUE_INVALID', `${name} cannot be ${shown}: ${what}`, {
    field: name,
    value: shown,
    remedy: 'Give values of the kinds that the components declare.',
  });
}
