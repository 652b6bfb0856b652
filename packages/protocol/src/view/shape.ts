/**
 * What encoder and decoder must agree on before a row can cross: which components and fields of a
 * layer are sent, and in which steps. It also holds the one rule of rounding.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ComponentSchema, FieldKind } from '../schema.ts';
import type { ViewGrid } from './messages.ts';

export type ViewField = {
  readonly name: string;
  readonly kind: FieldKind;
  /** How finely it is sent; 0: every bit. */
  readonly step: number;
  /** 1: the x of a position, 2: its y, counted from the cell's centre when it has a step. */
  readonly axis: 0 | 1 | 2;
};

export type ViewComponent = {
  readonly name: string;
  readonly version: number;
  /** In the layer: its bit in a layer's mask. In the shape its own index is its bit. */
  readonly index: number;
  readonly fields: readonly ViewField[];
};

export type ViewShape = { readonly components: readonly ViewComponent[] };

/**
 * The fixed point of what has none: not finite, or farther from its origin than 2^31 − 1 steps.
 */
export const Q_WIDE = -(2 ** 31);
const Q_MAX = 2 ** 31 - 1;

/**
 * The shape of the selected components of a layer (`components`, ascending by name as the schema
 * has them); of all when `selected` is absent. Throws `COMPONENT_UNKNOWN` for another name.
 */
export function viewShape(
  components: readonly ComponentSchema[],
  selected?: readonly string[],
): ViewShape {
  const unknown = selected?.find((name) => !components.some((known) => known.name === name));
  if (unknown !== undefined) {
    throw new LeaseholdError('COMPONENT_UNKNOWN', `the layer has no component ${unknown}`, {
      field: 'components',
      value: String(unknown).slice(0, 80),
      remedy: `Its components are ${components.map(({ name }) => name).join(', ') || 'none'}.`,
    });
  }
  const all = components.map(
    ({ name, version, fields, spatial }, index): ViewComponent => ({
      name,
      version,
      index,
      fields: fields.map((field) => ({
        name: field.name,
        kind: field.kind,
        step: field.step ?? 0,
        axis: spatial?.[0] === field.name ? 1 : spatial?.[1] === field.name ? 2 : 0,
      })),
    }),
  );
  if (selected === undefined) return { components: all };
  return { components: all.filter(({ name }) => selected.includes(name)) };
}

/**
 * How many steps the value is from the origin, to the nearest; NaN when it has no fixed point. An
 * encoder and a decoder that have the same value and origin get the same number.
 */
export function quantise(value: number, origin: number, step: number): number {
  // PERF: `Math.round` branches on the fraction, which nobody can foretell.
  const q = Math.floor((value - origin) / step + 0.5);
  return q >= -Q_MAX && q <= Q_MAX ? q : Number.NaN;
}

/** The centre of a cell, to the bit as the gateway's grid has it: the origin of positions. */
export function cellCentre(
  grid: Pick<ViewGrid, 'columns' | 'cellSize' | 'originX' | 'originY'>,
  cell: number,
): readonly [x: number, y: number] {
  const column = cell % grid.columns;
  const row = Math.floor(cell / grid.columns);
  return [
    grid.originX + (column + 0.5) * grid.cellSize,
    grid.originY + (row + 0.5) * grid.cellSize,
  ];
}
