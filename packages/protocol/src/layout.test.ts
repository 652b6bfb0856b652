/**
 * Format 1, byte by byte, as the README draws it. Bytes that change here change what is stored:
 * that is a new format version, and this test stays to prove that the old one is still read.
 */
import { describe, expect, test } from 'vitest';
import {
  type ComponentSchema,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  entryHash,
  inspectCheckpoint,
  inspectCommit,
  inspectRows,
  layerSchema,
  storedPart,
  Table,
} from './index.ts';
import { contents, position } from './testing.ts';

const word = { name: 'word', kind: 'string', initial: '' } as const;
const schema = layerSchema('main', [position, { name: 'mood', version: 1, fields: [word] }]);
const HASH = '9391482bb675df2c';

/** Rows of (id, word, x); what is left out is a component that the row lacks. */
function tableOf(...rows: readonly { id: number; word?: string; x?: number }[]): Table {
  const table = new Table(schema);
  const [words, xs] = table.columns.map((columns) => columns[0]) as [string[], Float64Array];
  for (const { id, word, x } of rows) {
    const row = table.append(id, (word === undefined ? 0 : 1) | (x === undefined ? 0 : 2));
    words[row] = word ?? '';
    xs[row] = x ?? 0;
  }
  return table;
}

const bytesOf = (spaced: string): Uint8Array => Buffer.from(spaced.replaceAll(/\s/g, ''), 'hex');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const [ZERO, F64] = ['0000000000000000', '000000000000f83f'];
const pair = tableOf({ id: 7, word: 'hi' }, { id: 11, word: 'é', x: 1.5 });
/** Ids 7 and 11; masks differ; two words, one x, one y. */
const PAIR_IDS = '02 07 03';
const PAIR = `19000000 01 01 03 026869 02c3a9 ${F64} ${ZERO}`;

describe('format 1', () => {
  test('of a schema has this hash', () => {
    expect(schema.hash).toBe(HASH);
  });

  test('of a channel entry is this', () => {
    const bytes = bytesOf(`01 ${HASH} 03 05 ${PAIR_IDS} ${PAIR}`);
    expect(hexOf(encodeRows(pair, 5))).toBe(hexOf(bytes));
    const { tick, rows } = decodeRows(bytes, schema);
    expect([tick, contents(rows)]).toEqual([5, contents(pair)]);
    expect(inspectRows(bytes)).toEqual({ schemaHash: HASH, tick: 5, ids: [7, 11] });
  });

  test('of a checkpoint is this', () => {
    const bytes = bytesOf(`01 ${HASH} 02 8002 09 ${PAIR_IDS} ${PAIR}`);
    expect(hexOf(encodeCheckpoint(pair, { tick: 256, idCounter: 9 }))).toBe(hexOf(bytes));
    const { table, ...rest } = decodeCheckpoint(bytes, schema);
    expect([rest, contents(table)]).toEqual([{ tick: 256, idCounter: 9 }, contents(pair)]);
    const seen = { schemaHash: HASH, tick: 256, idCounter: 9, ids: [7, 11] };
    expect(inspectCheckpoint(bytes)).toEqual(seen);
  });

  test('of a checkpoint without what is ephemeral is this', () => {
    const [mood, place] = schema.components as [ComponentSchema, ComponentSchema];
    const fading = layerSchema('main', [{ ...mood, durability: 'ephemeral' }, place]);
    const table = new Table(fading);
    table.append(7, 1);
    table.append(11, 3);
    [table.columns[0], table.columns[1]] = [pair.columns[0] ?? [], pair.columns[1] ?? []];
    const bytes = bytesOf(
      `01 ${fading.hash} 02 8002 09 ${PAIR_IDS} 13000000 03 01 03 ${F64} ${ZERO}`,
    );
    expect(hexOf(encodeCheckpoint(table, { tick: 256, idCounter: 9 }))).toBe(hexOf(bytes));
    const { table: read } = decodeCheckpoint(bytes, fading);
    expect(contents(read)).toEqual(contents(storedPart(table)));
    expect(read.columns[0]?.[0]?.slice(0, 2)).toEqual(['', '']);
    const whole = encodeCheckpoint(table, { tick: 256, idCounter: 9, isWhole: true });
    expect(contents(decodeCheckpoint(whole, fading).table)).toEqual(contents(table));
    expect(hexOf(whole).slice(20)).toBe(
      hexOf(encodeCheckpoint(pair, { tick: 256, idCounter: 9 })).slice(20),
    );
    // Nothing but a checkpoint leaves anything out, and none of a schema without such components.
    const rows = bytesOf(`01 ${fading.hash} 03 05 ${PAIR_IDS} 13000000 03 01 03 ${F64} ${ZERO}`);
    const other = bytesOf(`01 ${HASH} 02 8002 09 ${PAIR_IDS} 13000000 03 01 03 ${F64} ${ZERO}`);
    expect(() => decodeRows(rows, fading)).toThrow('leaves out');
    expect(() => decodeCheckpoint(other, schema)).toThrow('leaves out');
  });

  const arrival = encodeRows(tableOf({ id: 15, x: 2 }), 5);
  const commit = bytesOf(`
    01 ${HASH} 01   06 09 02
    01  07 08 03 05 ${arrival.length.toString(16)} ${hexOf(arrival)}
    01 14   01 07   01  04 05 01 0b   03
    02 02
    03  00 00 04   01 00 02 06   01 01 02 02
    1c000000   03  026869  ${ZERO} ${F64}  ${ZERO}
    05000000   00 01 026869`);
  const parts = {
    tick: 6,
    idCounter: 9,
    jumped: 2,
    arrivals: [{ from: 7, to: 8, seq: 3, tick: 5, body: arrival }],
    births: tableOf({ id: 20, word: 'hi' }),
    deaths: [7],
    departures: [{ to: 4, seq: 5, ids: [11] }],
  };

  test('of a commit is this', () => {
    const table = tableOf({ id: 7, word: '' }, { id: 11, x: 0 });
    table.merge(tableOf({ id: 15, x: 2 }));
    table.setMask(1, 3);
    (table.columns[0]?.[0] as string[])[1] = 'hi';
    (table.columns[1]?.[0] as unknown[])[2] = 1.5;
    (table.dirty[1] as Uint32Array)[2] = 1;
    // What is drawn above has row 2 changed in x alone; row 1 is whole because its mask changed.
    const bytes = encodeCommit(table, parts);
    expect(hexOf(bytes)).toBe(hexOf(commit));
  });

  test('of a commit is read and inspected', () => {
    const body = decodeCommit(commit, schema);
    expect(body).toMatchObject({ tick: 6, idCounter: 9, jumped: 2, rowCount: 3, deaths: [7] });
    expect(inspectCommit(commit)).toEqual({
      schemaHash: HASH,
      tick: 6,
      idCounter: 9,
      jumped: 2,
      rowCount: 3,
      arrivals: [{ from: 7, to: 8, seq: 3, tick: 5, ids: [15] }],
      births: [20],
      deaths: [7],
      departures: [{ to: 4, seq: 5, ids: [11] }],
      changedRows: 2,
    });
  });

  test('of a log entry has this hash', () => {
    const body = bytesOf('0102030405');
    expect(entryHash('', 1, '1754000000123456', 1, body)).toBe('66d3f37821032f1b');
  });
});

