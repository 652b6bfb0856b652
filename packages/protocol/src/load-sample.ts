/**
 * What an authority saw in some seconds, as bytes that an hour of can be kept: two for a number.
 *
 * ```
 * u8 version │ f64 atMs │ number of pods │ each: name │ u8 state and order │
 *   cells: count, first, distances (varints) │ bf16 tickMs × count │ bf16 entities × count
 * ```
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import type { CellLoad, LoadSample, PodOrder } from './plan.ts';
import type { PodRecord } from './store.ts';

const VERSION = 1;
/** Bytes of a pod at least: a name, its state, a count. */
const POD_BYTES_MIN = 3;
const STATES: readonly PodRecord['state'][] = ['ready', 'draining'];
const ORDERS: readonly PodOrder[] = ['', 'cordon', 'drain'];

export function encodeLoadSample({ atMs, pods }: LoadSample): Uint8Array {
  const writer = new ByteWriter().u8(VERSION).f64(atMs).varint(pods.length);
  for (const { pod, state, order, cells } of pods) {
    writer.text(pod).u8(STATES.indexOf(state) + STATES.length * ORDERS.indexOf(order));
    writer.ids(cells.map(({ cell }) => cell));
    for (const { tickMs } of cells) short(writer, tickMs);
    for (const { entities } of cells) short(writer, entities);
  }
  return writer.finish();
}

/** Throws `BODY_MALFORMED`. */
export function decodeLoadSample(bytes: Uint8Array): LoadSample {
  const reader = new ByteReader(bytes, 'load sample');
  const version = reader.u8();
  if (version !== VERSION) throw reader.fault(`version ${version} is not known`);
  const atMs = reader.f64();
  const pods: LoadSample['pods'][number][] = [];
  for (let left = reader.count('pods', POD_BYTES_MIN); left > 0; left--) {
    const pod = reader.text();
    const code = reader.u8();
    const state = STATES[code % STATES.length] as PodRecord['state'];
    const order = ORDERS[Math.floor(code / STATES.length)];
    if (order === undefined) throw reader.fault(`order ${code} is not known`);
    pods.push({ pod, state, order, cells: cellsOf(reader) });
  }
  reader.end();
  return { atMs, pods };
}

function cellsOf(reader: ByteReader): CellLoad[] {
  const cells = reader.ids('cells');
  reader.fits(cells.length, 4, 'loads');
  const tickMs = cells.map(() => long(reader));
  return cells.map((cell, i) => ({ cell, tickMs: tickMs[i] as number, entities: long(reader) }));
}

const VIEW = new DataView(new ArrayBuffer(4));

/** The upper half of a float: its exponent, and 8 digits. A NaN and the infinities stay. */
function short(writer: ByteWriter, value: number): void {
  VIEW.setFloat32(0, value);
  const isRounded = Number.isFinite(value) && (VIEW.getUint32(0) & 0x7fff_ffff) < 0x7f7f_0000;
  const bits = VIEW.getUint32(0) + (isRounded ? 0x8000 : 0);
  writer.u8(bits >>> 24).u8((bits >>> 16) & 255);
}

function long(reader: ByteReader): number {
  VIEW.setUint32(0, reader.u8() * 2 ** 24 + reader.u8() * 2 ** 16);
  return VIEW.getFloat32(0);
}
