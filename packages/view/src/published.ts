/**
 * The rows of one cell as views see them: copied from the followed table once a round, positions in
 * fixed point, each row and component stamped with the round in which it last changed. Whatever a
 * client has seen, what it misses can be told from the stamps.
 */
import { assert } from '@leasehold/kernel';
import {
  type Column,
  emptyColumn,
  type LayerSchema,
  type Slab,
  type Table,
} from '@leasehold/protocol';
import { Q_WIDE, quantise, type ViewRows } from '@leasehold/protocol/view';

/** How views see one field. */
type Fixed = { readonly step: number; readonly origin: number };
type Spatial = { readonly component: number; readonly x: number; readonly y: number };

/** Which fields the commits of a round have touched: [component], bit f. All bits after a load. */
export type Touched = Uint32Array;

const CAPACITY_MIN = 16;
/**
 * Ways are added up over so many rounds at most: what rounding makes of their sum is then below
 * `DRIFT_ROUNDING` of it.
 */
const DRIFT_ROUNDS_MAX = 4_096;
export const DRIFT_ROUNDING = 1e-9;

export class Published implements ViewRows {
  readonly schema: LayerSchema;
  count = 0;
  ids = new Float64Array(0);
  masks = new Uint32Array(0);
  columns: Column[][];
  q: (Int32Array | undefined)[][];
  dq: (Int32Array | undefined)[][];
  /** [row] The round in which the row appeared, or got other components. */
  bornAt = new Float64Array(0);
  /** [component][row] The round of the last change. */
  changedAt: Float64Array[];
  /** [component][field] The round in which any row of the field last changed. */
  readonly fieldAt: Float64Array[];
  /** [component] The last round in which every row changed: nobody needs to look at each of them. */
  readonly allAt: Float64Array;
  /** The round of the last publication, and of the one before. */
  round = 0;
  before = 0;
  /** The round in which rows last moved to other numbers. */
  movedAt = 0;
  /** The round that `dq` is about: that of the last publication, unless nothing came of a later. */
  dqRound = 0;
  /**
   * How far any row may have gone, by x and by y, since `driftSince`: the longest ways of all
   * rounds, added up. Not a number where that is not known.
   */
  driftX = 0;
  driftY = 0;
  /** The round in which the drift began anew; whatever was told from it before means nothing. */
  driftSince = 0;
  #driftRounds = 0;
  readonly #spatial: Spatial | undefined;
  readonly #fixed: readonly (readonly (Fixed | undefined)[])[];
  #spare: Published | undefined;

