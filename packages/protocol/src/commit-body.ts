/**
 * The bytes of a commit. What needs no schema comes first, so that an auditor can read it alone.
 */
import { assert } from '@leasehold/kernel';
import { ByteReader, ByteWriter } from './bytes.ts';
import { decodeRows, inspectRows } from './channel-body.ts';
import type { CommitBody, CommitParts, Departure, FieldChange, MaskChange } from './commit.ts';
import { migratedCommit } from './commit-migration.ts';
import { bodySchema, ROWS_MAX, readHeader, type SchemaSource, writeHeader } from './header.ts';
import { type RowSet, RowSetWriter, readRowSet } from './row-set.ts';
import {
  checkRowCount,
  readIds,
  readMask,
  readRowPayload,
  writeIds,
  writeRowPayload,
} from './rows.ts';
import {
  COMPONENTS_MAX,
  type Column,
  type ComponentSchema,
  emptyColumn,
  FIELDS_MAX,
  type FieldKind,
  type FieldSchema,
  KINDS,
  type LayerSchema,
  type SchemaResolver,
} from './schema.ts';
import type { ChannelEntry } from './store.ts';
import type { Table } from './table.ts';
import { bytesMin, readValues, writeValues } from './values.ts';

const scratch = new ByteWriter();
const rowSets = new RowSetWriter();
let rows = new Uint32Array(256);

/**
 * The body of a tick. `table` is as the systems left it: arrivals merged, changes marked, births
 * not merged, deaths and departures not removed (`settle` does that afterwards). A row whose mask
 * changed is sent whole. `marks`: the changes to send, by component, where not all of them are.
 *
 * Throws `SPATIAL_NOT_FINITE` or `FIELD_KIND_MISMATCH` naming component, field and entity, and
 * `LIMIT_EXCEEDED`.
 *
 * PERF: see the README for measured figures. What must stay: no allocation per entity, one scan and
 * one copy per column when all rows changed.
 */
export function encodeCommit(
  table: Table,
  parts: CommitParts,
  marks: ChangeMarks = table.dirty,
): Uint8Array {
  markWholeRows(table);
  return writeCommit(table, parts, marks);
}

/** [component][row], bit f: the field is sent. */
export type ChangeMarks = readonly Uint32Array[];

/** Whoever changed a mask by hand may have left out marks; a whole row is right in any case. */
function markWholeRows({ schema, maskDirty, masks, dirty, count }: Table): void {
  let row = maskDirty.indexOf(1);
  for (; row >= 0 && row < count; row = maskDirty.indexOf(1, row + 1)) {
    for (let c = 0; c < dirty.length; c++) {
      const isPresent = (((masks[row] as number) >>> c) & 1) === 1;
      const fields = (schema.components[c] as ComponentSchema).fields.length;
      (dirty[c] as Uint32Array)[row] = isPresent ? 2 ** fields - 1 : 0;
    }
  }
}

/** As `encodeCommit`, with exactly the marks that are there. */
export function writeCommit(
  table: Table,
  parts: CommitParts,
  marks: ChangeMarks = table.dirty,
): Uint8Array {
  const { schema, count } = table;
  checkRowCount(count);
  assert(parts.births.schema.hash === schema.hash, 'births are of the schema of the table');
  if (rows.length < count) rows = new Uint32Array(count * 2);
  const writer = scratch.reset();
  writeHeader(writer, schema, 'commit');
  writeKnown(writer, parts, count);
  rowSets.reset();
  const masks = markedMasks(table);
  if (masks === 0) writer.u8(0);
  else rowSets.write(writer, rows, masks, count);
  const changes = changedFields(table, marks);
  writer.varint(changes.length);
  for (const change of changes) {
    writer.u8(componentOf(change)).u8(fieldOf(change));
    rowSets.write(writer, rows, markedRows(table, marks, change), count);
  }
  const start = writer.beginSection();
  for (let row = 0; row < (masks === 0 ? 0 : count); row++) {
    if (table.maskDirty[row] !== 0) writer.varint(table.masks[row] as number);
  }
  for (const change of changes) writeChange(writer, table, marks, change);
  writer.endSection(start);
  writeRowPayload(writer, parts.births);
  return writer.finish();
}

