/** A frame: when it was sent, how far the view is, and parts one after the other. */
import { ByteReader, ByteWriter, varintLength } from '../bytes.ts';
import {
  encodeCellsPart,
  encodeHoldersPart,
  encodeJsonPart,
  encodeLivePart,
  encodeTimePart,
} from './encode-parts.ts';
import type { Holders, WorldTime } from './messages.ts';
import { type JsonParts, PART, type PartKind } from './parts.ts';

/** The first byte of every frame; raised with `VIEW_PROTOCOL`. */
export const FRAME_VERSION = 1;

const KIND_MAX = Math.max(...Object.values(PART));

/** Builds one frame after the other: `begin`, parts, `finish`. Meant to be reused. */
export class FrameWriter {
  readonly #writer = new ByteWriter();

  /** Where parts are written that nobody else is sent. */
  get bytes(): ByteWriter {
    return this.#writer;
  }

  /** `storeMs`: store time at sending. `tick`: the latest in the view. */
  begin(storeMs: number, tick: number): this {
    this.#writer.reset().u8(FRAME_VERSION).f64(storeMs).varint(tick);
    return this;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#writer.length;
  }

  /** Takes away what was added since the frame had this length, and answers it. */
  takeFrom(length: number): Uint8Array {
    const parts = this.#writer.from(length);
    this.#writer.truncate(length);
    return parts;
  }

  /** Whole parts, as the encoders return them. */
  part(bytes: Uint8Array): this {
    this.#writer.raw(bytes);
    return this;
  }

  /** The cell parts that follow are for this subscription. */
  scope(subscription: number): this {
    this.#writer.u8(PART.scope).varint(varintLength(subscription)).varint(subscription);
    return this;
  }

  json<K extends keyof JsonParts>(kind: K, value: JsonParts[K]): this {
    return this.part(encodeJsonPart(kind, value));
  }

  time(time: WorldTime): this {
    return this.part(encodeTimePart(time));
  }

  holders(holders: Holders): this {
    return this.part(encodeHoldersPart(holders));
  }

  cells(kind: 'gone' | 'resync', cells: readonly number[]): this {
    return this.part(encodeCellsPart(kind, cells));
  }

  live(): this {
    return this.part(encodeLivePart());
  }

  /** The frame, in bytes of its own. */
  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

export type FramePart = { readonly kind: PartKind; readonly body: ByteReader };

/**
 * Reads the parts of a frame in order. Throws `BODY_MALFORMED` at the first byte that no frame has
 * there; parts of kinds that it does not know are passed over.
 */
export class FrameReader {
  readonly storeMs: number;
  readonly tick: number;
  readonly #reader: ByteReader;

  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes, 'frame');
    const version = reader.u8();
    if (version !== FRAME_VERSION) {
      throw reader.fault(`it is of version ${version}; this build reads ${FRAME_VERSION}`);
    }
    this.storeMs = reader.f64();
    if (!Number.isFinite(this.storeMs)) throw reader.fault('its time is no number');
    this.tick = reader.varint();
    this.#reader = reader;
  }

  /** The next part, `undefined` after the last. */
  next(): FramePart | undefined {
    const reader = this.#reader;
    while (reader.remaining > 0) {
      const kind = reader.u8();
      const body = reader.part(reader.varint());
      if (kind >= 1 && kind <= KIND_MAX) return { kind: kind as PartKind, body };
    }
    return undefined;
  }
}
