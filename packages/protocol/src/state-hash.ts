/**
 * T1: one hash over the state of a whole layer, bit for bit. It does not know cells, so it is the
 * same however entities are spread over them and in whatever order cells are added.
 */
import { Hasher } from '@leasehold/kernel';
import { canonicalJson } from './json.ts';
import type { Column, ComponentSchema } from './schema.ts';
import type { Table } from './table.ts';

const F64 = new Float64Array(1);
const F64_WORDS = new Uint32Array(F64.buffer);

/** Words of rows are kept until `hex`, which is about as much memory as the state itself. */
export class StateHash {
  readonly #ids: number[] = [];
  /** Where the words of each added row begin. */
  readonly #starts: number[] = [];
  #words = new Uint32Array(1024);
  #length = 0;
  readonly #schemas = new Set<string>();

  /** Takes the rows as they are now: id, components, and each field of those, −0 unlike 0. */
  add(table: Table): void {
    if (table.count > 0) this.#schemas.add(table.schema.hash);
    for (let row = 0; row < table.count; row++) {
      this.#ids.push(table.ids[row] as number);
      this.#starts.push(this.#length);
      this.#push(table.masks[row] as number);
      for (let c = 0; c < table.columns.length; c++) {
        if ((((table.masks[row] as number) >>> c) & 1) === 0) continue;
        const component = table.schema.components[c] as ComponentSchema;
        const columns = table.columns[c] as Column[];
        for (let f = 0; f < columns.length; f++)
          this.#value(component, f, columns[f] as Column, row);
      }
    }
  }

  #value(component: ComponentSchema, f: number, column: Column, row: number): void {
    if (!Array.isArray(column)) {
      const value = column[row] as number;
      // Every NaN counts as one: engines differ in the bits they leave in it.
      F64[0] = value;
      const isNotANumber = Number.isNaN(value);
      this.#push(isNotANumber ? 0 : (F64_WORDS[0] as number));
      this.#push(isNotANumber ? 0x7ff8_0000 : (F64_WORDS[1] as number));
      return;
    }
    const field = component.fields[f];
    const isJson = field?.kind === 'json';
    const text = isJson
      ? canonicalJson(column[row], `${component.name}.${field.name}`)
      : (column[row] as string);
    this.#push(text.length);
    for (let i = 0; i < text.length; i++) this.#push(text.charCodeAt(i));
  }

  #push(word: number): void {
    if (this.#length === this.#words.length) {
      const grown = new Uint32Array(this.#length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[this.#length++] = word;
  }

  /** Sixteen hex digits over the tick and all rows added so far, by ascending id. */
  hex(tick: number): string {
    const hasher = new Hasher().f64(tick).f64(this.#ids.length);
    for (const schema of [...this.#schemas].sort()) hasher.text(schema);
    // An id that is there twice is a fault elsewhere; the hash stays independent of order even so.
    const order = Array.from(this.#ids.keys()).sort(
      (a, b) => (this.#ids[a] as number) - (this.#ids[b] as number) || this.#compare(a, b),
    );
    for (const i of order) {
      hasher.f64(this.#ids[i] as number);
      for (let at = this.#starts[i] as number; at < this.#end(i); at++) {
        hasher.u32(this.#words[at] as number);
      }
    }
    return hasher.hex();
  }

  #end(i: number): number {
    return this.#starts[i + 1] ?? this.#length;
  }

  #compare(a: number, b: number): number {
    const [from, other] = [this.#starts[a] as number, this.#starts[b] as number];
    const length = this.#end(a) - from;
    for (let i = 0; i < length; i++) {
      const difference = (this.#words[from + i] as number) - (this.#words[other + i] as number);
      if (difference !== 0) return difference;
    }
    return length - (this.#end(b) - other);
  }
}
