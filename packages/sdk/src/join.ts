/**
 * What a layer keeps of another: copies of components that its systems read, brought up to date from
 * what it follows, entity by entity.
 *
 * The position is always among them, so a row leaves its cell in the tick after its entity did, by
 * the same rule, and custody follows without a message. In lockstep a row is so always in the cell in
 * which its entity was the tick before.
 */
import type { Column, LayerSchema, Table } from '@leasehold/protocol';
import type { CellView, SpatialFields, ViewField } from './view.ts';

type Pair = { readonly own: number; readonly bit: number; readonly theirs: number };
type Link = {
  readonly component: number;
  readonly field: number;
  /** Its column in views of the other layer. */
  readonly from: number;
  /** Its column in views of this layer; −1: no system looks at it there. */
  readonly shown: number;
  readonly isText: boolean;
};

export class Join {
  /** The number of the other layer. */
  readonly layer: number;
  readonly #pairs: readonly Pair[];
  readonly #links: readonly Link[];
  readonly #spatial: SpatialFields | undefined;

  /** `fields`: those of the other layer whose columns its views have, in their order. */
  constructor(
    layer: number,
    own: LayerSchema,
    theirs: LayerSchema,
    views: {
      readonly theirs: readonly ViewField[];
      readonly own: readonly ViewField[];
      readonly spatial: SpatialFields | undefined;
    },
  ) {
    this.layer = layer;
    const pairs: Pair[] = [];
    const links: Link[] = [];
    for (const [component, { name, copyOf, fields }] of own.components.entries()) {
      const other = theirs.components.findIndex((each) => each.name === name);
      if (copyOf !== theirs.layer || other === -1) continue;
      pairs.push({ own: component, bit: 2 ** component, theirs: 2 ** other });
      for (const [field, { kind }] of fields.entries()) {
        const isSame = (each: ViewField, c: number): boolean =>
          each.component === c && each.field === field;
        const from = views.theirs.findIndex((each) => isSame(each, other));
        const shown = views.own.findIndex((each) => isSame(each, component));
        links.push({ component, field, from, shown, isText: kind === 'json' });
      }
    }
    this.#pairs = pairs;
    this.#links = links;
    const { spatial } = views;
    const isPlaced = pairs.some((pair) => pair.own === spatial?.component);
    this.#spatial = isPlaced ? spatial : undefined;
  }

  /** Whether it says where entities are. */
  get isPlace(): boolean {
    return this.#spatial !== undefined;
  }

  /**
   * Brings the copies in a table up to date, and marks what changed. `views`: of the same cell first,
   * then of those around. Answers the ids that none of them has; their copies stay as they are.
   *
   * PERF: both sides ascend by id, and nearly everybody is in the same cell in both.
   */
  copy(table: Table, views: readonly (CellView | undefined)[]): readonly number[] {
    const [same, ...others] = views;
    let strays: number[] | undefined;
    let at = 0;
    const count = same?.count ?? 0;
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      while (at < count && ((same as CellView).ids[at] as number) < id) at++;
      if (at < count && (same as CellView).ids[at] === id) {
        this.#take(table, row, same as CellView, at);
        continue;
      }
      if (this.#seek(table, row, id, others)) continue;
      strays ??= [];
      strays.push(id);
    }
    return strays ?? NOBODY;
  }

  #seek(table: Table, row: number, id: number, views: readonly (CellView | undefined)[]): boolean {
    for (const view of views) {
      const at = view?.indexOf(id) ?? -1;
      if (at === -1) continue;
      this.#take(table, row, view as CellView, at);
      return true;
    }
    return false;
  }

  #take(table: Table, row: number, view: CellView, at: number): void {
    const before = table.masks[row] as number;
    const mask = this.#masked(before, view.masks[at] as number);
    if (mask !== before) table.setMask(row, mask);
    for (let i = 0; i < this.#links.length; i++) {
      const { component, field, from, isText } = this.#links[i] as Link;
      if (((mask >>> component) & 1) === 0) continue;
      const column = (table.columns[component] as Column[])[field] as unknown[];
      const value = (view.columns[from] as unknown[])[at];
      if (isSame(column[row], value, isText)) continue;
      column[row] = value;
      const marks = table.dirty[component] as Uint32Array;
      marks[row] = (marks[row] as number) | (2 ** field);
    }
  }

  #masked(mask: number, theirs: number): number {
    for (const pair of this.#pairs) {
      mask = (theirs & pair.theirs) === 0 ? mask & ~pair.bit : mask | pair.bit;
    }
    return mask >>> 0;
  }

  /**
   * Brings the copies in a view of this layer up to date with one of the other at the same tick, so
   * that what is seen of neighbours is as old as what is seen of oneself. Who has just crossed a
   * border stays as it was told last: who looks from elsewhere may not see where it is (T1).
   */
  refresh(view: CellView, theirs: CellView): void {
    let at = 0;
    for (let row = 0; row < view.count; row++) {
      const id = view.ids[row] as number;
      while (at < theirs.count && (theirs.ids[at] as number) < id) at++;
      if (at === theirs.count) return;
      if (theirs.ids[at] !== id) continue;
      view.masks[row] = this.#masked(view.masks[row] as number, theirs.masks[at] as number);
      for (const { component, field, from, shown } of this.#links) {
        const value = (theirs.columns[from] as unknown[])[at];
        if (shown !== -1) (view.columns[shown] as unknown[])[row] = value;
        if (this.#spatial?.component !== component) continue;
        if (field === this.#spatial.x) view.x[row] = value as number;
        if (field === this.#spatial.y) view.y[row] = value as number;
      }
    }
  }
}

const NOBODY: readonly number[] = [];

function isSame(a: unknown, b: unknown, isText: boolean): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  // T1: whether a value was read again or kept must not be seen as a change.
  return isText && JSON.stringify(a) === JSON.stringify(b);
}
