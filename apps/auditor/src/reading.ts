/**
 * What the auditor reads from Redis, and in which form. It only ever reads. One plain server is
 * assumed: a poll names the streams of all cells in one XREAD.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ColdCell, ColdStore } from '@leasehold/protocol';
import { Redis } from 'ioredis';
import { ColdReading, headFields, type Marks } from './cold.ts';
import { blockKeyOf, type CellKeys, cellKeys, schemasKey, type WorldFacts } from './keys.ts';

export type EntryReading = {
  readonly seq: number;
  readonly version: string;
  readonly epoch: string;
  readonly prevHash: string;
  readonly hash: string;
  readonly tick: number;
  readonly body: Uint8Array;
};

export type OutReading = {
  readonly seq: number;
  readonly to: number;
  readonly tick: number;
  readonly body: Uint8Array;
};

export type MetaReading = {
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  readonly epoch: string;
  readonly nonce: string;
  readonly idCounter: number;
  readonly outSeq: number;
  /** Last channel position consumed, by source cell. */
  readonly cursors: ReadonlyMap<number, number>;
  /** It has left Redis, and its log with it. */
  readonly isAsleep: boolean;
};

export type CheckpointReading = {
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  readonly body: Uint8Array;
};

/** A cell at one instant. Checkpoints ascend by position. */
export type CellReading = {
  readonly cell: number;
  readonly meta: MetaReading;
  readonly checkpoints: readonly CheckpointReading[];
  readonly entries: readonly EntryReading[];
  readonly out: readonly OutReading[];
};

/** Entries one poll takes from one stream: a cell at 20 Hz that was left alone for six seconds. */
export const ENTRIES_PER_READ_MAX = 128;
/** Streams named in one XREAD: Redis looks at a thousand in well under a millisecond. */
const STREAMS_PER_READ_MAX = 1_024;
/** Cells read whole in one round trip: at 1 MB a cell a reply stays far below Redis' limits. */
const CELLS_PER_READ_MAX = 16;
/** Heads in one transaction: Redis does nothing else for a millisecond. */
const HEADS_PER_READ_MAX = 256;

type Fields = ReadonlyMap<string, Buffer>;

export class Reading {
  readonly facts: WorldFacts;
  readonly cells: number;
  readonly #redis: Redis;
  readonly #keys: readonly CellKeys[];
  readonly #cold: ColdReading;

  constructor(redis: Redis, facts: WorldFacts, cold?: ColdStore) {
    this.facts = facts;
    this.cells = facts.columns * facts.rows;
    this.#redis = redis;
    this.#keys = cellKeys(facts);
    this.#cold = new ColdReading(facts, cold);
  }

  /** Identity of the server process. */
  async runId(): Promise<string> {
    const text = await this.#redis.info('server');
    return /run_id:(\w+)/.exec(text)?.[1] ?? '';
  }

  async memoryBytes(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await this.#redis.info('memory'))?.[1] ?? 0);
  }

