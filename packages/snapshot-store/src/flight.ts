/**
 * What a cell had sent and not taken in, as bytes: so a restored cell goes on from exactly there.
 *
 *   u32 entries   { f64 seq, f64 from, f64 to, f64 tick, u32 length, body } …
 *   u32 posts     { u32 length, id, u32 length, body } …
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { CapturedFlight } from './captured.ts';

export type Flight = Pick<CapturedFlight, 'channel' | 'posts'>;

/** A channel is trimmed behind its readers; one with more than this has lost them long ago. */
export const FLIGHT_BYTES_MAX = 64 * 1024 * 1024;

const EMPTY = new Uint8Array(8);

/** Throws `LIMIT_EXCEEDED`. */
export function encodeFlight({ channel, posts }: Flight): Uint8Array {
  if (channel.length === 0 && posts.length === 0) return EMPTY;
  const names = posts.map(({ id }) => Buffer.from(id));
  let size = 8;
  for (const { body } of channel) size += 36 + body.length;
  for (const [i, { body }] of posts.entries()) size += 8 + (names[i]?.length ?? 0) + body.length;
  if (size > FLIGHT_BYTES_MAX) throw tooMuch(size);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt32LE(channel.length, 0);
  const put = (body: Uint8Array): void => {
    at = bytes.writeUInt32LE(body.length, at);
    bytes.set(body, at);
    at += body.length;
  };
  for (const { seq, from, to, tick, body } of channel) {
    for (const number of [seq, from, to, tick]) at = bytes.writeDoubleLE(number, at);
    put(body);
  }
  at = bytes.writeUInt32LE(posts.length, at);
  for (const [i, { body }] of posts.entries()) {
    put(names[i] as Uint8Array);
    put(body);
  }
  return bytes;
}

/** Reads what `encodeFlight` wrote; the hash of a flight says whether it did. */
export function decodeFlight(bytes: Uint8Array): Flight {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const count = (): number => {
    at += 4;
    return view.readUInt32LE(at - 4);
  };
  const number = (): number => {
    at += 8;
    return view.readDoubleLE(at - 8);
  };
  const body = (): Uint8Array => {
    const length = count();
    at += length;
    return Uint8Array.from(view.subarray(at - length, at));
  };
  const channel = Array.from({ length: count() }, () => {
    const [seq, from, to, tick] = [number(), number(), number(), number()];
    return { seq, from, to, tick, body: body() };
  });
  const posts = Array.from({ length: count() }, () => {
    const id = Buffer.from(body()).toString();
    return { id, body: body() };
  });
  return { channel, posts };
}

function tooMuch(size: number): LeaseholdError {
  const message = `a cell has ${size} bytes in flight; ${FLIGHT_BYTES_MAX} fit a snapshot`;
  return new LeaseholdError('LIMIT_EXCEEDED', message, {
    field: 'channel',
    value: String(size),
    remedy: 'See with `leasehold doctor` why nobody takes in what the cell has sent.',
  });
}
