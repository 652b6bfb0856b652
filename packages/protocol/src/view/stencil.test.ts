import { createRandom } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../bytes.ts';
import type { ComponentSchema } from '../schema.ts';
import { DeltaStencil, encodeDeltaPart, Q_WIDE, type ViewRows, viewShape } from './index.ts';

const fields = ['x', 'y', 'z'].map((name) => {
  return { name, kind: 'f64', initial: 0, step: 0.01 } as const;
});
const position: ComponentSchema = { name: 'position', version: 1, fields };
const shape = viewShape([{ ...position, name: 'other' }, position]);
const NOBODY = new Uint32Array(0);

function rowsOf(count: number, by: () => number): ViewRows {
  const column = () => Float64Array.from({ length: count }, (_, i) => i);
  const dq = () => fields.map(() => Int32Array.from({ length: count }, by));
  const columns = [0, 1].map(() => fields.map(column));
  const q = [0, 1].map(() => fields.map(() => new Int32Array(count)));
  const masks = new Uint32Array(count).fill(3);
  return { count, ids: column(), masks, columns, q, dq: [dq(), dq()] };
}

describe('a stencil', () => {
  test('makes for any choice of rows the very bytes that are made for it alone', () => {
    const random = createRandom(5);
    const stencil = new DeltaStencil();
    for (let i = 0; i < 500; i++) {
      const rows = rowsOf(1 + random.below(300), () => random.below(256) - 128);
      const at = { cell: random.below(9_999), tick: i * 999, seq: i + 300, hash: 4e9 + i };
      const base = { seq: at.seq - random.below(200), hash: random.below(2 ** 32) };
      const changed = fields
        .map((_, field) => ({ component: random.below(2), field }))
        .slice(random.below(3));
      expect(stencil.prepare(shape, at, base, rows, changed)).toBe(true);
      const some = Uint32Array.from({ length: rows.count }, (_, row) => row).filter(() =>
        random.chance(0.5),
      );
      for (const chosen of [undefined, some]) {
        const count = chosen?.length ?? rows.count;
        if (count === 0) continue;
        const changes = changed.map((field) => {
          return { ...field, rows: NOBODY, count, differences: true };
        });
        const delta = { removed: [], added: NOBODY, changes };
        const into = new ByteWriter();
        stencil.append(into, chosen, count);
        expect(into.finish()).toEqual(encodeDeltaPart(shape, at, base, rows, chosen, count, delta));
      }
    }
  });

  test.each([
    ['a difference that no byte holds', 128],
    ['a difference below what a byte holds', -129],
    ['a value that has no fixed point', Q_WIDE],
  ])('is refused for %s', (_, odd) => {
    let row = 0;
    const rows = rowsOf(7, () => (row++ === 25 ? odd : 1));
    const at = { cell: 1, tick: 1, seq: 2, hash: 3 };
    const [first, second] = [0, 1].map((field) => [{ component: 1, field }] as const);
    const stencil = new DeltaStencil();
    expect(stencil.prepare(shape, at, at, rows, first ?? [])).toBe(false);
    expect(stencil.prepare(shape, at, at, rows, second ?? [])).toBe(true);
  });

  test('is refused where no field changed', () => {
    const at = { cell: 1, tick: 1, seq: 2, hash: 3 };
    expect(
      new DeltaStencil().prepare(
        shape,
        at,
        at,
        rowsOf(3, () => 1),
        [],
      ),
    ).toBe(false);
  });
});