  /** Throws `WORLD_NOT_READY` when the world has no first block: it was never seeded here. */
  async checkWorld(): Promise<void> {
    if ((await this.#redis.exists(blockKeyOf(this.facts, 0))) === 1) return;
    const value = `${this.facts.world}, incarnation ${this.facts.incarnation}`;
    throw new LeaseholdError('WORLD_NOT_READY', `the store has no world ${value}`, {
      field: 'world',
      value,
      remedy: 'Start it with `leasehold run`, or name the Redis that holds it in REDIS_URL.',
    });
  }

  async schemas(): Promise<Map<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(schemasKey(this.facts))));
  }

  async metas(cells: readonly number[]): Promise<MetaReading[]> {
    const metas: MetaReading[] = [];
    for (let at = 0; at < cells.length; at += HEADS_PER_READ_MAX) {
      metas.push(...(await this.#someMetas(cells.slice(at, at + HEADS_PER_READ_MAX))));
    }
    return metas;
  }

  async #someMetas(cells: readonly number[]): Promise<MetaReading[]> {
    const blocks = this.#cold.blockKeysOf(cells);
    // In one transaction: a cell that wakes or falls asleep between two reads would be nowhere.
    const multi = this.#redis.multi();
    for (const cell of cells) multi.hgetallBuffer(this.#key(cell).meta);
    for (const key of blocks) multi.hgetBuffer(key, this.#cold.field);
    const replies = await run(multi.exec());
    const fields = replies.slice(0, cells.length).map(fieldsOf);
    const marks = marksOf(blocks, replies.slice(cells.length));
    const asleep = await this.#cold.heads(
      cells.filter((_, i) => fields[i]?.size === 0),
      marks,
    );
    return cells.map((cell, i) => {
      const cold = asleep.get(cell);
      return metaOf(cold ?? (fields[i] as Fields), cold !== undefined);
    });
  }

  /** Each cell is read in one transaction, so its parts agree; two cells need not. */
  async wholeCells(cells: readonly number[]): Promise<CellReading[]> {
    const readings = new Map<number, CellReading>();
    for (let at = 0; at < cells.length; at += HEADS_PER_READ_MAX) {
      await this.#readWhole(cells.slice(at, at + HEADS_PER_READ_MAX), readings);
    }
    return cells.map((cell) => readings.get(cell) as CellReading);
  }

  async #readWhole(cells: readonly number[], readings: Map<number, CellReading>): Promise<void> {
    const blocks = this.#cold.blockKeysOf(cells);
    // Most cells of a large world are empty, or sleep; in one transaction, as with heads.
    const multi = this.#redis.multi();
    for (const cell of cells) {
      const { meta, log, out, checkpoints } = this.#key(cell);
      multi.exists(meta, log, out, ...checkpoints);
    }
    for (const key of blocks) multi.hgetBuffer(key, this.#cold.field);
    const replies = await run(multi.exec());
    const here = cells.filter((_, i) => Number(replies[i]) > 0);
    const absent = cells.filter((_, i) => Number(replies[i]) === 0);
    const asleep = await this.#cold.read(absent, marksOf(blocks, replies.slice(cells.length)));
    for (const cell of absent) readings.set(cell, absentReading(cell, asleep.get(cell)));
    for (let at = 0; at < here.length; at += CELLS_PER_READ_MAX) {
      const group = here.slice(at, at + CELLS_PER_READ_MAX);
      const read = await Promise.all(group.map((cell) => this.#wholeCell(cell)));
      for (const reading of read) readings.set(reading.cell, reading);
    }
  }

  async #wholeCell(cell: number): Promise<CellReading> {
    const block = blockKeyOf(this.facts, cell);
    const key = this.#key(cell);
    const replies = await run(
      this.#redis
        .multi()
        .hgetallBuffer(key.meta)
        .hgetallBuffer(key.checkpoints[0])
        .hgetallBuffer(key.checkpoints[1])
        .xrangeBuffer(key.log, '-', '+')
        .xrangeBuffer(key.out, '-', '+')
        .hgetBuffer(block, this.#cold.field)
        .exec(),
    );
    const fields = fieldsOf(replies[0]);
    const checkpoints = [replies[1], replies[2]]
      .map((reply) => checkpointOf(fieldsOf(reply)))
      .filter((checkpoint) => checkpoint !== undefined)
      .sort((a, b) => a.seq - b.seq);
    const entries = (replies[3] as unknown[]).map(entryOf);
    const out = (replies[4] as unknown[]).map(outOf);
    if (fields.size + checkpoints.length + entries.length + out.length === 0) {
      // It has fallen asleep just now.
      const asleep = await this.#cold.read([cell], marksOf([block], replies.slice(5)));
      return absentReading(cell, asleep.get(cell));
    }
    return { cell, meta: metaOf(fields, false), checkpoints, entries, out };
  }

  /**
   * What follows each cell's position in its log, cell by cell; cells without news are left out.
   */
  async news(
    positions: readonly { readonly cell: number; readonly seq: number }[],
  ): Promise<{ readonly cell: number; readonly entries: EntryReading[] }[]> {
    return this.#follow(positions, 'log', entryOf);
  }

  async outNews(
    positions: readonly { readonly cell: number; readonly seq: number }[],
  ): Promise<{ readonly cell: number; readonly entries: OutReading[] }[]> {
    return this.#follow(positions, 'out', outOf);
  }

  async #follow<T>(
    positions: readonly { readonly cell: number; readonly seq: number }[],
    stream: 'log' | 'out',
    parse: (item: unknown) => T,
  ): Promise<{ readonly cell: number; readonly entries: T[] }[]> {
    const news: { readonly cell: number; readonly entries: T[] }[] = [];
    for (let at = 0; at < positions.length; at += STREAMS_PER_READ_MAX) {
      const some = positions.slice(at, at + STREAMS_PER_READ_MAX);
      news.push(...(await this.#followSome(some, stream, parse)));
    }
    return news;
  }

  async #followSome<T>(
    positions: readonly { readonly cell: number; readonly seq: number }[],
    stream: 'log' | 'out',
    parse: (item: unknown) => T,
  ): Promise<{ readonly cell: number; readonly entries: T[] }[]> {
    const keys = positions.map(({ cell }) => this.#key(cell)[stream]);
    const from = positions.map(({ seq }) => `${seq}-0`);
    const limit = ['COUNT', ENTRIES_PER_READ_MAX];
    const reply = await this.#redis.callBuffer('XREAD', ...limit, 'STREAMS', ...keys, ...from);
    // Redis answers in the order asked, leaving out streams without news.
    let at = 0;
    return ((reply ?? []) as [Buffer, unknown[]][]).map(([name, items]) => {
      const key = name.toString();
      while (keys[at] !== key) at++;
      return { cell: (positions[at] as { cell: number }).cell, entries: items.map(parse) };
    });
  }

  /** The channels of another layer's cells, whole, cell by cell. */
  async channelsOf(layer: string, visit: (cell: number, entries: OutReading[]) => void) {
    await this.#streams(
      cellKeys({ ...this.facts, layer }).map(({ out }) => out),
      (cell, items) => visit(cell, items.map(outOf)),
    );
  }

  /** What is in the layer's own inboxes. */
  async posts(visit: (body: Uint8Array) => void): Promise<void> {
    await this.#streams(
      this.#keys.map(({ inbox }) => inbox),
      (_, items) => {
        for (const item of items) {
          const body = fieldsOf((item as [Buffer, Buffer[]])[1]).get('b');
          if (body !== undefined) visit(body);
        }
      },
    );
  }

  async #streams(keys: readonly string[], visit: (cell: number, items: unknown[]) => void) {
    for (let at = 0; at < keys.length; at += CELLS_PER_READ_MAX) {
      const pipeline = this.#redis.pipeline();
      for (const key of keys.slice(at, at + CELLS_PER_READ_MAX)) {
        pipeline.xrangeBuffer(key, '-', '+');
      }
      const replies = await run(pipeline.exec());
      for (const [i, items] of replies.entries()) visit(at + i, items as unknown[]);
    }
  }

  /** One entry of a log, or undefined: trimmed, or never written. */
  async entryAt(cell: number, seq: number): Promise<EntryReading | undefined> {
    const items = await this.#redis.xrangeBuffer(this.#key(cell).log, `${seq}-0`, `${seq}-0`);
    return items[0] === undefined ? undefined : entryOf(items[0]);
  }

  /** Position of the oldest entry kept; undefined for an empty log. */
  async firstSeq(cell: number): Promise<number | undefined> {
    const items = await this.#redis.xrangeBuffer(this.#key(cell).log, '-', '+', 'COUNT', 1);
    return items[0] === undefined ? undefined : entryOf(items[0]).seq;
  }

  close(): void {
    this.#redis.disconnect();
  }

  #key(cell: number): CellKeys {
    return this.#keys[cell] as CellKeys;
  }
}

