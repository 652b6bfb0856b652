/**
 * Cells that leave Redis when nobody holds them, and come back when somebody wants them. What they were
 * is put into a cold store first, and dropped here only if it is still that. A mark stays with the
 * block: of which state the cell was, so that nothing else is ever put back (L2, L3), and a mark without
 * that state in the cold store is an error, never an empty cell.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import {
  type AsleepCode,
  addressOf,
  type CellImage,
  COOL_LEAVING_MAX,
  type ColdCell,
  type ColdStore,
  type ColdWish,
  type CoolReply,
  type Head,
  layerOfAddress,
  OUTBOX,
} from '@leasehold/protocol';
import { type CallOptions, callCells } from './calls.ts';
import { coldMark } from './cold-mark.ts';
import { cellSleep, cellWake } from './generated/library.ts';
import { readHead } from './head.ts';
import type { Keys } from './keys.ts';
import type { Link, Outcome, Request } from './link.ts';

/** What is kept in memory of cells that were read: their heads are asked for again and again. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
const KEPT_OVERHEAD_BYTES = 512;
/** A cold store that takes longer is away: nobody waits for it, … */
const READ_MS_MAX = 500;
/** … and for so long nobody asks it again. */
const AWAY_MS = 2_000;
/** Beyond the end of any channel; above 1e14 Lua loses digits. */
const ALL = 99_999_999_999_999;
const REMEDIES: Readonly<Record<AsleepCode, string>> = {
  CELL_COLD: 'Set SNAPSHOTS_URL as the pods have it, or ask again when PostgreSQL answers.',
  CELL_LOST:
    'Is it the database that the pods of this world have? Else restore a snapshot of the world.',
};
/** Members of an index that are added by one command. */
const GEO_PER_COMMAND_MAX = 500;

/** Why a cell that sleeps is not here; without a code it was Redis that did not take it. */
export type AsleepFault = { readonly message: string; readonly code?: AsleepCode };

/** Of cells that were asked for each is in one of the two: what it was when it left, or why not. */
export type ColdFound = {
  readonly cells: ReadonlyMap<number, ColdCell>;
  readonly faults: ReadonlyMap<number, Required<AsleepFault>>;
};

export type ColdParts = {
  readonly link: Link;
  readonly keys: Keys;
  readonly calls: CallOptions;
  /** Which of the world's layers the store is of. */
  readonly layer: number;
  readonly store: ColdStore | undefined;
  /** But for those that sleep and cannot be read. */
  readonly heads: (cells: readonly number[]) => Promise<ReadonlyMap<number, Head>>;
  readonly barrier: () => Promise<void>;
};

export class ColdCells {
  readonly #parts: ColdParts;
  /** Oldest first. */
  readonly #kept = new Map<number, ColdCell>();
  #keptBytes = 0;
  #awayUntilMs = 0;
  #awayError: unknown;

  constructor(parts: ColdParts) {
    this.#parts = parts;
  }