  /** `centre`: of the cell; positions are relative to it. */
  constructor(
    schema: LayerSchema,
    spatial: Spatial | undefined,
    centre: { readonly x: number; readonly y: number },
  ) {
    this.schema = schema;
    this.#spatial = spatial;
    this.#fixed = schema.components.map(({ fields }, c) =>
      fields.map(({ step }, f) => {
        if (step === undefined) return undefined;
        if (spatial?.component !== c) return { step, origin: 0 };
        return { step, origin: f === spatial.x ? centre.x : f === spatial.y ? centre.y : 0 };
      }),
    );
    this.columns = schema.components.map(({ fields }) => fields.map((f) => emptyColumn(f.kind, 0)));
    this.q = this.#fixed.map((fields) => fields.map((fixed) => fixed && new Int32Array(0)));
    this.dq = this.#fixed.map((fields) => fields.map((fixed) => fixed && new Int32Array(0)));
    this.changedAt = schema.components.map(() => new Float64Array(0));
    this.fieldAt = schema.components.map(({ fields }) => new Float64Array(fields.length));
    this.allAt = new Float64Array(schema.components.length).fill(-1);
  }

  /** The last round in which anything was published, or rows moved. */
  get latest(): number {
    return Math.max(this.round, this.movedAt);
  }

  /** Same rows as before, some fields touched. Answers whether a view could see it. */
  publishFields(table: Table, touched: Touched, round: number): boolean {
    assert(table.count === this.count, 'the rows are those published before');
    let isNews = false;
    if (++this.#driftRounds > DRIFT_ROUNDS_MAX) this.#resetDrift(round);
    for (let c = 0; c < this.columns.length; c++) {
      const bits = touched[c] as number;
      for (let f = 0; bits !== 0 && f < (this.columns[c] as Column[]).length; f++) {
        if (((bits >>> f) & 1) === 1 && this.#publishField(table, c, f, round)) isNews = true;
      }
    }
    this.dqRound = round;
    if (isNews) this.#mark(round);
    return isNews;
  }

  #resetDrift(round: number): void {
    this.driftX = 0;
    this.driftY = 0;
    this.driftSince = round;
    this.#driftRounds = 0;
  }

  #drift(c: number, f: number, way: number): void {
    const spatial = this.#spatial;
    if (spatial?.component !== c) return;
    if (f === spatial.x) this.driftX += way;
    if (f === spatial.y) this.driftY += way;
  }

  #mark(round: number): void {
    this.before = this.round;
    this.round = round;
  }

  #publishField(table: Table, c: number, f: number, round: number): boolean {
    const values = (table.columns[c] as Column[])[f] as Column;
    const own = (this.columns[c] as Column[])[f] as Column;
    const stamps = this.changedAt[c] as Float64Array;
    const fixed = this.#fixed[c]?.[f];
    const isNews =
      fixed === undefined
        ? stampChanged(values, own, stamps, this.count, round)
        : this.#stampFixed(values as Float64Array, c, f, fixed, round);
    if (isNews) (this.fieldAt[c] as Float64Array)[f] = round;
    if (isNews && fixed === undefined) this.#drift(c, f, Number.NaN);
    return isNews;
  }

  /**
   * PERF: one loop over typed arrays; a position that moved less than a step is not news. Ways and
   * rounding are reckoned without a branch: half of them would be foretold wrongly.
   */
  #stampFixed(values: Float64Array, c: number, f: number, fixed: Fixed, round: number): boolean {
    const { step, origin } = fixed;
    const own = (this.columns[c] as Column[])[f] as Float64Array;
    const q = this.q[c]?.[f] as Int32Array;
    const dq = this.dq[c]?.[f] as Int32Array;
    const stamps = this.changedAt[c] as Float64Array;
    const { count } = this;
    let changed = 0;
    let longest = 0;
    for (let row = 0; row < count; row++) {
      const value = values[row] as number;
      const past = own[row] as number;
      const old = q[row] as number;
      const now = fixedOf(value, origin, step);
      // What is not a number comes through.
      longest = Math.max(longest, Math.abs(value - past));
      own[row] = value;
      if (now === old && (now !== Q_WIDE || Object.is(past, value))) {
        dq[row] = 0;
        continue;
      }
      dq[row] = differenceOf(old, now);
      q[row] = now;
      stamps[row] = round;
      changed++;
    }
    if (changed === count) this.allAt[c] = round;
    this.#drift(c, f, longest);
    return changed > 0;
  }

  /**
   * Rows came or went. `touched` as in `publishFields`, for those who stayed. Answers whether a
   * view could see it.
   */
  publishRows(table: Table, touched: Touched, round: number): boolean {
    const next = this.#spareFor(table.count);
    next.count = table.count;
    let isNews = this.#match(table, next, round);
    for (let c = 0; c < this.columns.length; c++) {
      carry(this.changedAt[c] as Float64Array, next.changedAt[c] as Float64Array, next.count);
      for (let f = 0; f < (this.columns[c] as Column[]).length; f++) {
        const isTouched = (((touched[c] as number) >>> f) & 1) === 1;
        if (!this.#carryField(next, table, { c, f, isTouched }, round)) continue;
        (this.fieldAt[c] as Float64Array)[f] = round;
        isNews = true;
      }
    }
    this.#swap(next);
    this.dqRound = round;
    this.movedAt = round;
    this.#resetDrift(round);
    // Who came has no stamp: from now on each is looked at until all have changed again.
    this.allAt.fill(-1);
    if (isNews) this.#mark(round);
    return isNews;
  }

  /**
   * Finds for each row of the table where it was before: in `from`, −1 where it was not. Both ascend
   * by id. Answers whether anybody came, left, or has other components.
   */
  #match(table: Table, next: Published, round: number): boolean {
    const { ids, masks, bornAt, count } = this;
    if (from.length < table.count) from = new Int32Array(table.count * 2);
    let old = 0;
    let kept = 0;
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      const mask = table.masks[row] as number;
      while (old < count && (ids[old] as number) < id) old++;
      const isKnown = old < count && ids[old] === id;
      const isKept = isKnown && masks[old] === mask;
      next.ids[row] = id;
      next.masks[row] = mask;
      next.bornAt[row] = isKept ? (bornAt[old] as number) : round;
      if (isKept) kept++;
      from[row] = isKnown ? old++ : -1;
    }
    return kept < table.count || kept < count;
  }

  #carryField(
    next: Published,
    table: Table,
    { c, f, isTouched }: { readonly c: number; readonly f: number; readonly isTouched: boolean },
    round: number,
  ): boolean {
    const carried = {
      values: (table.columns[c] as Column[])[f] as Column,
      own: (this.columns[c] as Column[])[f] as Column,
      into: (next.columns[c] as Column[])[f] as Column,
      stamps: next.changedAt[c] as Float64Array,
      isTouched,
    };
    const fixed = this.#fixed[c]?.[f];
    if (fixed === undefined) return carryPlain(carried, next.count, round);
    const q = this.q[c]?.[f] as Int32Array;
    const nextQ = next.q[c]?.[f] as Int32Array;
    const nextDq = next.dq[c]?.[f] as Int32Array;
    return carryFixed(carried, { fixed, q, nextQ, nextDq }, next.count, round);
  }

  /** Arrays to build the next publication in: those of the one before the last. */
  #spareFor(count: number): Published {
    const spare = this.#spare;
    if (spare !== undefined && spare.ids.length >= count) return spare;
    const made = new Published(this.schema, undefined, { x: 0, y: 0 });
    made.#reserve(Math.max(CAPACITY_MIN, count + (count >>> 1)), this.#fixed);
    return made;
  }

  #reserve(capacity: number, fixed: readonly (readonly (Fixed | undefined)[])[]): void {
    this.ids = new Float64Array(capacity);
    this.masks = new Uint32Array(capacity);
    this.bornAt = new Float64Array(capacity);
    this.changedAt = this.schema.components.map(() => new Float64Array(capacity));
    this.columns = this.schema.components.map(({ fields }) =>
      fields.map(({ kind }) => emptyColumn(kind, capacity)),
    );
    this.q = fixed.map((fields) => fields.map((each) => each && new Int32Array(capacity)));
    this.dq = fixed.map((fields) => fields.map((each) => each && new Int32Array(capacity)));
  }

  /** PERF: one by one; spreading them takes as long as finding who came. */
  #swap(next: Published): void {
    [this.count, next.count] = [next.count, this.count];
    [this.ids, next.ids] = [next.ids, this.ids];
    [this.masks, next.masks] = [next.masks, this.masks];
    [this.columns, next.columns] = [next.columns, this.columns];
    [this.q, next.q] = [next.q, this.q];
    [this.dq, next.dq] = [next.dq, this.dq];
    [this.bornAt, next.bornAt] = [next.bornAt, this.bornAt];
    [this.changedAt, next.changedAt] = [next.changedAt, this.changedAt];
    this.#spare = next;
  }
}