function writeKnown(writer: ByteWriter, parts: CommitParts, count: number): void {
  writer
    .varint(parts.tick)
    .varint(parts.idCounter)
    .varint(parts.jumped ?? 0);
  writer.varint(parts.arrivals.length);
  for (const { from, to, seq, tick, body } of parts.arrivals) {
    writer.varint(from).varint(to).varint(seq).varint(tick).varint(body.length).raw(body);
  }
  writeIds(writer, parts.births);
  writer.ids(parts.deaths);
  writer.varint(parts.departures.length);
  let last = -1;
  for (const { to, seq, ids } of parts.departures) {
    assert(seq > last, 'a channel counts on');
    last = seq;
    writer.varint(to).varint(seq).ids(ids);
  }
  writer.varint(count);
}

/** Component and field in one number. */
const componentOf = (change: number): number => (change / FIELDS_MAX) | 0;
const fieldOf = (change: number): number => change % FIELDS_MAX;

/** Lists in `rows` the rows in which the field is marked, of those that have the component. */
function markedRows({ masks, count }: Table, allMarks: ChangeMarks, change: number): number {
  const c = componentOf(change);
  const f = fieldOf(change);
  const marks = allMarks[c] as Uint32Array;
  let found = 0;
  for (let row = 0; row < count; row++) {
    rows[found] = row;
    found += ((marks[row] as number) >>> f) & ((masks[row] as number) >>> c) & 1;
  }
  return found;
}

/** Lists in `rows` the rows whose components changed. */
function markedMasks({ maskDirty, count }: Table): number {
  let found = 0;
  for (let row = 0; row < count; row++) {
    rows[found] = row;
    found += (maskDirty[row] as number) & 1;
  }
  return found;
}

/** Everything that changed, ascending. */
function changedFields({ masks, count }: Table, allMarks: ChangeMarks): number[] {
  const changes: number[] = [];
  for (let c = 0; c < allMarks.length; c++) {
    const marks = allMarks[c] as Uint32Array;
    let any = 0;
    for (let row = 0; row < count; row++) {
      any |= (marks[row] as number) & -(((masks[row] as number) >>> c) & 1);
    }
    for (let f = 0; any >>> f !== 0 && f < FIELDS_MAX; f++) {
      if (((any >>> f) & 1) === 1) changes.push(c * FIELDS_MAX + f);
    }
  }
  return changes;
}

function writeChange(writer: ByteWriter, table: Table, marks: ChangeMarks, change: number): void {
  const c = componentOf(change);
  const f = fieldOf(change);
  const component = table.schema.components[c] as ComponentSchema;
  const field = component.fields[f] as FieldSchema;
  const count = markedRows(table, marks, change);
  const chosen = count === table.count ? undefined : rows;
  const column = table.columns[c]?.[f] as Column;
  writeValues(writer, component, field, column, { count, rows: chosen, ids: table.ids });
}

/** The part of a commit that can be read without its schema. */
type Known = {
  readonly tick: number;
  readonly idCounter: number;
  readonly jumped: number;
  readonly arrivals: readonly ChannelEntry[];
  readonly birthIds: Float64Array;
  readonly deaths: number[];
  readonly departures: readonly Departure[];
  readonly rowCount: number;
};

