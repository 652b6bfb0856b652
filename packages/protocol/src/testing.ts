/** What the tests of this package share: a schema with every kind, random ticks, table contents. */
import type { Random } from '@leasehold/kernel';
import fc from 'fast-check';
import { applyChanges, settle } from './apply.ts';
import { encodeRows } from './channel-body.ts';
import type { CommitBody } from './commit.ts';
import { encodeCommit, writeCommit } from './commit-body.ts';
import {
  type ComponentSchema,
  type FieldKind,
  type FieldSchema,
  type FieldValue,
  type LayerSchema,
  layerSchema,
} from './schema.ts';
import { Table } from './table.ts';

const field = (name: string, kind: FieldKind, initial: FieldValue): FieldSchema => {
  return { name, kind, initial };
};

export const position: ComponentSchema = {
  name: 'position',
  version: 1,
  fields: [field('x', 'f64', 0), field('y', 'f64', 0)],
  spatial: ['x', 'y'],
};

/** Every kind of field, a tag without fields, initial values that are not 0. */
export const kitchenSink = layerSchema('main', [
  position,
  {
    name: 'body',
    version: 3,
    fields: [
      field('f32', 'f32', 1.5),
      field('f64', 'f64', -0),
      field('u8', 'u8', 7),
      field('u16', 'u16', 0),
      field('u32', 'u32', 4_000_000_000),
      field('bool', 'bool', true),
    ],
  },
  {
    name: 'mind',
    version: 1,
    fields: [
      field('i8', 'i8', -1),
      field('i16', 'i16', 0),
      field('i32', 'i32', 0),
      field('friend', 'entity', 0),
      field('name', 'string', 'nobody'),
      field('memory', 'json', { seen: [] }),
    ],
  },
  { name: 'tag', version: 1, fields: [] },
]);

const FLOATS = [0, -0, 1, -1.25, Number.NaN, Infinity, -Infinity, 5e-324, 1e300, 1 / 3];
const POSITIONS = [0, -0, 1, -1.25, 5e-324, 1e300, 1 / 3, -180];
const INTEGERS: Partial<Record<FieldKind, readonly number[]>> = {
  u8: [0, 1, 255],
  u16: [0, 300, 65_535],
  u32: [0, 2 ** 31, 2 ** 32 - 1],
  i8: [-128, -1, 127],
  i16: [-32_768, 0, 32_767],
  i32: [-(2 ** 31), 0, 2 ** 31 - 1],
  bool: [0, 1],
  entity: [0, 1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER],
};
const TEXTS = ['', 'a', 'é', '\u{1f680}', '\ufeffmark', 'x'.repeat(130), '\0', '"\\'];
const VALUES = [null, true, -0, 1.5e21, '\ud800', [], [1, [2, {}]], { b: 1, a: { '': [] } }];

/** A column value of the field, edge cases first. */
export function randomValue(component: ComponentSchema, { name, kind }: FieldSchema, n: number) {
  const pick = <T>(values: readonly T[]): T => values[n % values.length] as T;
  if (kind === 'string') return pick(TEXTS);
  if (kind === 'json') return pick<unknown>(VALUES);
  const integers = INTEGERS[kind];
  if (integers !== undefined) return pick(integers);
  return pick(component.spatial?.includes(name) === true ? POSITIONS : FLOATS);
}

