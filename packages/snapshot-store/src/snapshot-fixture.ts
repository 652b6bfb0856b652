/** A small world of two layers as a capture hands it over, and how tests read snapshots back. */
import {
  type ComponentSchema,
  encodeCheckpoint,
  encodeRows,
  type Json,
  type LayerSchema,
  layerSchema,
  schemaJson,
  Table,
} from '@leasehold/protocol';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import type { CapturedCell, CapturedFlight, SnapshotFacts } from './captured.ts';
import { SNAPSHOT_FORMAT } from './facts.ts';
import type { SnapshotStore } from './store.ts';

const component = (
  name: string,
  fields: ComponentSchema['fields'],
  spatial?: readonly [string, string],
): ComponentSchema => ({ name, version: 1, fields, ...(spatial && { spatial }) });

const position = component(
  'position',
  [
    { name: 'x', kind: 'f64', initial: 0 },
    { name: 'y', kind: 'f64', initial: 0 },
  ],
  ['x', 'y'],
);

export const motion = layerSchema('motion', [
  position,
  component('prefab', [
    { name: 'name', kind: 'string', initial: '' },
    { name: 'version', kind: 'string', initial: '' },
  ]),
  component('note', [
    { name: 'text', kind: 'string', initial: '' },
    { name: 'json', kind: 'json', initial: null },
    { name: 'isLoud', kind: 'bool', initial: false },
  ]),
  component('_letters', [{ name: 'count', kind: 'f64', initial: 0 }]),
]);

export const metabolism = layerSchema('metabolism', [
  component('energy', [{ name: 'level', kind: 'f64', initial: 10 }]),
  { ...position, copyOf: 'motion' },
]);

const PLANE: SpaceSpec = { kind: 'plane', width: 400, height: 400, cell: 100 };

export function factsOf(id: string, more: Partial<SnapshotFacts> = {}): SnapshotFacts {
  const schemas = [motion, metabolism];
  return {
    id,
    world: 'w',
    incarnation: 3,
    tick: 120,
    clock: { mode: 'lockstep', rateHz: 20, baseMs: 1, baseTick: 2, isPaused: false, endTick: 0 },
    space: spaceFacts(PLANE),
    manifestHash: 'f'.repeat(16),
    fixed: { seed: 7, lockstep: true },
    layers: schemas.map(({ layer, hash }) => ({ layer, schemaHash: hash })),
    schemas: Object.fromEntries(schemas.map((schema) => [schema.hash, schemaJson(schema)])),
    format: SNAPSHOT_FORMAT,
    ...more,
  };
}

export function spaceFacts(spec: SpaceSpec): SnapshotFacts['space'] {
  const { originX, originY, width, height, cellSize } = new Grid(spec);
  return { kind: spec.kind, originX, originY, width, height, cell: cellSize };
}

/** Values by component, then by field, as a table holds them. */
export type Row = readonly [id: number, values: Readonly<Record<string, Record<string, Json>>>];

export function tableFrom(schema: LayerSchema, rows: readonly Row[]): Table {
  const table = new Table(schema);
  for (const [id, values] of [...rows].sort(([a], [b]) => a - b)) {
    const has = schema.components.map(({ name }) => values[name] !== undefined);
    const row = table.append(
      id,
      has.reduce((mask, is, c) => mask + (is ? 2 ** c : 0), 0),
    );
    for (const [c, { name, fields }] of schema.components.entries()) {
      for (const [f, field] of fields.entries()) {
        const value = values[name]?.[field.name];
        if (value !== undefined) (table.columns[c]?.[f] as Json[])[row] = value;
      }
    }
  }
  return table;
}

export function cellOf(layer: number, cell: number, rows: readonly Row[]): CapturedCell {
  const table = tableFrom(layer === 0 ? motion : metabolism, rows);
  return {
    ...{ layer, cell, seq: 10 + cell, hash: `${cell}`.padStart(16, '0'), tick: 119 },
    ...{ idCounter: 5, asked: 2, outSeq: 4, cursors: [[1, 3]] },
    rows: encodeCheckpoint(table, { tick: 0, idCounter: 0 }),
    count: rows.length,
  };
}

/** Entities of `motion` that left the cell, and a letter that waits for somebody in it. */
export function flightOf(cell: number, to: number, rows: readonly Row[]): CapturedFlight {
  const body = encodeRows(tableFrom(motion, rows), 120);
  return {
    ...{ layer: 0, cell, channel: [{ seq: 4, from: cell, to, tick: 120, body }] },
    posts: [{ id: 'request-1', body: Uint8Array.of(1, 2, 3) }],
  };
}

export const at = (x: number, y: number): Row[1] => ({ position: { x, y } });

const SIDE = 4;

/** One entity in each cell, whose id is above its number, with `more` over what it would have. */
export function worldOf(more: ReadonlyMap<number, readonly Row[]> = new Map()): CapturedCell[] {
  const cells = Array.from({ length: SIDE * SIDE }, (_, cell) => cell);
  return [0, 1].flatMap((layer) =>
    cells.map((cell) => {
      const [x, y] = [(cell % SIDE) * 100 + 50, Math.floor(cell / SIDE) * 100 + 50];
      const home: Row[] = [[cell + 1, at(x, y)]];
      const other: Row[] = [[cell + 1, { energy: { level: cell } }]];
      return cellOf(layer, cell, layer === 0 ? (more.get(cell) ?? home) : other);
    }),
  );
}

export async function taken(
  store: SnapshotStore,
  facts: SnapshotFacts,
  cells: readonly CapturedCell[],
  flights: readonly CapturedFlight[] = [],
) {
  const writer = await store.begin(facts);
  await writer.put(cells);
  await writer.putFlights(flights);
  return writer.finish();
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of source) found.push(each);
  return found;
}

/** Bytes as digits, so that a difference is seen whatever kind of array holds them. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