  /** See `LiveStore.cool`. */
  async cool(cells: readonly number[]): Promise<CoolReply[]> {
    const { store, keys } = this.#parts;
    if (store === undefined)
      return cells.map(() => ({ tag: 'OFF', why: 'there is no cold store' }));
    const replies: CoolReply[] = cells.map(() => ({
      tag: 'BUSY',
      why: 'others are before it',
      isLater: true,
    }));
    const metas = await this.#exec(
      cells.map((cell) => ['HMGET', keys.cell(cell).meta, 'seq', 'posts', 'asked', 'nonce']),
    );
    const here: number[] = [];
    for (const [i, cell] of cells.entries()) {
      const fields = metas[i]?.value as readonly (Buffer | null)[];
      // One that is not here was never written, or has left: the library says which, for those alone.
      if (fields.every((field) => field === null)) replies[i] = { tag: 'COLD', hasLeft: false };
      else if (String(fields[3] ?? '') !== '') replies[i] = { tag: 'BUSY', why: 'held' };
      else if (here.length < COOL_LEAVING_MAX) here.push(cell);
    }
    if (here.length === 0) return replies;
    const found = await this.#leave(here);
    for (const [i, cell] of cells.entries())
      replies[i] = found.get(cell) ?? (replies[i] as CoolReply);
    return replies;
  }

  async #leave(cells: readonly number[]): Promise<Map<number, CoolReply>> {
    const { store, keys, link, calls, barrier } = this.#parts;
    const found = new Map<number, CoolReply>();
    const images = await this.#images(cells);
    const outRead = await this.#channelsRead(cells);
    // E1: what was read of others, and how far they have read, must not be taken back by a failover.
    await barrier();
    const leaving = cells.filter((cell) => images.get(cell) !== undefined);
    for (const cell of cells) if (!leaving.includes(cell)) found.set(cell, { tag: 'OPEN' });
    const written = leaving.flatMap((cell) => images.get(cell)?.cold ?? []);
    try {
      if (written.length > 0) await (store as ColdStore).put(written);
    } catch (error) {
      for (const cell of leaving) found.set(cell, { tag: 'OFF', why: (error as Error).message });
      return found;
    }
    const items = leaving.map((cell) => {
      const { cold, ...head } = images.get(cell) as Image;
      const facts = { outRead: outRead.get(cell) ?? 0, mark: cold?.mark ?? 0 };
      return { ...keys.cell(cell), ...head, ...facts };
    });
    const call = { incarnation: keys.incarnation };
    const answers = await callCells(link, calls, cellSleep, call, items);
    for (const [i, cell] of leaving.entries()) {
      const answer = answers[i] as (typeof answers)[number];
      const isGone = answer.tag === 'OK' || answer.tag === 'COLD';
      const why = answer.tag === 'BUSY' ? answer.why : wordsOf(answer);
      const isUnread = outRead.get(cell) !== ALL;
      found.set(
        cell,
        isGone ? { tag: 'COLD', hasLeft: answer.tag === 'OK' } : { tag: 'BUSY', why, isUnread },
      );
    }
    return found;
  }

  /** Cells that are whole at a checkpoint, as they are now. */
  async #images(cells: readonly number[]): Promise<Map<number, Image>> {
    const { keys } = this.#parts;
    const outcomes = await this.#exec(
      cells.flatMap((cell): Request[] => {
        const { meta, ckpt0, ckpt1, posted, geo } = keys.cell(cell);
        return [
          ['HGETALL', meta],
          ['HMGET', ckpt0, 'seq', 'hash', 'tick', 'body'],
          ['HMGET', ckpt1, 'seq', 'hash', 'tick', 'body'],
          ['HGETALL', posted],
          ['ZRANGE', geo, '0', '-1', 'WITHSCORES'],
        ];
      }),
    );
    const images = new Map<number, Image>();
    for (const [i, cell] of cells.entries()) {
      const [meta, first, second, posted, geo] = outcomes
        .slice(i * 5, i * 5 + 5)
        .map(({ value }) => value) as [Buffer[], Checkpoint, Checkpoint, Buffer[], Buffer[]];
      const head = new Map<string, string>();
      for (let at = 0; at + 1 < meta.length; at += 2)
        head.set(String(meta[at]), String(meta[at + 1]));
      const image = imageOf(cell, head, [first, second], { posted, geo });
      if (image !== undefined) images.set(cell, image);
    }
    return images;
  }

  /** Up to where all of what cells have sent has been read by those it is for. */
  async #channelsRead(cells: readonly number[]): Promise<Map<number, number>> {
    const { keys, heads, layer } = this.#parts;
    const outcomes = await this.#exec(
      cells.map((cell) => ['XRANGE', keys.cell(cell).out, '-', '+']),
    );
    const channels = cells.map((cell, i) => {
      const raw = outcomes[i]?.value as readonly (readonly [Buffer, readonly Buffer[]])[];
      const entries = raw.map(([id, fields]) => ({
        seq: Number.parseInt(String(id), 10),
        to: Number(String(fields[1])),
      }));
      return { cell, entries };
    });
    const readers = new Set(channels.flatMap(({ entries }) => entries.map(({ to }) => to)));
    readers.delete(OUTBOX);
    const known = readers.size === 0 ? new Map<number, Head>() : await heads([...readers]);
    const read = new Map<number, number>();
    for (const { cell, entries } of channels) {
      const isRead = ({ seq, to }: { seq: number; to: number }): boolean => {
        const name = layerOfAddress(to) === -1 ? cell : addressOf(layer, cell);
        return to !== OUTBOX && seq <= (known.get(to)?.cursors.get(name) ?? 0);
      };
      const first = entries.find((entry) => !isRead(entry));
      read.set(cell, first === undefined ? ALL : first.seq - 1);
    }
    return read;
  }

  /**
   * Puts cells back as they left. Of those that could not be it says why; all others are here, or have
   * been brought back by somebody else.
   */
  async wake(wishes: readonly ColdWish[]): Promise<Map<number, AsleepFault>> {
    const { link, calls, keys } = this.#parts;
    const found = await this.read(wishes);
    const failed = new Map<number, AsleepFault>(found.faults);
    const cells = [...found.cells.values()];
    // A hint: whoever searches meanwhile looks everywhere all the same.
    await this.#exec(cells.flatMap((cold) => geoAdds(keys.cell(cold.cell).geo, cold.geo)));
    const items = cells.map(({ cell, seq, hash, tick, mark, checkpoint, head, posted }) => ({
      ...keys.cell(cell),
      ...{ seq, hash, tick, mark, checkpoint },
      heads: [...head].map(([name, value]) => ({ name, value })),
      ids: pairsOf(posted),
    }));
    const call = { incarnation: keys.incarnation };
    const answers = await callCells(link, calls, cellWake, call, items);
    for (const [i, { cell }] of cells.entries()) {
      const answer = answers[i] as (typeof answers)[number];
      if (answer.tag === 'OK' || answer.tag === 'ALREADY') this.#forget(cell);
      else failed.set(cell, { message: wordsOf(answer) });
    }
    return failed;
  }

  /** What cells were when they left. One that cannot be had keeps no other from being read. */
  async read(wishes: readonly ColdWish[]): Promise<ColdFound> {
    const cells = new Map<number, ColdCell>();
    const faults = new Map<number, Required<AsleepFault>>();
    const unknown: ColdWish[] = [];
    for (const wish of wishes) {
      const kept = this.#kept.get(wish.cell);
      if (kept?.mark === wish.mark) cells.set(wish.cell, kept);
      else unknown.push(wish);
    }
    if (unknown.length === 0) return { cells, faults };
    const { store } = this.#parts;
    if (store === undefined) {
      for (const { cell } of unknown) faults.set(cell, noStore(cell));
      return { cells, faults };
    }
    try {
      const answers = await this.#ask(store, unknown);
      for (const [i, cold] of answers.entries()) {
        const { cell } = unknown[i] as ColdWish;
        if (cold === undefined || coldMark(cold.head, cold.hash) !== cold.mark) {
          faults.set(cell, lost(cell));
          continue;
        }
        cells.set(cell, cold);
        this.#keep(cold);
      }
    } catch (error) {
      // Whatever it is, those cells stay where they are.
      const { message } = error as Error;
      for (const { cell } of unknown) faults.set(cell, { code: 'CELL_COLD', message });
    }
    return { cells, faults };
  }

  /** Those who tick wait behind this: one that does not answer is left alone for a while. */
  async #ask(store: ColdStore, wishes: readonly ColdWish[]): Promise<(ColdCell | undefined)[]> {
    if (performance.now() < this.#awayUntilMs) throw this.#awayError;
    const late = new AbortController();
    try {
      return await Promise.race([store.get(wishes), rejectedAfter(READ_MS_MAX, late.signal)]);
    } catch (error) {
      this.#awayUntilMs = performance.now() + AWAY_MS;
      this.#awayError = error;
      throw error;
    } finally {
      late.abort();
    }
  }

  /** As `cell_heads` would tell it if the cell were here. */
  headOf(cold: ColdCell): Head {
    const { cell, seq, hash, tick, head } = cold;
    const meta = new Map(head);
    for (const [name, value] of Object.entries({ seq, hash, tick, restored: seq })) {
      meta.set(name, String(value));
    }
    meta.set('c0', `${seq}:${tick}`);
    return { ...readHead(cell, meta), coldMark: cold.mark };
  }

  imageOf({ cell, seq, hash, tick, checkpoint }: ColdCell): CellImage {
    return { cell, checkpoint: { seq, hash, tick, body: checkpoint }, entries: [] };
  }

  #keep(cold: ColdCell): void {
    this.#forget(cold.cell);
    this.#kept.set(cold.cell, cold);
    this.#keptBytes += sizeOf(cold);
    for (const [cell] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) return;
      this.#forget(cell);
    }
  }

  #forget(cell: number): void {
    const kept = this.#kept.get(cell);
    if (kept === undefined) return;
    this.#kept.delete(cell);
    this.#keptBytes -= sizeOf(kept);
  }

  async #exec(requests: readonly Request[]): Promise<Outcome[]> {
    if (requests.length === 0) return [];
    const outcomes = await this.#parts.link.exec(requests, 'bytes');
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed?.error !== undefined) throw failed.error;
    return outcomes;
  }
}

