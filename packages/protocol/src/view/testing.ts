/**
 * What the tests of view frames share: a cell whose rows are published as a gateway does, and
 * watchers that are sent states and deltas of it.
 */
import fc from 'fast-check';
import { ByteReader } from '../bytes.ts';
import { type Column, type ComponentSchema, emptyColumn, layerSchema } from '../schema.ts';
import { kitchenSink, randomValue } from '../testing.ts';
import { type CellChange, CellRows } from './cell-rows.ts';
import { encodeDeltaPart, encodeStatePart, type FieldRows, type ViewRows } from './encode.ts';
import type { PlanView } from './messages.ts';
import { Q_WIDE, quantise, type ViewField, type ViewShape, viewShape } from './shape.ts';

export const CENTRE = [12.5, -7.25] as const;
export const CELL = 300;

const STEPS: Readonly<Record<string, number>> = { x: 0.01, y: 0.01, f32: 0.25, f64: 1e-3 };

/** Every kind of field, floats with and without a step. */
export const layer = layerSchema('main', [
  ...kitchenSink.components.map((component) => ({
    ...component,
    fields: component.fields.map((field) => {
      const step = STEPS[field.name];
      return step === undefined ? field : { ...field, step };
    }),
  })),
  {
    name: 'plain',
    version: 1,
    fields: [
      { name: 'f32', kind: 'f32', initial: 0 },
      { name: 'f64', kind: 'f64', initial: 0 },
    ],
  },
]);

export const originOf = ({ axis }: ViewField): number => (axis === 0 ? 0 : CENTRE[axis - 1]!);

type Entity = { mask: number; values: unknown[][] };

/** The body of a whole part. */
export function bodyOf(part: Uint8Array): ByteReader {
  const reader = new ByteReader(part, 'frame');
  reader.u8();
  const body = reader.part(reader.varint());
  reader.end();
  return body;
}

/** A plan of so many regions, columns of the grid; they have all that a region can have. */
export function planOf(regions: number): PlanView {
  const podOf = (i: number): string => `pod-${i % 4}`;
  return {
    version: regions,
    atMs: 1_000.5,
    regionCount: regions,
    regions: Array.from({ length: regions }, (_, i) => ({
      id: 10 + i,
      rect: { column: i, row: i % 2, columns: 1, rows: 3 },
      pod: podOf(i),
      standby: i === 0 ? '' : podOf(i + 1),
      ...(i % 2 === 0 ? {} : { relief: 'dilated' as const, dilation: i + 1 }),
      tickMs: 1.25 + i,
      entities: 300 * i,
      edges: [
        ...(i > 0 ? [{ side: 'west' as const, region: 9 + i, pod: podOf(i - 1), cells: 3 }] : []),
        { side: 'north' as const, region: 10 + i, pod: podOf(i), cells: 1 },
      ],
    })),
    asleep:
      regions === 0
        ? []
        : [
            [0, 2],
            [5, 1],
            [7, 23],
          ],
  };
}

/** A cell's rows, published one state after the other. */
export class PublishedCell {
  readonly entities = new Map<number, Entity>();
  readonly shape: ViewShape = viewShape(layer.components);
  seq = 0;
  rows: ViewRows = {
    count: 0,
    ids: new Float64Array(),
    masks: new Uint32Array(),
    columns: [],
    q: [],
    dq: [],
  };

  /** How the chain calls this state. */
  get hash(): number {
    return (this.seq * 0x9e37_79b1) >>> 0;
  }

  put(id: number, mask: number, seed: number): void {
    const values = layer.components.map((component, c) =>
      component.fields.map((field, f) => {
        const isThere = ((mask >>> c) & 1) === 1;
        return isThere ? randomValue(component, field, seed + f) : emptyColumn(field.kind, 1)[0];
      }),
    );
    this.entities.set(id, { mask, values });
  }

  change(id: number, place: number, seed: number, nudge: boolean): void {
    const entity = this.entities.get(id);
    const places = layer.components.flatMap(({ fields }, c) =>
      fields.map((_, f) => [c, f] as const),
    );
    const [c, f] = places[place % places.length]!;
    if (entity === undefined || ((entity.mask >>> c) & 1) === 0) return;
    const component = layer.components[c] as ComponentSchema;
    const field = component.fields[f]!;
    const row = entity.values[c]!;
    const near = (row[f] as number) + ((seed % 400) - 200) * (field.step ?? 0) * 0.7;
    if (!nudge || field.step === undefined) row[f] = randomValue(component, field, seed);
    else row[f] = field.kind === 'f32' ? Math.fround(near) : near;
  }

  publish(): void {
    const before = this.rows;
    const rowsBefore = new Map(Array.from(before.ids, (id, row) => [id, row]));
    const ids = Float64Array.from(this.entities.keys()).sort();
    const masks = Uint32Array.from(ids, (id) => this.entities.get(id)!.mask);
    const q: (Int32Array | undefined)[][] = [];
    const dq: (Int32Array | undefined)[][] = [];
    const columns = this.shape.components.map((component, c) => {
      q.push([]);
      dq.push([]);
      return component.fields.map((field, f) => {
        const column = emptyColumn(field.kind, ids.length) as unknown[];
        const fixed = new Int32Array(ids.length);
        const grown = new Int32Array(ids.length);
        ids.forEach((id, row) => {
          column[row] = this.entities.get(id)!.values[c]![f];
          if (field.step === 0) return;
          const exact = quantise(column[row] as number, originOf(field), field.step);
          fixed[row] = Number.isNaN(exact) ? Q_WIDE : exact;
          const past = before.q[c]?.[f]?.[rowsBefore.get(id) ?? -1] ?? Q_WIDE;
          const growth = fixed[row]! - past;
          const isKnown = past !== Q_WIDE && fixed[row] !== Q_WIDE && Math.abs(growth) < 2 ** 31;
          grown[row] = isKnown ? growth : Q_WIDE;
        });
        q[c]!.push(field.step === 0 ? undefined : fixed);
        dq[c]!.push(field.step === 0 ? undefined : grown);
        return column as unknown as Column;
      });
    });
    this.rows = { count: ids.length, ids, masks, columns, q, dq };
    this.seq++;
  }
}

