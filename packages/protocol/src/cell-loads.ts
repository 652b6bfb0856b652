/**
 * What a pod measured of its cells, as bytes. Numbers travel as they are, a NaN too: whoever plans
 * judges them. Owns no rule of what a load may be.
 *
 * ```
 * u8 version │ cells: count, first, distances (varints) │ f32 tickMs × count │ f32 entities × count
 *   │ cells in which nothing changes: count, first, distances │ f32 stillMs × count
 * ```
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import type { CellLoad } from './plan.ts';

const VERSION = 2;
/** Bytes of one cell at least: a distance and two numbers. */
const CELL_BYTES_MIN = 9;

/** In any order; of a cell that is told twice the last counts. Nine bytes a cell, mostly. */
export function encodeCellLoads(loads: readonly CellLoad[]): Uint8Array {
  const byCell = new Map(loads.map((load) => [load.cell, load]));
  const sorted = [...byCell.values()].sort((a, b) => a.cell - b.cell);
  const writer = new ByteWriter().u8(VERSION).ids(sorted.map(({ cell }) => cell));
  writer.raw(floats(sorted.map(({ tickMs }) => tickMs)));
  writer.raw(floats(sorted.map(({ entities }) => entities)));
  const still = sorted.filter(({ stillMs }) => stillMs !== undefined);
  writer.ids(still.map(({ cell }) => cell));
  return writer.raw(floats(still.map(({ stillMs = 0 }) => stillMs))).finish();
}

/** Cells ascending. Throws `BODY_MALFORMED`. */
export function decodeCellLoads(bytes: Uint8Array): CellLoad[] {
  const reader = new ByteReader(bytes, 'cell loads');
  const version = reader.u8();
  if (version !== VERSION) throw reader.fault(`version ${version} is not known`);
  const cells = reader.ids('cells');
  reader.fits(cells.length, CELL_BYTES_MIN - 1, 'loads');
  const tickMs = numbers(reader.raw(cells.length * 4));
  const entities = numbers(reader.raw(cells.length * 4));
  const still = new Map(stillOf(reader));
  reader.end();
  return cells.map((cell, i) => {
    const stillMs = still.get(cell);
    return {
      cell,
      tickMs: tickMs.getFloat32(i * 4, true),
      entities: entities.getFloat32(i * 4, true),
      ...(stillMs === undefined ? {} : { stillMs }),
    };
  });
}

function stillOf(reader: ByteReader): [cell: number, stillMs: number][] {
  const cells = reader.ids('still cells');
  reader.fits(cells.length, 4, 'times');
  const stillMs = numbers(reader.raw(cells.length * 4));
  return cells.map((cell, i) => [cell, stillMs.getFloat32(i * 4, true)]);
}

function floats(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = numbers(bytes);
  for (const [i, value] of values.entries()) view.setFloat32(i * 4, value, true);
  return bytes;
}

function numbers({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