/** Connects, or throws `REDIS_UNREACHABLE` or `REDIS_AUTH`. Afterwards it reconnects by itself. */
export async function openReading(
  url: string,
  facts: WorldFacts,
  cold?: ColdStore,
): Promise<Reading> {
  const redis = new Redis(url, {
    lazyConnect: true,
    protocol: 2,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 5_000,
    commandTimeout: 10_000,
    retryStrategy: (times) => Math.min(50 * times, 500),
    connectionName: `leasehold-auditor-${facts.world}`,
  });
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw connectFault(url, cause ?? error);
  }
  return new Reading(redis, facts, cold);
}

function connectFault(url: string, cause: unknown): LeaseholdError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const value = url.replace(/\/\/[^@/]*@/, '//***@');
  const isAuth = /WRONGPASS|NOAUTH|invalid password|NOPERM/i.test(message);
  return new LeaseholdError(isAuth ? 'REDIS_AUTH' : 'REDIS_UNREACHABLE', `${value}: ${message}`, {
    field: 'REDIS_URL',
    value,
    remedy: isAuth
      ? 'Put the right user and password into REDIS_URL: redis://user:password@host:port.'
      : 'Start Redis at that address, or correct REDIS_URL.',
  });
}

async function run(replies: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  return ((await replies) ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

/** A flat list, or the object that ioredis makes of a hash. */
function fieldsOf(reply: unknown): Fields {
  const fields = new Map<string, Buffer>();
  if (Array.isArray(reply)) {
    for (let i = 0; i + 1 < reply.length; i += 2) {
      fields.set((reply[i] as Buffer).toString(), reply[i + 1] as Buffer);
    }
  } else if (typeof reply === 'object' && reply !== null) {
    for (const [name, value] of Object.entries(reply)) fields.set(name, value as Buffer);
  }
  return fields;
}

const textOf = (fields: Fields, name: string): string => fields.get(name)?.toString() ?? '';
const numberOf = (fields: Fields, name: string): number => Number(fields.get(name) ?? 0);

const marksOf = (blocks: readonly string[], replies: readonly unknown[]): Marks =>
  new Map(blocks.map((key, i) => [key, replies[i] as Buffer | null]));

function metaOf(fields: Fields, isAsleep: boolean): MetaReading {
  const cursors = new Map<number, number>();
  for (const [name, value] of fields) {
    if (name.startsWith('in:')) cursors.set(Number(name.slice(3)), Number(value));
  }
  return {
    seq: numberOf(fields, 'seq'),
    hash: textOf(fields, 'hash'),
    tick: numberOf(fields, 'tick'),
    epoch: textOf(fields, 'epoch') || '0',
    nonce: textOf(fields, 'nonce'),
    idCounter: numberOf(fields, 'ids'),
    outSeq: numberOf(fields, 'out'),
    cursors,
    isAsleep,
  };
}

/** Of a cell of which nothing is in Redis: as it sleeps, or as if it was never written. */
function absentReading(cell: number, cold: ColdCell | undefined): CellReading {
  const meta = metaOf(cold === undefined ? new Map() : headFields(cold), cold !== undefined);
  if (cold === undefined) return { cell, meta, checkpoints: [], entries: [], out: [] };
  const { seq, hash, tick, checkpoint: body } = cold;
  return { cell, meta, checkpoints: [{ seq, hash, tick, body }], entries: [], out: [] };
}

function checkpointOf(fields: Fields): CheckpointReading | undefined {
  const body = fields.get('body');
  if (body === undefined) return undefined;
  const [seq, hash, tick] = [numberOf(fields, 'seq'), textOf(fields, 'hash'), 'tick'];
  return { seq, hash, tick: numberOf(fields, tick), body };
}

function seqOf(id: Buffer): number {
  const match = /^(\d+)-0$/.exec(id.toString());
  return match === null ? Number.NaN : Number(match[1]);
}

const EMPTY = new Uint8Array(0);

function entryOf(item: unknown): EntryReading {
  const [id, values] = item as [Buffer, Buffer[]];
  const fields = fieldsOf(values);
  const [version = '', epoch = '', prevHash = '', hash = '', tick] = textOf(fields, 'h').split(' ');
  return {
    seq: seqOf(id),
    version,
    epoch,
    prevHash,
    hash,
    tick: Number(tick),
    body: fields.get('b') ?? EMPTY,
  };
}

function outOf(item: unknown): OutReading {
  const [id, values] = item as [Buffer, Buffer[]];
  const fields = fieldsOf(values);
  return {
    seq: seqOf(id),
    to: numberOf(fields, 'd'),
    tick: numberOf(fields, 't'),
    body: fields.get('b') ?? EMPTY,
  };
}
