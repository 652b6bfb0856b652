/**
 * Entities that come line by line: each is checked as it comes, and kept in parts beside the world
 * until a job has created them. Either all lines are taken or none.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { LeaseholdError } from '@leasehold/kernel';
import type { LiveRecords } from '@leasehold/live-store';
import type { Birth } from '@leasehold/protocol';
import { type BulkSource, STEP_ENTITIES } from './bulk-plan.ts';
import { BODY } from './problems.ts';

/** Each line differs, so it is kept until it is created: some tens of MB of Redis a job. */
export const LINES_MAX = 100_000;
export const LINES_BYTES_MAX = 32 * 1024 * 1024;
/** What a post takes, with room for what stands around it. */
export const LINE_BYTES_MAX = 60 * 1024;
/** Of one value in Redis, which is written and read in one piece. */
const PART_BYTES_MAX = 1024 * 1024;
/** As long as a job is listed. */
const KEPT_S = 7 * 24 * 3_600;
const KIND = 'lines';
const NEWLINE = 10;
const SHOWN_MAX = 100;

/** What was taken. */
export type Lines = {
  readonly upload: string;
  readonly parts: number;
  readonly count: number;
};

/** Makes a line what is to be born; `at` names the line. Throws for one that cannot be. */
export type LineReader = (line: unknown, at: string) => Birth;

/**
 * Errors: `REQUEST_INVALID` for a body that is no NDJSON, `LIMIT_EXCEEDED` for one that is too big,
 * those of the reader and of the store. `hash` is that of the bytes.
 */
export async function takeLines(
  body: Readable,
  records: LiveRecords,
  read: LineReader,
): Promise<Lines & { readonly hash: string }> {
  const upload = randomUUID();
  const hash = createHash('sha256');
  const parts = new PartsOf(records, upload);
  try {
    let number = 0;
    for await (const line of linesOf(body, (chunk) => hash.update(chunk))) {
      number++;
      if (line.trim() === '') continue;
      if (parts.count === LINES_MAX) throw tooMany(`more than ${LINES_MAX} lines`);
      const at = `line ${number}`;
      await parts.add(read(parsed(line, at), at), Buffer.byteLength(line));
    }
    await parts.flush();
    if (parts.count === 0) throw malformed(BODY, 'nothing', 'Send one entity in each line.');
    return { upload, parts: parts.flushed, count: parts.count, hash: hash.digest('hex') };
  } catch (error) {
    await dropLines(records, { upload, parts: parts.flushed }).catch(() => undefined);
    throw error;
  }
}

/** Forgets lines that are created, or never will be. */
export async function dropLines(
  records: LiveRecords,
  { upload, parts }: Pick<Lines, 'upload' | 'parts'>,
): Promise<void> {
  for (let part = 0; part < parts; part++) await records.drop(KIND, `${upload}.${part}`);
}

export function linesSource(records: LiveRecords, { upload, parts }: Lines): BulkSource {
  return {
    steps: parts,
    births: async (step) => {
      const text = await records.read(KIND, `${upload}.${step}`);
      if (text === undefined) throw new Error('the lines of the job are kept no longer');
      return JSON.parse(text) as Birth[];
    },
  };
}

/** Written when it is as big as one step of a job may be. */
class PartsOf {
  readonly #records: LiveRecords;
  readonly #upload: string;
  #births: Birth[] = [];
  #bytes = 0;
  flushed = 0;
  count = 0;

  constructor(records: LiveRecords, upload: string) {
    this.#records = records;
    this.#upload = upload;
  }

  async add(birth: Birth, bytes: number): Promise<void> {
    this.#births.push(birth);
    this.#bytes += bytes;
    this.count++;
    const isFull = this.#births.length >= STEP_ENTITIES || this.#bytes >= PART_BYTES_MAX;
    if (isFull) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#births.length === 0) return;
    const id = `${this.#upload}.${this.flushed}`;
    await this.#records.write(KIND, id, JSON.stringify(this.#births), KEPT_S);
    this.flushed++;
    this.#births = [];
    this.#bytes = 0;
  }
}

/** Whatever is left of a body that is refused flows on to nobody, so that the answer is read. */
async function* linesOf(body: Readable, onChunk: (chunk: Buffer) => void): AsyncGenerator<string> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let [rest, bytes]: [Buffer, number] = [Buffer.alloc(0), 0];
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LINES_BYTES_MAX) throw tooMany(`more than ${LINES_BYTES_MAX} bytes`);
      onChunk(chunk);
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        yield decoded(utf8, rest.subarray(0, end));
        rest = rest.subarray(end + 1);
      }
      if (rest.length > LINE_BYTES_MAX) decoded(utf8, rest);
    }
    if (rest.length > 0) yield decoded(utf8, rest);
  } catch (error) {
    if (error instanceof LeaseholdError) throw error;
    throw malformed(BODY, 'a part', 'Send it whole; the connection ended before.');
  } finally {
    body.resume();
  }
}

function decoded(utf8: TextDecoder, line: Buffer): string {
  if (line.length > LINE_BYTES_MAX) {
    throw tooMany(`a line of more than ${LINE_BYTES_MAX} bytes`);
  }
  try {
    return utf8.decode(line);
  } catch {
    throw malformed(BODY, 'bytes', 'Send UTF-8.');
  }
}

function parsed(line: string, at: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw malformed(at, line, 'Send a JSON value in each line.');
  }
}

function malformed(field: string, value: string, remedy: string): LeaseholdError {
  const shown = value.slice(0, SHOWN_MAX);
  const message = `${field} cannot be ${shown}`;
  return new LeaseholdError('REQUEST_INVALID', message, { field, value: shown, remedy });
}

function tooMany(value: string): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `the body has ${value}`, {
    field: BODY,
    value,
    remedy: `Send several jobs of at most ${LINES_MAX} lines and ${LINES_BYTES_MAX} bytes.`,
  });
}
