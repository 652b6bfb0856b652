/**
 * Reading cells whole: a checkpoint and the log behind it, chained. A writer may trim the log
 * between two reads; then the chain has a gap, and the cell is read again from its newer
 * checkpoint.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { CellImage, ColdCell, Head, LogEntry, Refusal } from '@leasehold/protocol';
import { chainFault, extending, type RawEntry } from './chain.ts';
import { asleepError, type ColdCells } from './cold.ts';
import type { Keys } from './keys.ts';
import type { Link, Outcome, Request } from './link.ts';

/** Entries in one read of a log: with bodies of 8 KB, half a megabyte. */
const ENTRIES_PER_READ_MAX = 64;
/** Cells read in one round trip: replies of all of them are in memory at once. */
const CELLS_PER_READ_MAX = 256;
/** A trim happens once in 64 commits; three of them while a cell is read is no race. */
const ATTEMPTS_MAX = 3;

export type CellRequest = {
  readonly cell: number;
  readonly beforeTick?: number;
  readonly head?: Head;
};
/** What the loader asks others for. */
export type LoaderParts = {
  readonly heads: (cells: readonly number[]) => Promise<ReadonlyMap<number, Head>>;
  readonly cold: Pick<ColdCells, 'read' | 'imageOf'>;
};
/** Where a cell is read from. */
type Warm = { readonly request: CellRequest; readonly head: Head };
type Asleep = Warm & { readonly mark: number };
type Start = { readonly head: Head; readonly slot: 0 | 1 | undefined; readonly seq: number };
/** What was read so far, or the reason to begin again. */
type Reading = {
  readonly request: CellRequest;
  readonly head: Head;
  readonly checkpoint: CellImage['checkpoint'];
  readonly entries: LogEntry[];
  seq: number;
  hash: string;
  fault: string;
};

export class Loader {
  readonly #link: Link;
  readonly #keys: Keys;
  readonly #parts: LoaderParts;

  constructor(link: Link, keys: Keys, parts: LoaderParts) {
    this.#link = link;
    this.#keys = keys;
    this.#parts = parts;
  }

  /**
   * See `Store.load`: all of them or none. Throws `BODY_MALFORMED` when a stored chain is broken for good;
   * `CELL_LOST` names the cell, and the others are there for whoever asks without it.
   */
  async load(requests: readonly CellRequest[]): Promise<CellImage[]> {
    const images = new Map<CellRequest, CellImage>();
    for (let i = 0; i < requests.length; i += CELLS_PER_READ_MAX) {
      await this.#loadSome(requests.slice(i, i + CELLS_PER_READ_MAX), images);
    }
    return requests.map((request) => images.get(request) as CellImage);
  }

  async #loadSome(
    requests: readonly CellRequest[],
    images: Map<CellRequest, CellImage>,
  ): Promise<void> {
    let left = requests;
    for (let attempt = 1; left.length > 0; attempt++) {
      const readings = await this.#read(left, attempt > 1);
      for (const { request, checkpoint, entries, fault } of readings) {
        if (fault !== '') continue;
        const cell = request.cell;
        images.set(request, checkpoint ? { cell, checkpoint, entries } : { cell, entries });
      }
      const failed = readings.filter(({ fault }) => fault !== '');
      const [first] = failed;
      if (first !== undefined && attempt >= ATTEMPTS_MAX) {
        throw chainFault(first.request.cell, first.fault);
      }
      left = failed.map(({ request }) => request);
    }
  }

  async #read(requests: readonly CellRequest[], isAgain: boolean): Promise<Reading[]> {
    const asked = requests.filter(({ head }) => head === undefined || isAgain);
    const heads = await this.#parts.heads(asked.map(({ cell }) => cell));
    const warm: Warm[] = [];
    const cold: Asleep[] = [];
    for (const request of requests) {
      const head = headFor(request, heads.get(request.cell));
      if (head.coldMark === undefined) warm.push({ request, head });
      else cold.push({ request, head, mark: head.coldMark });
    }
    return [...(await this.#readWarm(warm)), ...(await this.#readCold(cold))];
  }

  /** Of those that sleep: all that there is of them is one checkpoint. */
  async #readCold(asleep: readonly Asleep[]): Promise<Reading[]> {
    if (asleep.length === 0) return [];
    const { cold } = this.#parts;
    const found = await cold.read(
      asleep.map(({ request, mark }) => ({ cell: request.cell, mark })),
    );
    return asleep.map(({ request, head }) => {
      const { cell } = request;
      const fault = found.faults.get(cell);
      if (fault !== undefined) throw asleepError(cell, fault);
      const { checkpoint } = cold.imageOf(found.cells.get(cell) as ColdCell);
      return { request, head, checkpoint, entries: [], seq: head.seq, hash: head.hash, fault: '' };
    });
  }

  async #readWarm(warm: readonly Warm[]): Promise<Reading[]> {
    const starts = warm.map(({ head, request }) => startOf(head, request));
    const outcomes = await this.#exec(
      starts.flatMap(({ head, slot, seq }): Request[] => {
        const keys = this.#keys.cell(head.cell);
        const ckpt = slot === 1 ? keys.ckpt1 : keys.ckpt0;
        return [
          ['HMGET', slot === undefined ? keys.meta : ckpt, 'seq', 'hash', 'tick', 'body'],
          logRequest(keys.log, seq),
        ];
      }),
    );
    const readings = starts.map((start, i): Reading => {
      const fields = outcomes[i * 2]?.value as readonly (Buffer | null)[];
      const checkpoint = start.slot === undefined ? undefined : readCheckpoint(fields);
      const reading: Reading = {
        request: (warm[i] as Warm).request,
        head: start.head,
        checkpoint,
        entries: [],
        seq: checkpoint?.seq ?? 0,
        hash: checkpoint?.hash ?? '',
        fault:
          start.slot !== undefined && checkpoint === undefined ? 'a checkpoint is missing' : '',
      };
      extend(reading, outcomes[i * 2 + 1]?.value as readonly RawEntry[]);
      return reading;
    });
    await this.#readOn(readings);
    return readings;
  }

  /** Reads on until each cell is at the head it had in the beginning: a writer may never pause. */
  async #readOn(readings: readonly Reading[]): Promise<void> {
    for (;;) {
      const short = readings.filter(({ fault, seq, head }) => fault === '' && seq < head.seq);
      if (short.length === 0) return;
      const outcomes = await this.#exec(
        short.map(({ request, seq }) => logRequest(this.#keys.cell(request.cell).log, seq + 1)),
      );
      short.forEach((reading, i) => {
        const raw = outcomes[i]?.value as readonly RawEntry[];
        if (raw.length === 0) reading.fault = `the log ends at ${reading.seq}, before its head`;
        extend(reading, raw);
      });
    }
  }

  async #exec(requests: readonly Request[]): Promise<Outcome[]> {
    const outcomes = await this.#link.exec(requests, 'bytes');
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed?.error !== undefined) throw failed.error;
    return outcomes;
  }
}