function fixedOf(value: number, origin: number, step: number): number {
  const q = quantise(value, origin, step);
  return Number.isNaN(q) ? Q_WIDE : q;
}

const differenceOf = (old: number, now: number): number => {
  if (old === Q_WIDE || now === Q_WIDE) return Q_WIDE;
  const difference = now - old;
  // Beyond 31 bits a difference saves nothing, and would wrap around.
  return Math.abs(difference) < 2 ** 30 ? difference : Q_WIDE;
};

function stampChanged(
  values: Column,
  own: Column,
  stamps: Float64Array,
  count: number,
  round: number,
): boolean {
  let isNews = false;
  for (let row = 0; row < count; row++) {
    if (Object.is(values[row], own[row])) continue;
    (own as unknown[])[row] = values[row];
    stamps[row] = round;
    isNews = true;
  }
  return isNews;
}

/** PERF: where each row was before, for whichever cell is being published. */
let from = new Int32Array(256);

function carry(own: Float64Array, into: Float64Array, count: number): void {
  for (let row = 0; row < count; row++) {
    const old = from[row] as number;
    into[row] = old >= 0 ? (own[old] as number) : 0;
  }
}

/** A field of rows that came, went or stayed. */
type Carried = {
  readonly values: Column;
  readonly own: Column;
  readonly into: Column;
  readonly stamps: Float64Array;
  readonly isTouched: boolean;
};

type CarriedFixed = {
  readonly fixed: Fixed;
  readonly q: Int32Array;
  readonly nextQ: Int32Array;
  readonly nextDq: Int32Array;
};

function carryFixed(
  { values, own, into, stamps, isTouched }: Carried,
  { fixed, q, nextQ, nextDq }: CarriedFixed,
  count: number,
  round: number,
): boolean {
  const { step, origin } = fixed;
  const [past, now] = [own as Float64Array, into as Float64Array];
  let isNews = false;
  for (let row = 0; row < count; row++) {
    const old = from[row] as number;
    const value = (values as Float64Array)[row] as number;
    const steps = fixedOf(value, origin, step);
    now[row] = value;
    nextQ[row] = steps;
    nextDq[row] = 0;
    if (old < 0) continue;
    const was = q[old] as number;
    nextDq[row] = differenceOf(was, steps);
    if (steps === was && (steps !== Q_WIDE || !isTouched || Object.is(value, past[old]))) continue;
    stamps[row] = round;
    isNews = true;
  }
  return isNews;
}

function carryPlain(
  { values, own, into, stamps, isTouched }: Carried,
  count: number,
  round: number,
): boolean {
  if (Array.isArray(into)) for (let row = 0; row < count; row++) into[row] = values[row] as never;
  else into.set((values as Slab).subarray(0, count));
  let isNews = false;
  for (let row = 0; isTouched && row < count; row++) {
    const old = from[row] as number;
    if (old < 0 || Object.is(values[row], own[old])) continue;
    stamps[row] = round;
    isNews = true;
  }
  return isNews;
}
