/**
 * The parts of a frame that are about a connection or a list of cells. A part is encoded whole,
 * kind and length included, so that every client can be handed the same bytes.
 */
import { assert } from '@leasehold/kernel';
import { ByteWriter, varintLength } from '../bytes.ts';
import type { Holders, WorldTime } from './messages.ts';
import { type JsonParts, LOCKSTEP, PART, PAUSED, type PartKind, PODS_MAX } from './parts.ts';

const writer = new ByteWriter();
const encoder = new TextEncoder();

/** The part with this body, in bytes of its own. */
export function wholePart(kind: PartKind, body: ByteWriter): Uint8Array {
  const header = 1 + varintLength(body.length);
  const bytes = new Uint8Array(header + body.length);
  bytes[0] = kind;
  let rest = body.length;
  for (let at = 1; at < header; at++) {
    bytes[at] = at === header - 1 ? rest : (rest & 127) | 128;
    rest >>>= 7;
  }
  body.copyTo(bytes, header);
  return bytes;
}

export function encodeJsonPart<K extends keyof JsonParts>(
  kind: K,
  value: JsonParts[K],
): Uint8Array {
  return wholePart(PART[kind], writer.reset().raw(encoder.encode(JSON.stringify(value))));
}

export function encodeTimePart(time: WorldTime): Uint8Array {
  writer.reset().f64(time.nowMs).f64(time.baseMs).f64(time.baseTick).f64(time.rateHz);
  writer.u8((time.isPaused ? PAUSED : 0) | (time.isLockstep ? LOCKSTEP : 0));
  return wholePart(PART.time, writer);
}

/** Throws (a defect) when there are more pods than `cells` can name. */
export function encodeHoldersPart({ pods, gone, cells }: Holders): Uint8Array {
  assert(pods.length <= PODS_MAX, `${pods.length} pods are more than ${PODS_MAX}`);
  writer.reset().varint(pods.length);
  pods.forEach((pod, i) => {
    writer.text(pod).u8(gone[i] === true ? 1 : 0);
  });
  for (let start = 0; start < cells.length; ) {
    const holder = cells[start] as number;
    let end = start + 1;
    while (cells[end] === holder) end++;
    writer.varint(end - start).varint(holder);
    start = end;
  }
  return wholePart(PART.holders, writer);
}

/** `cells` in any order; each is sent once. */
export function encodeCellsPart(kind: 'gone' | 'resync', cells: readonly number[]): Uint8Array {
  const ascending = Float64Array.from(new Set(cells)).sort();
  return wholePart(PART[kind], writer.reset().ids(ascending));
}

export function encodeScopePart(subscription: number): Uint8Array {
  return wholePart(PART.scope, writer.reset().varint(subscription));
}

/**
 * The last part of a frame that ends in the middle of a telling: the next frame goes on, and only
 * after it is the view of one moment.
 */
export function encodeMorePart(): Uint8Array {
  return wholePart(PART.more, writer.reset());
}

/** That the subscription in scope has been told of every cell of its area. */
export function encodeLivePart(): Uint8Array {
  return wholePart(PART.live, writer.reset());
}
