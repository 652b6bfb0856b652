/**
 * The rows of one cell as views see them: copied from the followed table once a round, positions in
 * fixed point, each row and component stamped with the round in which it last changed. Whatever a
 * client has seen, what it misses can be told from the stamps.
 */
import { assert } from '@leasehold/kernel';
import { type Column, emptyColumn, type LayerSchema, type Table } from '@leasehold/protocol';
import { Q_WIDE, quantise, type ViewRows } from '@leasehold/protocol/view';

/** How views see one field. */
type Fixed = { readonly step: number; readonly origin: number };

/** Which fields the commits of a round have touched: [component], bit f. All bits after a load. */
export type Touched = Uint32Array;

const CAPACITY_MIN = 16;

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
  readonly #fixed: readonly (readonly (Fixed | undefined)[])[];
  #spare: Published | undefined;

  /** `centre`: of the cell; positions are relative to it. */
  constructor(
    schema: LayerSchema,
    spatial: { readonly component: number; readonly x: number; readonly y: number } | undefined,
    centre: { readonly x: number; readonly y: number },
  ) {
    this.schema = schema;
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
    return isNews;
  }

  /** PERF: one loop over typed arrays; a position that moved less than a step is not news. */
  #stampFixed(values: Float64Array, c: number, f: number, fixed: Fixed, round: number): boolean {
    const { step, origin } = fixed;
    const own = (this.columns[c] as Column[])[f] as Float64Array;
    const q = this.q[c]?.[f] as Int32Array;
    const dq = this.dq[c]?.[f] as Int32Array;
    const stamps = this.changedAt[c] as Float64Array;
    let changed = 0;
    for (let row = 0; row < this.count; row++) {
      const value = values[row] as number;
      const old = q[row] as number;
      const now = fixedOf(value, origin, step);
      if (now === old && (now !== Q_WIDE || Object.is(own[row], value))) {
        dq[row] = 0;
      } else {
        dq[row] = differenceOf(old, now);
        q[row] = now;
        stamps[row] = round;
        changed++;
      }
      own[row] = value;
    }
    if (changed === this.count) this.allAt[c] = round;
    return changed > 0;
  }

  /**
   * Rows came or went. `touched` as in `publishFields`, for those who stayed. Answers whether a
   * view could see it.
   */
  publishRows(table: Table, touched: Touched, round: number): boolean {
    const next = this.#spareFor(table.count);
    const { from, isSame } = this.#match(table);
    next.count = table.count;
    next.ids.set(table.ids.subarray(0, table.count));
    next.masks.set(table.masks.subarray(0, table.count));
    let isNews = !isSame;
    for (let row = 0; row < table.count; row++) {
      const old = from[row] as number;
      const isKept = old >= 0 && this.masks[old] === next.masks[row];
      if (!isKept) isNews = true;
      next.bornAt[row] = isKept ? (this.bornAt[old] as number) : round;
    }
    for (let c = 0; c < this.columns.length; c++) {
      carry(this.changedAt[c] as Float64Array, next.changedAt[c] as Float64Array, from, next.count);
      for (let f = 0; f < (this.columns[c] as Column[]).length; f++) {
        const isTouched = (((touched[c] as number) >>> f) & 1) === 1;
        if (this.#carryField(next, table, { c, f, from, isTouched, round })) isNews = true;
      }
    }
    this.#swap(next);
    this.dqRound = round;
    this.movedAt = round;
    // Who came has no stamp: from now on each is looked at until all have changed again.
    this.allAt.fill(-1);
    if (isNews) this.#mark(round);
    return isNews;
  }

  /** For each row of the table, where it was before, or −1. Both ascend by id. */
  #match(table: Table): { from: Int32Array; isSame: boolean } {
    const from = new Int32Array(table.count);
    let old = 0;
    let isSame = true;
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      while (old < this.count && (this.ids[old] as number) < id) old++;
      const isKnown = old < this.count && this.ids[old] === id;
      from[row] = isKnown ? old++ : -1;
      if (!isKnown) isSame = false;
    }
    return { from, isSame: isSame && table.count === this.count };
  }

  #carryField(
    next: Published,
    table: Table,
    at: { c: number; f: number; from: Int32Array; isTouched: boolean; round: number },
  ): boolean {
    const { c, f, from, isTouched, round } = at;
    const values = (table.columns[c] as Column[])[f] as Column;
    const own = (this.columns[c] as Column[])[f] as Column;
    const into = (next.columns[c] as Column[])[f] as Column;
    const stamps = next.changedAt[c] as Float64Array;
    const fixed = this.#fixed[c]?.[f];
    const q = this.q[c]?.[f];
    const nextQ = next.q[c]?.[f];
    const nextDq = next.dq[c]?.[f];
    let isNews = false;
    for (let row = 0; row < next.count; row++) {
      const old = from[row] as number;
      const value = values[row];
      (into as unknown[])[row] = value;
      let isChanged = old >= 0 && isTouched && !Object.is(value, own[old]);
      if (fixed !== undefined && nextQ !== undefined && nextDq !== undefined) {
        const now = fixedOf(value as number, fixed.origin, fixed.step);
        const was = old >= 0 ? (q?.[old] as number) : now;
        nextQ[row] = now;
        nextDq[row] = old >= 0 ? differenceOf(was, now) : 0;
        isChanged = old >= 0 && (now !== was || (now === Q_WIDE && isChanged));
      }
      if (!isChanged) continue;
      stamps[row] = round;
      isNews = true;
    }
    if (isNews) (this.fieldAt[c] as Float64Array)[f] = round;
    return isNews;
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

  #swap(next: Published): void {
    const { count, ids, masks, columns, q, dq, bornAt, changedAt } = this;
    const now = { ...pickArrays(next) };
    Object.assign(next, { count, ids, masks, columns, q, dq, bornAt, changedAt });
    Object.assign(this, now);
    this.#spare = next;
  }
}

function pickArrays(of: Published) {
  const { count, ids, masks, columns, q, dq, bornAt, changedAt } = of;
  return { count, ids, masks, columns, q, dq, bornAt, changedAt };
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

function carry(own: Float64Array, into: Float64Array, from: Int32Array, count: number): void {
  for (let row = 0; row < count; row++) {
    const old = from[row] as number;
    into[row] = old >= 0 ? (own[old] as number) : 0;
  }
}
