/** L3 as a reader sees it: entries follow one another without a gap, each naming the one before. */
import { LeaseholdError } from '@leasehold/kernel';
import { type ChannelEntry, entryHash, type LogEntry } from '@leasehold/protocol';

/** The format of log entries that this code writes and can verify. */
export const ENTRY_VERSION = 1;

/** A stream entry as Redis gives it: its id, and field names and values in turn. */
export type RawEntry = readonly [Buffer, readonly Buffer[]];

const text = (bytes: Buffer | undefined): string => bytes?.toString('latin1') ?? '';
const seqOf = (id: Buffer): number => Number.parseInt(text(id), 10);

/** A plain view, so that what a reader gets does not depend on how it came. */
function bytesOf(buffer: Buffer | undefined): Uint8Array {
  if (buffer === undefined) return new Uint8Array(0);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * Fields are `h b i`, in this order, the last one empty or absent where no posts were consumed; `h` is
 * version, epoch, previous hash, hash and tick.
 */
export function readLogEntry([id, fields]: RawEntry): LogEntry {
  const [from, to] = text(fields[5]).split(':').map(Number);
  const inbox = from === undefined || to === undefined ? {} : { inbox: { from, to } };
  const [version, epoch = '', prevHash = '', hash = '', tick] = text(fields[1]).split(' ');
  return {
    seq: seqOf(id),
    version: Number(version),
    epoch,
    prevHash,
    hash,
    tick: Number(tick),
    body: bytesOf(fields[3]),
    ...inbox,
  };
}

/** Fields are `d t b`, in this order. */
export function readChannelEntry(from: number, [id, fields]: RawEntry): ChannelEntry {
  return {
    seq: seqOf(id),
    from,
    to: Number(text(fields[1])),
    tick: Number(text(fields[3])),
    body: bytesOf(fields[5]),
  };
}

/**
 * The entries that extend (seq, hash), and whether all did. The hash of an entry of a version that
 * this code does not know cannot be recomputed; its reader sees the version and must stop.
 */
export function extending(
  seq: number,
  hash: string,
  raw: readonly RawEntry[],
): { readonly entries: LogEntry[]; readonly isBroken: boolean } {
  const entries: LogEntry[] = [];
  for (const each of raw) {
    const entry = readLogEntry(each);
    if (entry.seq !== seq + 1 || entry.prevHash !== hash || !isSound(entry)) {
      return { entries, isBroken: true };
    }
    entries.push(entry);
    seq = entry.seq;
    hash = entry.hash;
  }
  return { entries, isBroken: false };
}

function isSound({ version, prevHash, seq, epoch, tick, body, hash }: LogEntry): boolean {
  return version !== ENTRY_VERSION || entryHash(prevHash, seq, epoch, tick, body) === hash;
}

/** The error for a stored chain that is broken however often it is read. */
export function chainFault(cell: number, message: string): LeaseholdError {
  return new LeaseholdError('BODY_MALFORMED', `cell ${cell}: ${message}`, {
    field: `cell ${cell}`,
    value: message,
    remedy: 'Run `leasehold audit` on the world; restore the cell from a snapshot.',
  });
}