async function rejectedAfter(ms: number, signal: AbortSignal): Promise<never> {
  await sleep(ms, undefined, { signal, ref: false });
  throw new LeaseholdError('CELL_COLD', `PostgreSQL has not answered for ${ms} ms`, {
    field: 'SNAPSHOTS_URL',
    value: '',
    remedy: REMEDIES.CELL_COLD,
  });
}

const wordsOf = (answer: { readonly tag: string; readonly message?: string }): string =>
  answer.message === undefined ? answer.tag : `${answer.tag}: ${answer.message}`;

type Checkpoint = readonly (Buffer | null)[];

/** What is compared before a cell is dropped; `cold` is absent of one that was never written. */
type Image = {
  readonly seq: string;
  readonly hash: string;
  readonly epoch: string;
  readonly posts: string;
  readonly asked: string;
  readonly cold?: ColdCell;
};

/** What of a head is not put back: its checkpoints are others then. */
const NOT_KEPT: ReadonlySet<string> = new Set(['c0', 'c1', 'restored', 'deadline', 'suspect']);

function imageOf(
  cell: number,
  head: ReadonlyMap<string, string>,
  checkpoints: readonly Checkpoint[],
  more: { readonly posted: readonly Buffer[]; readonly geo: readonly unknown[] },
): Image | undefined {
  const of = (name: string, absent = '0'): string => head.get(name) ?? absent;
  const [seq, hash] = [of('seq'), of('hash', '')];
  const facts = { seq, hash, epoch: of('epoch'), posts: of('posts'), asked: of('asked') };
  if (seq === '0') return facts;
  const whole = checkpoints.find(([at, of]) => String(at) === seq && String(of) === hash);
  const body = whole?.[3];
  if (!body) return undefined;
  const cold = {
    ...{ cell, mark: coldMark(head, hash), seq: Number(seq), hash, tick: Number(of('tick')) },
    head: new Map([...head].filter(([name]) => !NOT_KEPT.has(name))),
    checkpoint: new Uint8Array(body.buffer, body.byteOffset, body.byteLength),
    posted: more.posted.map(String),
    // RESP3 answers pairs, and numbers; RESP2 a flat list.
    geo: more.geo.flat().map(String),
  };
  return { ...facts, cold };
}

