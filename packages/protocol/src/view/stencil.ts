/**
 * A delta part in which every row of a cell changed by differences of a byte: made once for a cell,
 * cut to the rows of each face of it. PERF: where everything moves nearly all parts are such ones,
 * and all but the values themselves is the same in all of them.
 */
import { assert } from '@leasehold/kernel';
import { ByteWriter } from '../bytes.ts';
import { RowSetWriter } from '../row-set.ts';
import type { CellPosition, PartBase, ViewRows } from './encode.ts';
import { DELTA, ENCODING } from './encoding.ts';
import { PART } from './parts.ts';
import type { ViewComponent, ViewShape } from './shape.ts';

/** A field in which every row of the cell changed since the publication before. */
export type StencilField = {
  /** Index in the shape. */
  readonly component: number;
  readonly field: number;
};

const EVERYONE = new Uint32Array(0);
const rowSets = new RowSetWriter();
/** Bytes that say which field of which rows, and how, before its values. */
const FIELD_HEAD = 4;

export class DeltaStencil {
  readonly #head = new ByteWriter();
  readonly #heads = new ByteWriter();
  readonly #values: Int32Array[] = [];
  #fields = 0;

  /**
   * Becomes the part that leads from `base` to `at`. Answers false, and is of no use, unless there
   * is a field and each difference of each fits a byte.
   */
  prepare(
    shape: ViewShape,
    { cell, tick, seq, hash }: CellPosition,
    base: PartBase,
    { dq, count }: ViewRows,
    fields: readonly StencilField[],
  ): boolean {
    this.#fields = 0;
    this.#heads.reset();
    for (let i = 0; i < fields.length; i++) {
      const { component, field } = fields[i] as StencilField;
      const { index } = shape.components[component] as ViewComponent;
      const values = dq[index]?.[field];
      if (values === undefined || !areBytes(values, count)) return false;
      this.#values[this.#fields++] = values;
      this.#heads.u8(component).u8(field);
      rowSets.reset();
      rowSets.write(this.#heads, EVERYONE, count, count);
      this.#heads.u8(ENCODING.difference8);
    }
    this.#head.reset().varint(cell).varint(tick).varint(seq).u32(hash);
    this.#head
      .varint(seq - base.seq)
      .u32(base.hash)
      .u8(DELTA.changes)
      .varint(this.#fields);
    return this.#fields > 0;
  }

  /** The part for these `count` rows, at least one; `undefined`: for all. To the bit as `appendDeltaPart`. */
  append(into: ByteWriter, chosen: Uint32Array | undefined, count: number): void {
    const fields = this.#fields;
    const head = this.#head;
    into.u8(PART.delta).varint(head.length + fields * (FIELD_HEAD + count));
    into.copy(head, 0, head.length);
    for (let i = 0; i < fields; i++) {
      into.copy(this.#heads, i * FIELD_HEAD, (i + 1) * FIELD_HEAD);
      const fits = into.differences(this.#values[i] as Int32Array, chosen, count);
      if (!fits) assert(false, 'what was prepared is not changed before it is written');
    }
  }
}

function areBytes(values: Int32Array, count: number): boolean {
  let bits = 0;
  for (let i = 0; i < count; i++) bits |= (values[i] as number) ^ ((values[i] as number) >> 31);
  return bits <= 127;
}
