/**
 * What a bulk job creates: for each number of an entity its position and components, always the same
 * ones, so that a part that is done again asks for the same entities. Pure.
 */
import { LeaseholdError, Random, saltOf } from '@leasehold/kernel';
import type { Birth, ComponentValues } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape, type Grid } from '@leasehold/spatial';
import type { SpatialFields } from './worlds.ts';

/** As many as some pods of common size hold. */
export const JOB_ENTITIES_MAX = 1_000_000;
/** Entities of one step: its ids are kept while it is under way, some 100 KB. */
export const STEP_ENTITIES = 5_000;
/** Of an area that fills so little of a cell, points are not found by chance. */
const TRIES_MAX = 100_000;
/** Points by which the part of a border cell that is in the area is known to some per cent. */
const SAMPLES_PER_CELL_MAX = 4_096;
const SAMPLES_MAX = 262_144;
const SALT = saltOf('bulk');
const SAMPLE_SALT = saltOf('bulk sample');

export type BulkTemplate = {
  readonly count: number;
  readonly components: ComponentValues;
  readonly area: Area;
  readonly seed: number;
};

/** What a job creates, step by step: the same births whenever it is asked. */
export type BulkSource = {
  readonly steps: number;
  births(step: number): readonly Birth[] | Promise<readonly Birth[]>;
};

export class BulkPlan {
  readonly #template: BulkTemplate;
  readonly #grid: Grid;
  readonly #spatial: SpatialFields;
  readonly #shape: AreaShape;
  readonly #random = new Random();
  /** By cell of the area: how much of the area lies in it and in those before. */
  readonly #shares: Float64Array;

  /** Errors: `AREA_INVALID`, also for an area that fills next to nothing of its cells. */
  constructor(template: BulkTemplate, grid: Grid, spatial: SpatialFields) {
    this.#template = template;
    this.#grid = grid;
    this.#spatial = spatial;
    this.#shape = new AreaShape(grid, template.area as never);
    this.#shares = this.#sharesOf();
    if (this.#shares.at(-1) === 0) throw this.#tooSmall();
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
    const random = this.#random.key(seed, number, 0, SALT);
    const [x, y] = this.#point(random, this.#cellFor(number));
    const place = { ...components[name], [xName]: x, [yName]: y };
    return { cell: this.#grid.cellAt(x, y), components: { ...components, [name]: place } };
  }

  /**
   * PERF: entities whose numbers are near are in one cell, so a post carries hundreds. In a world of
   * 4,096 cells a job that spread each step over all of them was ten times slower.
   */
  #cellFor(number: number): number {
    const shares = this.#shares;
    const sought = ((number + 0.5) / this.#template.count) * (shares.at(-1) as number);
    let low = 0;
    let high = shares.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] as number) < sought) low = middle + 1;
      else high = middle;
    }
    return this.#shape.cells[low] as number;
  }

  #sharesOf(): Float64Array {
    const { cells } = this.#shape;
    const samples = Math.max(16, Math.min(SAMPLES_PER_CELL_MAX, SAMPLES_MAX / cells.length));
    let sum = 0;
    return Float64Array.from(cells, (cell) => {
      if (this.#isWhole(cell)) {
        sum += 1;
        return sum;
      }
      const random = this.#random.key(0, cell, 0, SAMPLE_SALT);
      let hits = 0;
      for (let i = 0; i < samples; i++) if (this.#hit(random, cell) !== undefined) hits++;
      sum += hits / samples;
      return sum;
    });
  }

  /** No part of it lies outside the area, or beyond the edge of a plane. */
  #isWhole(cell: number): boolean {
    const grid = this.#grid;
    if (!this.#shape.isWhole(cell)) return false;
    const half = grid.cellSize / 2;
    const right = grid.centreX(cell) + half;
    const top = grid.centreY(cell) + half;
    return right <= grid.originX + grid.width && top <= grid.originY + grid.height;
  }

  #point(random: Random, cell: number): readonly [number, number] {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const point = this.#hit(random, cell);
      if (point !== undefined) return point;
    }
    throw this.#tooSmall();
  }

  /** A point of a cell by chance, if it lies in the area. */
  #hit(random: Random, cell: number): readonly [number, number] | undefined {
    const grid = this.#grid;
    const half = grid.cellSize / 2;
    const x = grid.centreX(cell) + random.between(-half, half);
    const y = grid.centreY(cell) + random.between(-half, half);
    const isInside = grid.wrapX(x) === x && grid.wrapY(y) === y;
    if (!isInside || grid.cellAt(x, y) !== cell || !this.#shape.contains(x, y)) return undefined;
    return [x, y];
  }

  #tooSmall(): LeaseholdError {
    return new LeaseholdError('AREA_INVALID', 'the area is too small to spread entities over', {
      field: 'area',
      value: this.#template.area.kind,
      remedy: 'Give an area of at least a thousandth of a cell.',
    });
  }
}