/** Someone who is sent some of the rows. */
export class Watcher {
  readonly shape: ViewShape;
  readonly rows: CellRows;
  #seq = -1;
  #hash = 0;
  /** What it was sent last, to know what changed. */
  #sent = new Map<number, Entity>();

  constructor(selected: readonly string[]) {
    this.shape = viewShape(layer.components, selected);
    this.rows = new CellRows(this.shape, CELL, ...CENTRE);
  }

  /** A complete part that brings it to the published state, and what applying it says. */
  follow(cell: PublishedCell, chosen: Uint32Array | undefined, whole: boolean): Uint8Array {
    const { rows } = cell;
    const count = chosen?.length ?? rows.count;
    const at = { cell: CELL, tick: cell.seq * 3, seq: cell.seq, hash: cell.hash };
    const now = new Map<number, Entity>();
    for (let i = 0; i < count; i++) {
      const id = rows.ids[chosen?.[i] ?? i]!;
      now.set(id, structuredClone(cell.entities.get(id)!));
    }
    const part =
      whole || this.#seq < 0
        ? encodeStatePart(this.shape, at, rows, chosen, count)
        : this.#delta(cell, chosen, now, at);
    this.#seq = cell.seq;
    this.#hash = cell.hash;
    this.#sent = now;
    return part;
  }

  #delta(
    cell: PublishedCell,
    chosen: Uint32Array | undefined,
    now: ReadonlyMap<number, Entity>,
    at: Parameters<typeof encodeDeltaPart>[1],
  ): Uint8Array {
    const base = { seq: this.#seq, hash: this.#hash };
    const ids = [...now.keys()];
    const removed = [...this.#sent.keys()].filter((id) => !now.has(id));
    const isAdded = (id: number) => this.#sent.get(id)?.mask !== now.get(id)!.mask;
    const added = Uint32Array.from(ids.flatMap((id, i) => (isAdded(id) ? [i] : [])));
    const changes: FieldRows[] = [];
    this.shape.components.forEach(({ index, fields }, component) => {
      fields.forEach((_, field) => {
        const rows = ids.flatMap((id, i) => {
          const [was, is] = [this.#sent.get(id), now.get(id)!];
          if (((is.mask >>> index) & 1) === 0) return [];
          // An added row may be named too: the encoder leaves it out.
          const differs =
            was === undefined || !same(was.values[index]![field], is.values[index]![field]);
          return differs ? [i] : [];
        });
        const differences = this.#seq === cell.seq - 1;
        if (rows.length === 0) return;
        changes.push({
          component,
          field,
          rows: Uint32Array.from(rows),
          count: rows.length,
          differences,
        });
      });
    });
    return encodeDeltaPart(this.shape, at, base, cell.rows, chosen, ids.length, {
      removed,
      added,
      changes,
    });
  }

  apply(part: Uint8Array): CellChange | undefined {
    const body = bodyOf(part);
    return part[0] === 8 ? this.rows.applyState(body) : this.rows.applyDelta(body);
  }
}

export const same = (a: unknown, b: unknown): boolean =>
  typeof a === 'object' ? JSON.stringify(a) === JSON.stringify(b) : Object.is(a, b);

const many = <T>(of: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(of, { maxLength, size: 'max' });
const index = fc.nat({ max: 1_000 });
const mask = fc.integer({ min: 0, max: 2 ** layer.components.length - 1 });

const step = fc.record({
  births: many(fc.record({ mask, seed: index }), 12),
  deaths: many(index, 3),
  masks: many(fc.record({ row: index, mask, seed: index }), 2),
  changes: many(fc.record({ row: index, place: index, seed: index, nudge: fc.boolean() }), 40),
  /** All rows, or those whose id is no multiple of it. */
  edge: fc.constantFrom(0, 2, 3, 5),
  /** Whether nothing is published, so that only the edge moves. */
  idle: fc.nat({ max: 4 }).map((n) => n === 0),
  /** Whether the watcher misses this one, or gets the whole state. */
  service: fc.constantFrom('delta', 'delta', 'delta', 'delta', 'miss', 'state'),
});

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export const selections = fc.subarray(layer.components.map(({ name }) => name));
export const steps = fc.array(step, { minLength: 1, maxLength: 14, size: 'max' });

/** Plays a step on the cell; answers which rows the watcher is to have. */
export function play(cell: PublishedCell, step: Step): Uint32Array | undefined {
  if (!step.idle || cell.seq === 0) {
    const at = (n: number): number =>
      [...cell.entities.keys()][n % Math.max(1, cell.entities.size)] ?? 0;
    for (const n of step.deaths) cell.entities.delete(at(n));
    for (const { row, mask, seed } of step.masks)
      if (cell.entities.size > 0) cell.put(at(row), mask, seed);
    for (const { row, place, seed, nudge } of step.changes)
      cell.change(at(row), place, seed, nudge);
    for (const { mask, seed } of step.births) {
      cell.put(1 + (seed % 50) + (seed % 7 === 0 ? 2 ** 33 : 0), mask, seed);
    }
    cell.publish();
  }
  if (step.edge === 0) return undefined;
  const rows = Array.from(cell.rows.ids, (id, row) => (id % step.edge === 0 ? -1 : row));
  return Uint32Array.from(rows.filter((row) => row >= 0));
}
