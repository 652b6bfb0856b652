/**
 * What of a tick its commit tells, where components have classes of durability. What is owed is told
 * with a later tick; what checkpoints leave out is told again behind each of them.
 *
 * A cell without such components has none of this.
 */
import {
  type ChangeMarks,
  type Column,
  type CommitParts,
  type ComponentSchema,
  columnValue,
  isEphemeral,
  type LayerSchema,
  type Table,
  ticksBetween,
} from '@leasehold/protocol';

/** A component with a class, and room for the marks of one cell at a time. */
type Classed = {
  readonly component: number;
  readonly schema: ComponentSchema;
  /** Marks of all its fields. */
  readonly all: number;
  readonly every: number;
  marks: Uint32Array;
};

/** The components of a layer that are not `tick`; shared by all cells of an engine. */
export type Classes = {
  readonly periodic: readonly Classed[];
  readonly ephemeral: readonly Classed[];
};

/** Undefined when each change is told in its tick and is in checkpoints. */
export function classesOf({ components }: LayerSchema): Classes | undefined {
  const all = components.map((schema, component): Classed => {
    const fields = 2 ** schema.fields.length - 1;
    const every = ticksBetween(schema);
    return { component, schema, all: fields, every, marks: new Uint32Array(0) };
  });
  const periodic = all.filter(({ every }) => every > 1);
  const ephemeral = all.filter(({ schema }) => isEphemeral(schema));
  return periodic.length + ephemeral.length === 0 ? undefined : { periodic, ephemeral };
}

/** Of ephemeral components: whose values are told though they did not change. */
type Again = 'nobody' | 'others than initial' | 'everybody';

export type Telling = {
  readonly tick: number;
  /** Lockstep: every component is `tick`, so that a death leaves no trace (T1). */
  readonly isExact: boolean;
  /** Nothing may follow for long: nothing is owed. */
  readonly isLast: boolean;
  readonly isCheckpointDue: boolean;
  /** There is a commit in any case. */
  readonly isNews: boolean;
  /** Rows of which everything is told: somebody was told that something happened to them (M1). */
  readonly rows: readonly number[];
};

export type Told = {
  readonly marks: ChangeMarks;
  /** Whether a follower must know of the tick. */
  readonly isNews: boolean;
  /** Followers then have what the cell has: a checkpoint may come with it. */
  readonly isWhole: boolean;
};

/** What one cell owes those who follow it. */
export class Debts {
  readonly #classes: Classes;
  readonly #cell: number;
  /** The last tick that was told of. */
  #since = 0;
  #again: Again = 'nobody';
  #isExact = false;

  constructor(classes: Classes, cell: number) {
    this.#classes = classes;
    this.#cell = cell;
  }

  /** What the cell has is what its log says. */
  follow(tick: number): void {
    this.#since = tick;
    this.#again = 'nobody';
  }

  /**
   * A new holder begins: what is never stored starts from its initial values, and everybody is told,
   * since some who follow have older ones. Answers whether there is any of it.
   */
  takeOver(table: Table): boolean {
    const { ephemeral } = this.#classes;
    for (const { component } of ephemeral) table.reset(component);
    if (ephemeral.length > 0) this.#again = 'everybody';
    return ephemeral.length > 0;
  }

  /** A checkpoint is made. Whoever loads it must hear of what is not in it. Answers whether all is. */
  checkpoint(): boolean {
    if (!this.#isExact && this.#again === 'nobody') this.#again = 'others than initial';
    return this.#isExact;
  }

  isAhead(table: Table): boolean {
    return table.owed.some(({ marks }) => hasMark(marks, table.count));
  }

  /** After the systems have run. To be settled when the commit has been encoded. */
  tell(table: Table, parts: CommitParts, telling: Telling): Told {
    const { periodic, ephemeral } = this.#classes;
    const { isExact, isLast, isCheckpointDue } = telling;
    if (table.owed.length !== periodic.length) {
      table.owe(periodic.map(({ component }) => component));
    }
    this.#note(table);
    const rows = this.#urgentRows(table, parts, telling);
    let marks = this.#marks(table, { ...telling, rows }, isExact || isLast);
    const isNews = telling.isNews || hasNews(table, parts, marks);
    // A quiet tick stays quiet: a checkpoint comes with a commit, never the other way round.
    if (isNews && isCheckpointDue) marks = this.#marks(table, { ...telling, rows }, true);
    this.#since = telling.tick;
    this.#isExact = isExact;
    // Behind the last checkpoint nothing would be told again.
    const isEnd = isLast && !isExact && ephemeral.length > 0;
    const isWhole = !isEnd && (isExact || isLast || isCheckpointDue || !this.#owes(table, marks));
    return { marks, isNews, isWhole };
  }

  /** What was told is owed no more. The marks are those of the tick. */
  settle(table: Table, marks: ChangeMarks): void {
    this.#again = 'nobody';
    for (const { component, marks: owed } of table.owed) {
      const told = marks[component] as Uint32Array;
      if (told === owed) owed.fill(0, 0, table.count);
      else for (let row = 0; row < table.count; row++) if (told[row] !== 0) owed[row] = 0;
    }
  }

  #owes(table: Table, marks: ChangeMarks): boolean {
    return table.owed.some(
      ({ component, marks: owed }) => marks[component] !== owed && hasMark(owed, table.count),
    );
  }

  /** Who leaves is shown as it was told here until it has arrived, and travels as it is (V1). */
  #urgentRows(table: Table, { departures }: CommitParts, { rows }: Telling): readonly number[] {
    if (departures.length === 0 || this.#classes.periodic.length === 0) return rows;
    const all = [...rows];
    for (const { ids } of departures) for (const id of ids) all.push(table.find(id));
    return all;
  }

  /** Adds the changes of the tick to what is owed. */
  #note(table: Table): void {
    for (const [i, { component, all }] of this.#classes.periodic.entries()) {
      const owed = table.owed[i]?.marks as Uint32Array;
      const dirty = table.dirty[component] as Uint32Array;
      for (let row = 0; row < table.count; row++) {
        owed[row] = (owed[row] as number) | (dirty[row] as number);
      }
      forExchanged(table, (row) => {
        owed[row] = hasComponent(table, row, component) ? all : 0;
      });
    }
  }

