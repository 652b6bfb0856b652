/** Reads what `export-file.ts` wrote; nothing is kept of a file that is not exactly that. */
import { createHash, type Hash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import type { CapturedCell, CapturedFlight, SnapshotFacts } from './captured.ts';
import type { Database } from './database.ts';
import { FILE_FORMAT } from './export-file.ts';
import { SNAPSHOT_FORMAT } from './facts.ts';
import { type Finished, SnapshotWriter, type WriteOptions } from './writer.ts';

export type ImportOptions = WriteOptions & {
  /** Instead of the one that it was exported under. */
  readonly id?: string;
};

/** A cell of 1 MB, with as much in flight as a snapshot may have, in base64. */
const LINE_CHARS_MAX = 96 * 1024 * 1024;
const NEWLINE = 10;
const GZIP = [0x1f, 0x8b] as const;

type End = { readonly end: unknown; readonly hash: string; readonly sha256: string };
type CellLine = Omit<CapturedCell, 'rows'> & { readonly rows: string };
type EntryLine = Omit<CapturedFlight['channel'][number], 'body'> & { readonly body: string };
type FlightLine = Pick<CapturedFlight, 'layer' | 'cell'> & {
  readonly channel: readonly EntryLine[];
  readonly posts: readonly { readonly id: string; readonly body: string }[];
};
type Line = Partial<CellLine & FlightLine & End> & { readonly text: string };

/**
 * Compressed or not. Throws `FILE_INVALID`, naming the line, or `SNAPSHOT_TOO_NEW`; and what `begin`,
 * `put` and `finish` of a writer throw.
 */
export async function importSnapshot(
  db: Database,
  from: AsyncIterable<Uint8Array>,
  { id, ...options }: ImportOptions = {},
): Promise<Finished & { readonly id: string }> {
  const file = new SnapshotFile(from);
  try {
    const facts = await file.facts();
    const own = { ...facts, id: id ?? facts.id };
    const writer = await SnapshotWriter.begin(db, own, options);
    try {
      await writer.put(file.cells());
      await writer.putFlights(file.flights());
      return { ...(await writer.finish()), id: own.id };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } finally {
    await file.close();
  }
}

class SnapshotFile {
  readonly #lines: AsyncGenerator<string>;
  readonly #hash: Hash = createHash('sha256');
  #waiting: Line | undefined;
  #line = 0;

  constructor(from: AsyncIterable<Uint8Array>) {
    this.#lines = linesOf(plain(from), () => this.#fault('it is longer than any line can be'));
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined);
  }

  async facts(): Promise<SnapshotFacts> {
    const header = await this.#next<{ leasehold: string; format: number; facts: SnapshotFacts }>();
    if (header?.leasehold !== 'snapshot') throw this.#fault('it does not begin an export');
    this.#hash.update(`${header.text}\n`);
    const { format, facts } = header;
    if (format > FILE_FORMAT || facts.format > SNAPSHOT_FORMAT) {
      const what = `format ${format}, ${facts.format} is newer than ${FILE_FORMAT}, ${SNAPSHOT_FORMAT}`;
      throw this.#fault(what, 'SNAPSHOT_TOO_NEW', 'Use the version of the product that wrote it.');
    }
    return facts;
  }

  async *cells(): AsyncGenerator<CapturedCell> {
    for (;;) {
      this.#waiting ??= await this.#body();
      const { text: _, rows, ...position } = this.#waiting as CellLine & Line;
      if (rows === undefined) return;
      this.#waiting = undefined;
      yield { ...position, rows: bytesOf(rows) };
    }
  }

  /** Behind the cells. */
  async *flights(): AsyncGenerator<CapturedFlight> {
    for (;;) {
      const line = this.#waiting ?? (await this.#body());
      this.#waiting = undefined;
      if (line.end !== undefined) break;
      const { layer, cell, channel, posts } = line as FlightLine;
      if (!Array.isArray(channel) || !Array.isArray(posts)) throw this.#fault('it is no cell');
      yield {
        ...{ layer, cell },
        channel: channel.map(({ body, ...entry }) => ({ ...entry, body: bytesOf(body) })),
        posts: posts.map(({ id, body }) => ({ id, body: bytesOf(body) })),
      };
    }
    if ((await this.#lines.next()).done !== true) throw this.#fault('there is more behind it');
  }

  /** The next line behind the first, which is part of the hash unless it tells it. */
  async #body(): Promise<Line> {
    const line = await this.#next<Line>();
    if (line === undefined) throw this.#fault('the file ends before its last line');
    if (line.end === undefined) this.#hash.update(`${line.text}\n`);
    else if (this.#hash.digest('hex') !== line.sha256) {
      throw this.#fault('the lines before it are not those of its hash');
    }
    return line;
  }

  async #next<T extends object>(): Promise<(T & { readonly text: string }) | undefined> {
    let text = '';
    try {
      const { value, done } = await this.#lines.next();
      if (done === true) return undefined;
      this.#line++;
      text = value;
      const line: unknown = JSON.parse(text);
      if (typeof line !== 'object' || line === null) throw new Error('no object');
      return { ...(line as T), text };
    } catch (error) {
      if (error instanceof LeaseholdError) throw error;
      if (text === '') this.#line++;
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#fault(`it cannot be read (${reason})`);
    }
  }

  #fault(what: string, code: ErrorCode = 'FILE_INVALID', remedy = REMEDY): LeaseholdError {
    const at = `line ${Math.max(1, this.#line)}`;
    return new LeaseholdError(code, `the export: ${at}: ${what}`, {
      field: 'file',
      value: at,
      remedy,
    });
  }
}

const REMEDY = 'Export the snapshot again, and compare the size of the file after it was copied.';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');

/** Unpacked, if its first bytes say that it is packed. */
async function* plain(from: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = from[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const all = (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
  const isPacked = GZIP.every((byte, i) => first.value[i] === byte);
  // Whoever stops reading it closes the source as well.
  yield* isPacked ? pipeline(all, createGunzip(), () => {}) : all;
}

/** Without what ends them. Bounded: a file of one endless line is not read into memory. */
async function* linesOf(
  from: AsyncIterable<Uint8Array>,
  tooLong: () => Error,
): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of from) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      parts.push(chunk.subarray(start, end));
      yield Buffer.concat(parts).toString();
      parts = [];
      length = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > LINE_CHARS_MAX) throw tooLong();
  }
  if (length > 0) yield Buffer.concat(parts).toString();
}
