/** Which entity is under the pointer. Pure; runs over all slots, which is cheap. */
import type { Positions } from '@leasehold/client';

/** From the units of the space to pixels: x·scale + left, top − y·scale. */
export type Screen = { readonly scale: number; readonly left: number; readonly top: number };

/** The slot of the entity nearest to a pixel, within `withinPx`; −1 where there is none. */
export function slotAt(
  positions: Positions,
  screen: Screen,
  at: { readonly xPx: number; readonly yPx: number; readonly withinPx: number },
): number {
  const { count, ids, x, y } = positions;
  const centreX = (at.xPx - screen.left) / screen.scale;
  const centreY = (screen.top - at.yPx) / screen.scale;
  let nearest = (at.withinPx / screen.scale) ** 2;
  let found = -1;
  for (let slot = 0; slot < count; slot++) {
    if (ids[slot] === 0) continue;
    const distance = (x[slot]! - centreX) ** 2 + (y[slot]! - centreY) ** 2;
    if (distance > nearest) continue;
    nearest = distance;
    found = slot;
  }
  return found;
}

/**
 * The id that comes after `id` when all within the bounds are gone through by id; the first one
 * after the last. `step` −1 goes back. 0 where nobody is.
 */
export function idBeside(
  positions: Positions,
  bounds: { minX: number; minY: number; maxX: number; maxY: number },
  id: number,
  step: 1 | -1,
): number {
  const { count, ids, x, y } = positions;
  let next = 0;
  let first = 0;
  for (let slot = 0; slot < count; slot++) {
    const other = ids[slot]!;
    if (other === 0 || x[slot]! < bounds.minX || x[slot]! > bounds.maxX) continue;
    if (y[slot]! < bounds.minY || y[slot]! > bounds.maxY) continue;
    if (first === 0 || (other - first) * step < 0) first = other;
    const isAfter = id === 0 || (other - id) * step > 0;
    if (isAfter && (next === 0 || (other - next) * step < 0)) next = other;
  }
  return next === 0 ? first : next;
}