test('a body of a newer build, of no build or of another kind is refused and says so', () => {
  const body = (start: string): Uint8Array => bytesOf(`${start} 05 ${PAIR_IDS} ${PAIR}`);
  const faults: [bytes: Uint8Array, message: string][] = [
    [body(`02 ${HASH} 03`), 'a newer build wrote it'],
    [body(`00 ${HASH} 03`), 'format 0 does not exist'],
    [body(`01 ${HASH} 02`), 'it is of kind 2'],
    [new Uint8Array(0), 'byte 0 of 0'],
    [bytesOf(`01 ${HASH} 03 05 02 07 03 03000000 01 00 00`), 'masks are not in their shortest'],
    [bytesOf(`01 ${HASH} 03 05 02 07 03 02000000 00 04`), 'mask 4 is out of range'],
    [bytesOf(`01 ${HASH} 03 05 ${PAIR_IDS} ${PAIR} 00`), '1 bytes too many'],
  ];
  for (const [bytes, message] of faults) {
    const needsSchema = message.includes('mask');
    const inspect = (): unknown => inspectRows(bytes);
    for (const read of [() => decodeRows(bytes, schema), ...(needsSchema ? [] : [inspect])]) {
      expect(read).toThrow(expect.objectContaining({ code: 'BODY_MALFORMED' }));
      expect(read).toThrow(message);
    }
  }
});

test('a commit whose channel entries or changes do not ascend is refused', () => {
  const births = new Table(schema);
  const departures = [4, 5].map((to) => ({ to, seq: to, ids: [to] }));
  const parts = { tick: 1, idCounter: 0, arrivals: [], births, deaths: [], departures };
  const hex = hexOf(encodeCommit(tableOf(), parts));
  const swapped = hex.replace('0404010405050105', '0505010504040104');
  expect(swapped).not.toBe(hex);
  for (const read of [
    () => decodeCommit(bytesOf(swapped), schema),
    () => inspectCommit(bytesOf(swapped)),
  ]) {
    expect(read).toThrow('channel entries do not ascend');
  }
  const moved = tableOf({ id: 1, x: 0 });
  (moved.dirty[1] as Uint32Array)[0] = 3;
  const changes = hexOf(encodeCommit(moved, { ...parts, departures: [] }));
  const doubled = changes.replace('02010001010101', '02010101010101');
  expect(doubled).not.toBe(changes);
  expect(() => decodeCommit(bytesOf(doubled), schema)).toThrow('out of place');
});

test('a body that claims more than it holds costs no memory', () => {
  const MANY = '80808004';
  const claims = [
    [decodeRows, `01 ${HASH} 03 05 ${MANY}`],
    [decodeRows, `01 ${HASH} 03 05 01 07 10000000 01 ${MANY}`],
    [decodeCheckpoint, `01 ${HASH} 02 05 00 ${MANY}`],
    [decodeCommit, `01 ${HASH} 01 05 00 00 ${MANY}`],
    [decodeCommit, `01 ${HASH} 01 05 00 00 00 00 00 00 808008 01 00`],
    [decodeCommit, `01 ${HASH} 01 05 00 00 00 00 00 00 808008 00 02 00 00 01 01 00 01 00000000`],
  ] as const;
  const MB = 2 ** 20;
  for (const [decode, start] of claims) {
    const bytes = bytesOf(start);
    const before = process.memoryUsage();
    expect(() => decode(bytes, schema), start).toThrow(
      expect.objectContaining({ code: 'BODY_MALFORMED' }),
    );
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(MB / 4);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(4 * MB);
  }
});