/**
 * Where to read a cell: where its reader said that it is, or in the cold store if it has gone there
 * since, in that very state.
 */
function headFor({ head }: CellRequest, found: Head | undefined): Head {
  if (head === undefined) return found as Head;
  return found?.coldMark !== undefined && found.hash === head.hash ? found : head;
}

/** Where to begin: the newest checkpoint that is early enough, or the first entry of the log. */
function startOf(head: Head, { beforeTick }: CellRequest): Start {
  const { checkpoints, restoredSeq } = head;
  const early = checkpoints.find(({ tick }) => beforeTick === undefined || tick < beforeTick);
  // Nothing was trimmed before there were two checkpoints: then the log still has its first entry, but
  // for a cell that was restored, whose log began behind the first of them.
  const isCut = checkpoints.length === 2 || restoredSeq > 0;
  const chosen = early ?? (isCut ? checkpoints.at(-1) : undefined);
  return { head, slot: chosen?.slot, seq: (chosen?.seq ?? 0) + 1 };
}

function logRequest(log: string, from: number): Request {
  return ['XRANGE', log, `${from}-0`, '+', 'COUNT', ENTRIES_PER_READ_MAX];
}

/** The checkpoint may be newer than the one that was chosen: its slot was written meanwhile. */
function extend(reading: Reading, raw: readonly RawEntry[]): void {
  const behind = raw.filter(([id]) => Number.parseInt(id.toString(), 10) > reading.seq);
  const { entries, isBroken } = extending(reading.seq, reading.hash, behind);
  if (isBroken) reading.fault ||= `the chain breaks behind entry ${reading.seq}`;
  for (const entry of entries) reading.entries.push(entry);
  const last = entries.at(-1);
  if (last === undefined) return;
  reading.seq = last.seq;
  reading.hash = last.hash;
}

function readCheckpoint([
  seq,
  hash,
  tick,
  body,
]: readonly (Buffer | null)[]): CellImage['checkpoint'] {
  if (!seq || !hash || !tick || !body) return undefined;
  return {
    seq: Number(seq.toString()),
    hash: hash.toString(),
    tick: Number(tick.toString()),
    body: new Uint8Array(body.buffer, body.byteOffset, body.byteLength),
  };
}

/** The world is not there, or not in this incarnation: nothing can be read of it. */
export function worldFault(cell: number, refusal: Refusal): Error {
  if (refusal.tag === 'UNKNOWN') {
    const { code, message } = refusal;
    return code === undefined ? new Error(message) : asleepError(cell, { code, message });
  }
  return new LeaseholdError('WORLD_NOT_READY', `the store answers ${refusal.tag}`, {
    field: 'world',
    value: refusal.tag,
    remedy: 'Seed the world, or read its incarnation from the registry again.',
  });
}
