/**
 * Whether a round changed all rows of a cell in a way that every face of it can be told by the same
 * differences: then they are made once, and cut to the members of each face.
 */
import type { DeltaStencil, StencilField, ViewComponent } from '@leasehold/protocol/view';
import type { LiveCell } from './live-cell.ts';
import type { Chosen } from './selection.ts';

/** No version leads to this round by the stencil. */
export const NO_STENCIL = -2;

type Field = { -readonly [K in keyof StencilField]: StencilField[K] };
/** PERF: used again for every cell. */
const fields: Field[] = [];
const known: Field[] = [];
const BASE = { seq: 0, hash: 0 };

/** Answers the version from which the stencil leads to what the cell shows now, or `NO_STENCIL`. */
export function prepareStencil(
  stencil: DeltaStencil,
  { rows, shown, published }: LiveCell,
  { shape }: Chosen,
  round: number,
): number {
  if (rows.round !== round || rows.dqRound !== round || rows.before === 0) return NO_STENCIL;
  let used = 0;
  for (let component = 0; component < shape.components.length; component++) {
    const { index, fields: all } = shape.components[component] as ViewComponent;
    const fieldAt = rows.fieldAt[index] as Float64Array;
    for (let field = 0; field < all.length; field++) {
      if (fieldAt[field] !== round) continue;
      if (rows.allAt[index] !== round) return NO_STENCIL;
      const one = known[used] ?? { component, field };
      known[used] = one;
      one.component = component;
      one.field = field;
      fields[used++] = one;
    }
  }
  fields.length = used;
  const isMade =
    published.readAt(rows.before, BASE) && stencil.prepare(shape, shown, BASE, rows, fields);
  return isMade ? rows.before : NO_STENCIL;
}
