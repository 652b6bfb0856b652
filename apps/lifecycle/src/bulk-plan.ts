/**
 * What a bulk job creates: for each number of an entity its position and components, always the same
 * ones, so that a part that is done again asks for the same entities. Pure.
 */
import { LeaseholdError, Random, saltOf } from '@leasehold/kernel';
import type { ComponentValues } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape, type Grid } from '@leasehold/spatial';
import type { Birth } from './births.ts';
import type { SpatialFields } from './worlds.ts';

/** As many as some pods of common size hold. */
export const JOB_ENTITIES_MAX = 1_000_000;
/** Entities of one step: its ids are kept while it is under way, some 100 KB. */
export const STEP_ENTITIES = 5_000;
/** Of an area that fills so little of the cells it touches, points are not found by chance. */
const TRIES_MAX = 10_000;
const SALT = saltOf('bulk');

export type BulkTemplate = {
  readonly count: number;
  readonly components: ComponentValues;
  readonly area: Area;
  readonly seed: number;
};

export class BulkPlan {
  readonly #template: BulkTemplate;
  readonly #grid: Grid;
  readonly #spatial: SpatialFields;
  readonly #shape: AreaShape;
  readonly #random = new Random();

  /** Errors: `AREA_INVALID`. */
  constructor(template: BulkTemplate, grid: Grid, spatial: SpatialFields) {
    this.#template = template;
    this.#grid = grid;
    this.#spatial = spatial;
    this.#shape = new AreaShape(grid, template.area as never);
  }

  get steps(): number {
    return Math.ceil(this.#template.count / STEP_ENTITIES);
  }

  /** Errors: `AREA_INVALID` for an area in which no point is found. */
  births(step: number): Birth[] {
    const from = step * STEP_ENTITIES;
    const count = Math.min(STEP_ENTITIES, this.#template.count - from);
    return Array.from({ length: count }, (_, i) => this.#birth(from + i));
  }

  #birth(number: number): Birth {
    const { seed, components } = this.#template;
    const { name, xName, yName } = this.#spatial;
    const [x, y] = this.#point(this.#random.key(seed, number, 0, SALT));
    const place = { ...components[name], [xName]: x, [yName]: y };
    return { cell: this.#grid.cellAt(x, y), components: { ...components, [name]: place } };
  }

  /** Cells are of one size, so a point of a cell by chance is one of the area by chance. */
  #point(random: Random): readonly [number, number] {
    const grid = this.#grid;
    const { cells } = this.#shape;
    const half = grid.cellSize / 2;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const cell = cells[random.below(cells.length)] as number;
      const x = grid.centreX(cell) + random.between(-half, half);
      const y = grid.centreY(cell) + random.between(-half, half);
      const isInside = grid.wrapX(x) === x && grid.wrapY(y) === y;
      if (isInside && grid.cellAt(x, y) === cell && this.#shape.contains(x, y)) return [x, y];
    }
    throw new LeaseholdError('AREA_INVALID', 'the area is too small to spread entities over', {
      field: 'area',
      value: this.#template.area.kind,
      remedy: 'Give an area of at least a thousandth of a cell.',
    });
  }
}