function readKnown(reader: ByteReader): Known {
  const tick = reader.varint();
  const idCounter = reader.varint();
  const jumped = reader.varint();
  const arrivals: ChannelEntry[] = [];
  for (let left = reader.count('arrivals', 5); left > 0; left--) {
    const from = reader.varint();
    const to = reader.varint();
    const seq = reader.varint();
    const sentAt = reader.varint();
    const body = reader.raw(reader.count('bytes of an arrival'));
    arrivals.push({ from, to, seq, tick: sentAt, body });
  }
  const birthIds = readIds(reader);
  const deaths = reader.ids('deaths');
  const departures: Departure[] = [];
  let last = -1;
  for (let left = reader.count('departures', 3); left > 0; left--) {
    const to = reader.varint();
    const seq = reader.varint();
    if (seq <= last) throw reader.fault('channel entries do not ascend');
    last = seq;
    departures.push({ to, seq, ids: reader.ids('departures') });
  }
  const rowCount = reader.varint();
  if (rowCount > ROWS_MAX) throw reader.fault(`${rowCount} rows are more than ${ROWS_MAX}`);
  return { tick, idCounter, jumped, arrivals, birthIds, deaths, departures, rowCount };
}

type Directory = {
  readonly masks: RowSet | undefined;
  readonly changes: readonly { readonly c: number; readonly f: number; readonly set: RowSet }[];
};

/** Which rows changed in which fields. Without a schema, only limits are checked. */
function readDirectory(reader: ByteReader, total: number, schema?: LayerSchema): Directory {
  let claimed = 0;
  let previous: RowSet | undefined;
  const next = (bytesEach: number): RowSet => {
    previous = readRowSet(reader, total, bytesEach, previous);
    claimed += previous.count * bytesEach;
    reader.fits(claimed, 1, 'bytes of values');
    return previous;
  };
  const masks = reader.peek() === 0 ? void reader.u8() : next(1);
  const changes: { c: number; f: number; set: RowSet }[] = [];
  let last = -1;
  for (let left = reader.count('changes', 3); left > 0; left--) {
    const c = reader.u8();
    const f = reader.u8();
    if (c >= COMPONENTS_MAX || f >= FIELDS_MAX || c * FIELDS_MAX + f <= last) {
      throw reader.fault(`change of component ${c}, field ${f} is out of place`);
    }
    last = c * FIELDS_MAX + f;
    const field = schema?.components[c]?.fields[f];
    if (schema !== undefined && field === undefined) {
      throw reader.fault(`component ${c} has no field ${f}`);
    }
    changes.push({ c, f, set: next(field === undefined ? 1 : bytesMin(field)) });
  }
  return { masks, changes };
}

/**
 * Reads what `encodeCommit` wrote. With a schema as `source`, a commit in an older one is migrated
 * into it (`older` knows that one); with a resolver it stays in its own. Throws `BODY_MALFORMED` or
 * `SCHEMA_INCOMPATIBLE`.
 */
export function decodeCommit(
  bytes: Uint8Array,
  source: SchemaSource,
  older?: SchemaResolver,
): CommitBody {
  const reader = new ByteReader(bytes, 'commit');
  const schema = bodySchema(readHeader(reader, 'commit'), source, older);
  const { birthIds, ...known } = readKnown(reader);
  const directory = readDirectory(reader, known.rowCount, schema);
  const section = reader.section();
  const masks = readMaskValues(section, schema, directory.masks);
  const changes = directory.changes.map(({ c, f, set }): FieldChange => {
    const component = schema.components[c] as ComponentSchema;
    const values = readValues(
      section,
      component,
      component.fields[f] as FieldSchema,
      set.count,
      passing,
    );
    return { component: c, field: f, set, values };
  });
  section.end();
  const births = readBirths(reader, schema, birthIds);
  reader.end();
  // An arrival was migrated into the schema of the commit when its writer merged it.
  const resolve = (hash: string): LayerSchema | undefined => {
    if (typeof source === 'function') return source(hash);
    return source.hash === hash ? source : older?.(hash);
  };
  const arrivalRows = known.arrivals.map(({ body }) => decodeRows(body, schema, resolve).rows);
  const body = { ...known, schema, births, arrivalRows, masks, changes };
  return typeof source === 'function' ? body : migratedCommit(body, source);
}