const mask = fc.integer({ min: 0, max: 2 ** kitchenSink.components.length - 1 });
const index = fc.nat({ max: 1_000 });
const rowSpec = fc.record({ mask, seed: fc.nat({ max: 1_000_000 }) });
const many = <T>(of: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(of, { maxLength, size: 'max' });

const tick = fc.record({
  arrivals: many(many(rowSpec, 6), 3),
  changes: many(fc.record({ row: index, field: index, seed: index }), 60),
  masks: many(fc.record({ row: index, mask }), 4),
  births: many(rowSpec, 20),
  deaths: many(index, 5),
  departures: many(index, 8),
  jumped: fc.nat({ max: 300 }),
});

export type Tick = typeof tick extends fc.Arbitrary<infer T> ? T : never;

/** Histories of one cell. */
export const ticks = fc.array(tick, { minLength: 1, maxLength: 10, size: 'max' });

/** All a table holds, absent components included, in a form in which −0 and 0 differ. */
export function contents(table: Table): unknown {
  const { count } = table;
  return {
    ids: Array.from(table.ids.subarray(0, count)),
    masks: Array.from(table.masks.subarray(0, count)),
    columns: table.columns.map((columns) => columns.map((c) => Array.from(c.slice(0, count)))),
    dirty: [...table.dirty, table.maskDirty].map((marks) => Array.from(marks.subarray(0, count))),
  };
}

/** Plays one tick on the writer; returns the body. */
export function play(
  writer: Table,
  tick: Tick,
  number: number,
  nextId: { id: number },
): Uint8Array {
  const { schema } = writer;
  const arrivals = tick.arrivals.map((specs, i) => {
    const rows = new Table(schema, 1);
    for (const spec of specs) addRow(rows, nextId, spec);
    const body = encodeRows(rows, number - 1);
    writer.merge(rows);
    return { seq: number * 8 + i, from: i, to: 99, tick: number - 1, body };
  });
  for (const { row, field, seed } of tick.changes) {
    if (writer.count > 0) change(writer, row % writer.count, field, seed);
  }
  for (const { row, mask } of tick.masks) {
    if (writer.count > 0) writer.setMask(row % writer.count, mask);
  }
  const births = new Table(schema, 1);
  for (const spec of tick.births) addRow(births, nextId, spec);
  const chosen = (numbers: readonly number[], taken: ReadonlySet<number>): number[] => {
    const ids = numbers.map((n) => writer.ids[n % Math.max(1, writer.count)] as number);
    const here = writer.count === 0 ? [] : [...new Set(ids)];
    return here.filter((id) => !taken.has(id)).sort((a, b) => a - b);
  };
  const deaths = chosen(tick.deaths, new Set());
  const leaving = chosen(tick.departures, new Set(deaths));
  const departures = [
    { to: 3, seq: 1, ids: leaving.filter((_, i) => i % 2 === 0) },
    { to: 70_000, seq: 2, ids: leaving.filter((_, i) => i % 2 === 1) },
  ].slice(0, tick.departures.length % 3);
  const parts = { tick: number, idCounter: nextId.id, arrivals, births, deaths, departures };
  const body = encodeCommit(writer, { ...parts, jumped: tick.jumped });
  settle(writer, parts);
  return body;
}

function addRow(
  table: Table,
  nextId: { id: number },
  { mask, seed }: Tick['births'][number],
): void {
  nextId.id += 1 + (seed % 3) * (seed % 7 === 0 ? 2 ** 33 : 1);
  const row = table.append(nextId.id, mask);
  fillRow(table, row, seed);
}

export function fillRow(table: Table, row: number, seed: number): void {
  table.schema.components.forEach((component, c) => {
    if ((((table.masks[row] as number) >>> c) & 1) === 0) return;
    component.fields.forEach((field, f) => {
      const column = table.columns[c]?.[f] as unknown[];
      column[row] = randomValue(component, field, seed + f);
    });
  });
}

/** Changes one field of a row, if the row has its component. */
function change(table: Table, row: number, field: number, seed: number): void {
  const places = table.schema.components.flatMap(({ fields }, c) => fields.map((_, f) => [c, f]));
  const [c, f] = places[field % places.length] as [number, number];
  if ((((table.masks[row] as number) >>> c) & 1) === 0) return;
  const component = table.schema.components[c] as LayerSchema['components'][number];
  const column = table.columns[c]?.[f] as unknown[];
  column[row] = randomValue(component, component.fields[f] as never, seed);
  const marks = table.dirty[c] as Uint32Array;
  marks[row] = (marks[row] as number) | (1 << f);
}

/**
 * The body encoded again from what was decoded, or `undefined` if it contradicts itself. Ids of the
 * rows it refers to are not in it, so any will do.
 */
export function recoded(body: CommitBody): Uint8Array | undefined {
  const { schema, rowCount, masks, changes } = body;
  const table = new Table(schema, Math.max(1, rowCount));
  const all = 2 ** schema.components.length - 1;
  for (let row = 0; row < rowCount; row++) table.append(row, all);
  for (let i = 0; i < (masks?.set.count ?? 0); i++) {
    const row = masks?.set.isAll === true ? i : (masks?.set.rows[i] as number);
    table.masks[row] = masks?.values[i] as number;
    table.maskDirty[row] = 1;
  }
  if (!applyChanges(table, { ...body, masks: undefined, changes })) return undefined;
  return writeCommit(table, body);
}

const INTERESTING = [0, 1, 2, 3, 4, 7, 127, 128, 129, 192, 240, 254, 255];

/**
 * One to four edits: a flipped bit, a telling byte, bytes dropped, doubled, swapped, cut off. The
 * first `spared` bytes are left alone mostly, or little else would be tried.
 */
export function mutated(
  bytes: Uint8Array,
  other: Uint8Array,
  random: Random,
  spared: number,
): Uint8Array {
  let result = Array.from(bytes);
  for (let edits = 1 + random.below(4); edits > 0 && result.length > 0; edits--) {
    const start = random.chance(0.02) ? 0 : Math.min(spared, result.length - 1);
    const at = start + random.below(result.length - start);
    const length = 1 + random.below(9);
    const kind = random.below(7);
    if (kind === 0) result[at] = (result[at] as number) ^ (1 << random.below(8));
    else if (kind === 1) result[at] = INTERESTING[random.below(INTERESTING.length)] as number;
    else if (kind === 2) result.splice(at, length);
    else if (kind === 3) result.splice(at, 0, ...result.slice(at, at + length));
    else if (kind === 4) result.splice(at, length, ...other.slice(at, at + length));
    else if (kind === 5) result.splice(at, 0, 255, 255, 255, 255, 255, 255, 255, 15);
    else if (random.chance(0.2)) result = result.slice(0, at);
  }
  return Uint8Array.from(result);
}
