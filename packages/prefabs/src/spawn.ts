/**
 * Many entities of one prefab, spread over an area. Pure: the same request gives the same entities,
 * so whoever asks may first learn how many ids each cell must reserve.
 */
import { LeaseholdError, Random } from '@leasehold/kernel';
import { type ComponentValues, type NewEntity, PREFAB_COMPONENT } from '@leasehold/protocol';
import { AreaShape, type AreaSpec, type Grid } from '@leasehold/spatial';
import type { Components, Prefab } from './prefab.ts';

/** More belong into the seed of a world. */
export const SPAWN_MAX = 1_000_000;
/** An area that is met by fewer draws than this is a line. */
const DRAWS_PER_ENTITY_MAX = 10_000;

export type SpawnRequest = {
  readonly prefab: Prefab;
  /** The commit that the prefab is of. */
  readonly version: string;
  readonly components: Components;
  readonly grid: Grid;
  readonly area: AreaSpec;
  readonly count: number;
  /** 0 … 2^32 − 1. */
  readonly seed: number;
};

/**
 * The entities by their cells, in the order of their numbers. `nextId` gives the ids that a cell
 * has reserved, one after the other. Errors: `AREA_INVALID`, `SETTING_INVALID` for the count and for
 * a world without a position.
 */
export function spawnedEntities(
  request: SpawnRequest,
  nextId: (cell: number) => number,
): ReadonlyMap<number, readonly NewEntity[]> {
  const { prefab, version } = request;
  const spatial = spatialOf(request.components);
  const [xField, yField] = spatial.fields;
  const own = { [PREFAB_COMPONENT]: { name: prefab.name, version } };
  const byCell = new Map<number, NewEntity[]>();
  for (const { x, y, cell } of points(request, spatial)) {
    const position = { ...prefab.components[spatial.name], [xField]: x, [yField]: y };
    const components: ComponentValues = {
      ...prefab.components,
      ...own,
      [spatial.name]: position,
    };
    const entities = byCell.get(cell) ?? [];
    entities.push({ id: nextId(cell), components });
    byCell.set(cell, entities);
  }
  return byCell;
}

/** How many of them each cell will have. Errors: those of `spawnedEntities`. */
export function spawnedCounts(request: SpawnRequest): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const spatial = spatialOf(request.components);
  for (const { cell } of points(request, spatial)) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  return counts;
}

type Point = { readonly x: number; readonly y: number; readonly cell: number };

/** Evenly over the area: a point is drawn in the cells that it touches until it lies in it. */
function* points(
  { grid, area, count, seed }: SpawnRequest,
  { isShort }: Spatial,
): Generator<Point> {
  if (!Number.isInteger(count) || count < 1 || count > SPAWN_MAX) {
    const remedy = `Give a whole number from 1 to ${SPAWN_MAX}.`;
    throw invalid('count', String(count), `${count} entities cannot be spawned`, remedy);
  }
  const shape = new AreaShape(grid, area);
  const random = new Random();
  for (let n = 0; n < count; n++) {
    random.key(seed, n, 0, 0);
    const { x, y } = pointIn(grid, shape, random);
    // The cell is that of the value as it is stored.
    const [atX, atY] = isShort ? [Math.fround(x), Math.fround(y)] : [x, y];
    yield { x: atX, y: atY, cell: grid.cellAt(atX, atY) };
  }
}

function pointIn(grid: Grid, shape: AreaShape, random: Random): Omit<Point, 'cell'> {
  for (let draw = 0; draw < DRAWS_PER_ENTITY_MAX; draw++) {
    const drawn = shape.cells[random.below(shape.cells.length)] as number;
    const x = grid.minX(drawn) + random.float() * grid.cellSize;
    const y = grid.minY(drawn) + random.float() * grid.cellSize;
    const isInside = x < grid.originX + grid.width && y < grid.originY + grid.height;
    if (isInside && shape.contains(x, y)) return { x, y };
  }
  const remedy = 'Make it larger: nothing is found in it by chance.';
  throw invalid('area', shape.spec.kind, 'the area is too thin to spawn in', remedy);
}

type Spatial = {
  readonly name: string;
  readonly fields: readonly [string, string];
  /** Its fields are f32. */
  readonly isShort: boolean;
};

function spatialOf(components: Components): Spatial {
  for (const { name, spatial, fields } of components.values()) {
    if (spatial === undefined) continue;
    const isShort = fields.some((field) => spatial.includes(field.name) && field.kind === 'f32');
    return { name, fields: spatial, isShort };
  }
  const remedy = 'Declare a component with spatial fields in the module.';
  throw invalid('components', 'none with a position', 'nothing in this world has a place', remedy);
}

function invalid(field: string, value: string, message: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SETTING_INVALID', message, { field, value, remedy });
}