const SLAB_BYTES = 64 * 1024;
const PASSING_BYTES_MAX = 4_096;
let slab = new ArrayBuffer(SLAB_BYTES);
let slabUsed = 0;

/**
 * A column that is applied to a table and then forgotten. PERF: memory of its own costs a small
 * column more than its values do; whoever keeps one keeps 64 KB.
 */
function passing(kind: FieldKind, count: number): Column {
  const bytes = count * KINDS[kind].bytes;
  if ((kind !== 'f64' && kind !== 'f32') || bytes > PASSING_BYTES_MAX) {
    return emptyColumn(kind, count);
  }
  if (slabUsed + bytes > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += Math.ceil(bytes / 8) * 8;
  return kind === 'f64' ? new Float64Array(slab, at, count) : new Float32Array(slab, at, count);
}

const nobody = new WeakMap<LayerSchema, Table>();

/** PERF: most commits bear nobody, and a table is a dozen arrays. Nobody writes into a body. */
function readBirths(reader: ByteReader, schema: LayerSchema, ids: Float64Array): Table {
  const known = ids.length === 0 ? nobody.get(schema) : undefined;
  if (known === undefined) {
    const births = readRowPayload(reader, schema, ids);
    if (ids.length === 0) nobody.set(schema, births);
    return births;
  }
  reader.section().end();
  return known;
}

function readMaskValues(
  reader: ByteReader,
  schema: LayerSchema,
  set: RowSet | undefined,
): MaskChange | undefined {
  if (set === undefined) return undefined;
  reader.fits(set.count, 1, 'masks');
  const values = new Uint32Array(set.count);
  for (let i = 0; i < values.length; i++) values[i] = readMask(reader, schema);
  return { set, values };
}

/** What an auditor sees of a commit. */
export type CommitInspection = {
  readonly schemaHash: string;
  readonly tick: number;
  readonly idCounter: number;
  readonly jumped: number;
  /** Rows of the cell after arrivals, before births, deaths and departures. */
  readonly rowCount: number;
  readonly arrivals: readonly {
    readonly from: number;
    readonly to: number;
    readonly seq: number;
    readonly tick: number;
    readonly ids: readonly number[];
  }[];
  readonly births: readonly number[];
  readonly deaths: readonly number[];
  readonly departures: readonly Departure[];
  /** Rows with at least one changed field or mask. */
  readonly changedRows: number;
};

/** What can be said of a commit without its schema; all ids ascend. Throws `BODY_MALFORMED`. */
export function inspectCommit(bytes: Uint8Array): CommitInspection {
  const reader = new ByteReader(bytes, 'commit');
  const schemaHash = readHeader(reader, 'commit');
  const { birthIds, arrivals, ...known } = readKnown(reader);
  const { masks, changes } = readDirectory(reader, known.rowCount);
  reader.section();
  reader.section();
  reader.end();
  const sets = changes.map(({ set }) => set);
  if (masks !== undefined) sets.push(masks);
  return {
    schemaHash,
    ...known,
    arrivals: arrivals.map(({ from, to, seq, tick, body }) => {
      return { from, to, seq, tick, ids: inspectRows(body).ids };
    }),
    births: Array.from(birthIds),
    changedRows: unionCount(new Set(sets), known.rowCount),
  };
}

/** What a commit took of channels, bodies verbatim, and what it sent. Throws `BODY_MALFORMED`. */
export function commitTraffic(bytes: Uint8Array): Pick<CommitParts, 'arrivals' | 'departures'> {
  const reader = new ByteReader(bytes, 'commit');
  readHeader(reader, 'commit');
  const { arrivals, departures } = readKnown(reader);
  return { arrivals, departures };
}

function unionCount(sets: ReadonlySet<RowSet>, total: number): number {
  const union = new Set<number>();
  for (const { isAll, rows: numbers, count } of sets) {
    if (isAll) return total;
    if (sets.size === 1) return count;
    for (const row of numbers) union.add(row);
  }
  return union.size;
}