  #marks(table: Table, telling: Telling, isAll: boolean): ChangeMarks {
    const marks: Uint32Array[] = [...table.dirty];
    for (const [i, classed] of this.#classes.periodic.entries()) {
      const owed = table.owed[i]?.marks as Uint32Array;
      const isDue = isAll || this.#isDue(classed.every, telling.tick);
      marks[classed.component] = isDue ? owed : urgent(table, classed, owed, telling.rows);
    }
    const again = telling.isExact ? 'nobody' : this.#again;
    for (const classed of again === 'nobody' ? [] : this.#classes.ephemeral) {
      marks[classed.component] = repeated(table, classed, again === 'everybody');
    }
    return marks;
  }

  /** Staggered over the cells. A tick at which it was due may have been left out. */
  #isDue(every: number, tick: number): boolean {
    const turn = (at: number): number => Math.floor((at + this.#cell) / every);
    return turn(tick) > turn(this.#since);
  }
}

/** Whether a tick did anything that its marks, or what else it did, tell of. */
export function hasNews({ count, maskDirty }: Table, parts: CommitParts, marks: ChangeMarks) {
  const isStill = parts.births.count + parts.deaths.length + parts.departures.length === 0;
  if (!isStill || parts.arrivals.length > 0 || hasMark(maskDirty, count)) return true;
  return marks.some((of) => hasMark(of, count));
}

function hasMark(marks: Uint32Array | Uint8Array, count: number): boolean {
  for (let row = 0; row < count; row++) if (marks[row] !== 0) return true;
  return false;
}

/** Rows whose components changed. */
function forExchanged({ maskDirty, count }: Table, take: (row: number) => void): void {
  let row = maskDirty.indexOf(1);
  for (; row >= 0 && row < count; row = maskDirty.indexOf(1, row + 1)) take(row);
}

const hasComponent = ({ masks }: Table, row: number, component: number): boolean =>
  (((masks[row] as number) >>> component) & 1) === 1;

function roomFor(classed: Classed, { count }: Table): Uint32Array {
  if (classed.marks.length < count) classed.marks = new Uint32Array(count * 2);
  return classed.marks.fill(0, 0, count);
}

/** Of what is owed, what cannot wait: rows that gained or lost a component are told whole. */
function urgent(
  table: Table,
  classed: Classed,
  owed: Uint32Array,
  rows: readonly number[],
): Uint32Array {
  const marks = roomFor(classed, table);
  forExchanged(table, (row) => {
    marks[row] = owed[row] as number;
  });
  for (const row of rows) marks[row] = owed[row] as number;
  return marks;
}

/** What changed, and the values of whom others may not have right. */
function repeated(table: Table, classed: Classed, isEverybody: boolean): Uint32Array {
  const { component, all } = classed;
  const marks = roomFor(classed, table);
  const dirty = table.dirty[component] as Uint32Array;
  for (let row = 0; row < table.count; row++) {
    if (!hasComponent(table, row, component)) continue;
    const isTold = isEverybody || table.maskDirty[row] !== 0 || !isInitial(table, classed, row);
    marks[row] = isTold ? all : (dirty[row] as number);
  }
  return marks;
}

function isInitial({ columns }: Table, { component, schema }: Classed, row: number): boolean {
  const own = columns[component] as Column[];
  return schema.fields.every((field, f) =>
    Object.is((own[f] as Column)[row], columnValue(field, field.initial)),
  );
}
