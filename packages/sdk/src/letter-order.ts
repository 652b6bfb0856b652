/**
 * Who has sent what to whom: kept by the entities themselves, in a component of the engine's own, so
 * that it travels with them. It makes events from one entity to another take effect in order, and
 * once, whichever ways they came.
 *
 * A letter that is under way for more than a minute is refused, and what was got is forgotten a minute
 * after that, so what is kept stays small.
 */
import type {
  Column,
  ComponentSchema,
  Json,
  LayerSchema,
  Letter,
  Table,
} from '@leasehold/protocol';

/** Its name is none that a user can give. */
export const LETTERS_COMPONENT = '_letters';
/** How long an entity remembers what it sent, and so how old a letter may be. */
export const MEMORY_S = 60;
/** What it got it remembers longer: a copy that is too old is no letter that was never taken (M1). */
const SEEN_S = 2 * MEMORY_S;
/** How long a letter waits for the one before it. */
export const HOLD_S = 30;

/**
 * By the other entity (`@` and the number of its layer, if that is another), or `p:` and the id of a
 * request: the last number, and the tick of it. Behind
 * them the numbers, in pairs, between which letters are missing that were waited for too long.
 */
type Memory = Readonly<Record<string, Seen>>;
type Seen = readonly [seq: number, tick: number, ...missing: number[]];
type Held = readonly Letter[];

export const LETTERS_SCHEMA: ComponentSchema = {
  name: LETTERS_COMPONENT,
  version: 1,
  fields: [
    { name: 'count', kind: 'f64', initial: 0 },
    { name: 'sent', kind: 'json', initial: {} },
    { name: 'seen', kind: 'json', initial: {} },
    { name: 'held', kind: 'json', initial: [] },
  ],
};
const COUNT = 0;
const SENT = 1;
const SEEN = 2;
const HELD = 3;

/** What is to be done with a letter that found its entity. */
export type Verdict = 'take' | 'hold' | 'repeated' | 'late';

/**
 * The pairs of numbers between which letters are missing, one of which has come now; undefined if it
 * is not missing.
 */
function without(missing: readonly number[], seq: number): number[] | undefined {
  for (let i = 0; i < missing.length; i += 2) {
    const [low, high] = [missing[i] as number, missing[i + 1] as number];
    if (seq <= low || seq >= high) continue;
    return [...missing.slice(0, i), low, seq, seq, high, ...missing.slice(i + 2)];
  }
  return undefined;
}

/** Letters of the same two are counted for each pair of layers. */
const keyOf = (other: number, layer: number | undefined): string =>
  layer === undefined ? String(other) : `${other}@${layer}`;

const isSame = (a: Letter, b: Letter): boolean =>
  a.from === b.from && a.seq === b.seq && a.fromLayer === b.fromLayer;

/** PERF: shared, and never added to: nobody waits in most cells, and an empty set takes 184 bytes. */
const NOBODY = new Set<number>();

export class LetterOrder {
  readonly #component: number;
  readonly #memoryTicks: number;
  readonly #seenTicks: number;
  readonly #holdTicks: number;
  /** Entities with letters that wait; undefined: to be looked up. */
  #waiting: Set<number> | undefined = NOBODY;

  /** Undefined where the layer keeps no such memory. */
  static of(schema: LayerSchema, tickHz: number): LetterOrder | undefined {
    const component = schema.components.findIndex(({ name }) => name === LETTERS_COMPONENT);
    return component === -1 ? undefined : new LetterOrder(component, tickHz);
  }

  private constructor(component: number, tickHz: number) {
    this.#component = component;
    this.#memoryTicks = Math.ceil(MEMORY_S * tickHz);
    this.#seenTicks = Math.ceil(SEEN_S * tickHz);
    this.#holdTicks = Math.ceil(HOLD_S * tickHz);
  }

  /** Rows came or were read anew: who waits is looked up again. */
  forget(): void {
    this.#waiting = undefined;
  }

