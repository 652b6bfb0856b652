import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryHash, StateHash, Table } from './index.ts';
import { contents, fillRow, kitchenSink } from './testing.ts';

const hashOf = (tick: number, ...tables: Table[]): string => {
  const hash = new StateHash();
  for (const table of tables) hash.add(table);
  return hash.hex(tick);
};

function tableOf(rows: readonly (readonly [id: number, mask: number, seed: number])[]): Table {
  const table = new Table(kitchenSink, 1);
  for (const [id, mask, seed] of [...rows].sort((a, b) => a[0] - b[0])) {
    fillRow(table, table.append(id, mask), seed);
  }
  return table;
}

describe('the hash of a state', () => {
  const spec = fc.tuple(fc.maxSafeNat(), fc.nat({ max: 15 }), fc.nat(), fc.nat({ max: 3 }));
  const rows = fc.uniqueArray(spec, { selector: ([id]) => id, size: 'max', maxLength: 40 });

  test('T1 does not depend on how entities are spread over cells, nor on their order', () => {
    fc.assert(
      fc.property(rows, (specs) => {
        const cells = [0, 1, 2, 3].map((cell) =>
          tableOf(
            specs.filter((row) => row[3] === cell).map(([id, mask, seed]) => [id, mask, seed]),
          ),
        );
        const whole = hashOf(9, tableOf(specs.map(([id, mask, seed]) => [id, mask, seed])));
        expect(hashOf(9, ...cells)).toBe(whole);
        expect(hashOf(9, ...cells.reverse())).toBe(whole);
      }),
    );
  });

  test('T1 differs when any bit of any field, a component, an id or the tick differs', () => {
    const base: [number, number, number] = [5, 15, 0];
    const seen = new Map([[hashOf(9, tableOf([base])), 'base']]);
    const differs = (what: string, tick: number, table: Table): void => {
      const hash = hashOf(tick, table);
      expect(seen.get(hash), what).toBeUndefined();
      seen.set(hash, what);
    };
    differs('tick', 10, tableOf([base]));
    differs('id', 9, tableOf([[6, 15, 0]]));
    differs('id above 2^32', 9, tableOf([[5 + 2 ** 32, 15, 0]]));
    differs('nobody', 9, tableOf([]));
    for (let c = 0; c < 4; c++) differs(`mask ${c}`, 9, tableOf([[5, 15 & ~(1 << c), 0]]));
    kitchenSink.components.forEach((component, c) => {
      component.fields.forEach((field, f) => {
        const table = tableOf([base]);
        const column = table.columns[c]?.[f] as unknown[];
        column[0] =
          field.kind === 'json'
            ? { a: 1 }
            : field.kind === 'string'
              ? 'b'
              : column[0] === 1
                ? 0
                : 1;
        differs(`${component.name}.${field.name}`, 9, table);
        if (!field.kind.startsWith('f')) return;
        column[0] = 0;
        const ofZero = hashOf(9, table);
        column[0] = -0;
        expect(hashOf(9, table)).not.toBe(ofZero);
      });
    });
  });

  test('T1 is of present components only, and every NaN counts as one', () => {
    const bare = tableOf([[5, 0, 0]]);
    const hash = hashOf(9, bare);
    (bare.columns[0]?.[0] as Float64Array)[0] = 77;
    expect(hashOf(9, bare)).toBe(hash);
    const c = kitchenSink.components.findIndex(({ name }) => name === 'body');
    const table = tableOf([[5, 15, 0]]);
    const column = table.columns[c]?.[1] as Float64Array;
    column[0] = Number.NaN;
    const plain = hashOf(9, table);
    new Uint32Array(column.buffer).set([1, 0xfff8_0000]);
    expect(hashOf(9, table)).toBe(plain);
  });

  test('T1 takes rows as they are when added', () => {
    const table = tableOf([
      [5, 15, 0],
      [6, 15, 1],
    ]);
    const before = contents(table);
    const hash = new StateHash();
    hash.add(table);
    table.clear();
    expect(hash.hex(9)).toBe(
      hashOf(
        9,
        tableOf([
          [5, 15, 0],
          [6, 15, 1],
        ]),
      ),
    );
    expect(
      contents(
        tableOf([
          [5, 15, 0],
          [6, 15, 1],
        ]),
      ),
    ).toEqual(before);
  });
});

describe('the hash of a log entry', () => {
  const body = Uint8Array.of(1, 2, 3, 4, 5);

  test('L3 differs when the hash before, the number, the epoch, the tick or the body differs', () => {
    const hashes = [
      entryHash('', 1, '1754000000123456', 1, body),
      entryHash('0000000000000000', 1, '1754000000123456', 1, body),
      entryHash('', 2, '1754000000123456', 1, body),
      entryHash('', 1, '1754000000123457', 1, body),
      entryHash('', 1, '1754000000123456', 2, body),
      entryHash('', 1, '1754000000123456', 1, Uint8Array.of(1, 2, 3, 4, 6)),
      entryHash('', 1, '1754000000123456', 1, body.subarray(1)),
      entryHash('', 1, '1754000000123456', 1, new Uint8Array(0)),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('L3 is of the bytes, wherever they lie in memory', () => {
    const shifted = new Uint8Array([9, ...body]).subarray(1);
    expect(entryHash('', 1, '1', 1, shifted)).toBe(entryHash('', 1, '1', 1, body));
  });
});