function pairsOf(flat: readonly string[]): { name: string; value: string }[] {
  const pairs: { name: string; value: string }[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    pairs.push({ name: flat[i] as string, value: flat[i + 1] as string });
  }
  return pairs;
}

function geoAdds(key: string, geo: readonly string[]): Request[] {
  const requests: Request[] = [];
  for (let i = 0; i < geo.length; i += GEO_PER_COMMAND_MAX * 2) {
    const members = pairsOf(geo.slice(i, i + GEO_PER_COMMAND_MAX * 2));
    requests.push(['ZADD', key, ...members.flatMap(({ name, value }) => [value, name])]);
  }
  return requests;
}

const sizeOf = ({ checkpoint }: ColdCell): number => checkpoint.byteLength + KEPT_OVERHEAD_BYTES;

/** The same as an error, for whoever has no other answer. */
export function asleepError(
  cell: number,
  { message, code }: Required<AsleepFault>,
): LeaseholdError {
  const isLost = code === 'CELL_LOST';
  return new LeaseholdError(code, message, {
    field: isLost ? 'cell' : 'SNAPSHOTS_URL',
    value: isLost ? String(cell) : '',
    remedy: REMEDIES[code],
  });
}

const noStore = (cell: number): Required<AsleepFault> => ({
  code: 'CELL_COLD',
  message: `cell ${cell} sleeps in PostgreSQL, which is not named here`,
});

const lost = (cell: number): Required<AsleepFault> => ({
  code: 'CELL_LOST',
  message: `cell ${cell} slept, and PostgreSQL does not have it`,
});