  /**
   * Numbers a letter that the entity of the row sends, and the one that it sent there before.
   * `layer`: the number of the one that it is for, if that is another.
   */
  number(
    table: Table,
    row: number,
    {
      to,
      layer,
      tick,
    }: { readonly to: number; readonly layer: number | undefined; readonly tick: number },
  ): { seq: number; before: number } {
    const columns = this.#columns(table, row);
    const counts = columns[COUNT] as Float64Array;
    const seq = (counts[row] as number) + 1;
    const sent = (columns[SENT] as Json[])[row] as unknown as Memory;
    const key = keyOf(to, layer);
    const [before, at] = sent[key] ?? [0, 0];
    counts[row] = seq;
    this.#set(table, row, SENT, { ...recent(sent, tick - this.#memoryTicks), [key]: [seq, tick] });
    this.#mark(table, row, COUNT);
    return { seq, before: tick - at > this.#memoryTicks ? 0 : before };
  }

  /** Whether a letter is due; what is to be taken is remembered. */
  judge(table: Table, row: number, letter: Letter, tick: number): Verdict {
    const { post, from, seq, before } = letter;
    const isOld = tick - letter.tick > this.#memoryTicks;
    if (post === '' && seq === 0) return isOld ? 'late' : 'take';
    const key = post === '' ? keyOf(from, letter.fromLayer) : `p:${post}`;
    const seen = this.#read<Memory>(table, row, SEEN, {});
    const [last, , ...missing] = seen[key] ?? [0, 0];
    const note = (entry: Seen): void => {
      const kept = recent(seen, tick - this.#seenTicks);
      this.#set(table, row, SEEN, { ...kept, [key]: entry } as unknown as Json);
    };
    if (post !== '') {
      if (last > 0) return 'repeated';
      if (isOld) return 'late';
      note([1, tick]);
      return 'take';
    }
    if (seq <= last) {
      const rest = without(missing, seq);
      if (rest === undefined) return 'repeated';
      note([last, tick, ...rest]);
      return 'late';
    }
    if (isOld) return 'late';
    if (before > last && tick - letter.tick <= this.#holdTicks) return 'hold';
    note([seq, tick, ...missing, ...(before > last ? [last, seq] : [])]);
    return 'take';
  }

  hold(table: Table, row: number, letter: Letter): void {
    const held = this.#read<Held>(table, row, HELD, []);
    if (held.some((other) => isSame(other, letter))) return;
    this.#set(table, row, HELD, [...held, letter] as unknown as Json);
    if (this.#waiting === NOBODY) this.#waiting = new Set();
    this.#waiting?.add(table.ids[row] as number);
  }

  /** Takes out all letters that wait, of all rows: they are judged again, with what has come. */
  waiting(table: Table): Letter[] {
    this.#waiting ??= this.#find(table);
    if (this.#waiting.size === 0) return [];
    const letters: Letter[] = [];
    for (const id of this.#waiting) {
      const row = table.find(id);
      if (row === -1) continue;
      letters.push(...this.#read<Held>(table, row, HELD, []));
    }
    return letters;
  }

  /** A letter that waited waits no more. */
  release(table: Table, row: number, letter: Letter): void {
    const held = this.#read<Held>(table, row, HELD, []);
    const rest = held.filter((other) => !isSame(other, letter));
    if (rest.length === held.length) return;
    this.#set(table, row, HELD, rest as unknown as Json);
    if (rest.length === 0) this.#waiting?.delete(table.ids[row] as number);
  }

  #find(table: Table): Set<number> {
    const found = new Set<number>();
    const bit = 2 ** this.#component;
    for (let row = 0; row < table.count; row++) {
      if (((table.masks[row] as number) & bit) === 0) continue;
      if (this.#read<Held>(table, row, HELD, []).length > 0) found.add(table.ids[row] as number);
    }
    return found;
  }

  #read<T>(table: Table, row: number, field: number, none: T): T {
    const bit = 2 ** this.#component;
    if (((table.masks[row] as number) & bit) === 0) return none;
    const column = table.columns[this.#component]?.[field] as Json[];
    return column[row] as T;
  }

  /** The columns of a row that has the component, or gets it now. */
  #columns(table: Table, row: number): Column[] {
    const bit = 2 ** this.#component;
    const mask = table.masks[row] as number;
    if ((mask & bit) === 0) table.setMask(row, (mask | bit) >>> 0);
    return table.columns[this.#component] as Column[];
  }

  #set(table: Table, row: number, field: number, value: Json): void {
    (this.#columns(table, row)[field] as Json[])[row] = value;
    this.#mark(table, row, field);
  }

  #mark(table: Table, row: number, field: number): void {
    const marks = table.dirty[this.#component] as Uint32Array;
    marks[row] = (marks[row] as number) | (2 ** field);
  }
}

/** What was noted in a tick or later. */
function recent(memory: Memory, tick: number): Record<string, Seen> {
  return Object.fromEntries(Object.entries(memory).filter(([, [, at]]) => at >= tick));
}
