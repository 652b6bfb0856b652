/**
 * For tests: writes a small world key by key, as the store would, and lies on demand. It shares no
 * code with the store, so a test of the auditor does not trust what it tests.
 */
import { entityId } from '@leasehold/kernel';
import {
  applyCommit,
  type ChannelEntry,
  decodeCommit,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  entryHash,
  layerSchema,
  schemaJson,
  Table,
} from '@leasehold/protocol';
import type { Redis } from 'ioredis';
import { blockKeyOf, type CellKeys, cellKeys, schemasKey, type WorldFacts } from './keys.ts';

export const SCHEMA = layerSchema('main', [
  { name: 'thing', version: 1, fields: [{ name: 'x', kind: 'f64', initial: 0 }] },
]);

export type Tick = {
  readonly births?: number;
  /** Births under these ids, whatever the counter says. */
  readonly birthIds?: readonly number[];
  readonly deaths?: readonly number[];
  readonly departures?: readonly { readonly to: number; readonly ids: readonly number[] }[];
  readonly arrivals?: readonly ChannelEntry[];
  readonly withCheckpoint?: boolean;
  /** What is written wrong. */
  readonly lie?: {
    readonly epoch?: string;
    readonly seq?: number;
    readonly prevHash?: string;
    readonly hash?: string;
    readonly keepCursor?: boolean;
    readonly keepChannel?: boolean;
    readonly keepMeta?: boolean;
    /** Written to the log, not done to the state that checkpoints are made of. */
    readonly isForgotten?: boolean;
  };
};

export class CellByHand {
  readonly cell: number;
  readonly keys: CellKeys;
  table = new Table(SCHEMA);
  seq = 0;
  hash = '';
  tick = 0;
  idCounter = 0;
  outSeq = 0;
  epoch = '0';
  nonce = '';
  #slot = 0;
  readonly #redis: Redis;

  constructor(redis: Redis, cell: number, keys: CellKeys) {
    this.#redis = redis;
    this.cell = cell;
    this.keys = keys;
  }

  async grant(epoch: string, nonce = `pod.${epoch}`): Promise<void> {
    this.epoch = epoch;
    this.nonce = nonce;
    await this.#redis.hset(this.keys.meta, { epoch, nonce });
  }

  /** Appends a tick; returns the channel entries it wrote. */
  async commit(what: Tick = {}): Promise<ChannelEntry[]> {
    const { lie = {}, arrivals = [] } = what;
    this.tick = this.seq === 0 ? 0 : this.tick + 1;
    const merged = new Table(SCHEMA);
    merged.merge(this.table);
    const rows = arrivals.map((entry) => idsTable(idsIn(entry)));
    for (const row of rows) merged.merge(row);
    merged.clearDirty();
    const births = idsTable(what.birthIds ?? this.#newIds(what.births ?? 0));
    const out = (what.departures ?? []).map(({ to, ids }, i) => {
      const picked = merged.pick(ids.map((id) => merged.find(id)));
      const seq = this.outSeq + 1 + i;
      const body = encodeRows(picked, this.tick);
      return { seq, from: this.cell, to, tick: this.tick, body, ids };
    });
    const body = encodeCommit(merged, {
      tick: this.tick,
      idCounter: this.idCounter,
      arrivals,
      births,
      deaths: what.deaths ?? [],
      departures: out.map(({ to, seq, ids }) => ({ to, seq, ids })),
    });
    if (lie.isForgotten !== true) applyCommit(this.table, decodeCommit(body, SCHEMA));
    const seq = lie.seq ?? this.seq + 1;
    const prevHash = lie.prevHash ?? this.hash;
    const epoch = lie.epoch ?? this.epoch;
    const hash = lie.hash ?? entryHash(prevHash, seq, epoch, this.tick, body);
    const header = `1 ${epoch} ${prevHash} ${hash} ${this.tick}`;
    await this.#redis.xadd(this.keys.log, `${seq}-0`, 'h', header, 'b', Buffer.from(body));
    [this.seq, this.hash] = [seq, hash];
    for (const entry of lie.keepChannel === true ? [] : out) {
      const parts = ['d', entry.to, 't', entry.tick, 'b', Buffer.from(entry.body)];
      await this.#redis.xadd(this.keys.out, `${entry.seq}-0`, ...parts);
    }
    this.outSeq += out.length;
    await this.#writeMeta(lie.keepMeta === true ? [] : lie.keepCursor === true ? null : arrivals);
    if (what.withCheckpoint === true) await this.checkpoint();
    return out;
  }

  async #writeMeta(arrivals: readonly ChannelEntry[] | null): Promise<void> {
    const { seq, hash, tick, outSeq, idCounter, epoch, nonce } = this;
    const cursors = (arrivals ?? []).map((entry) => [`in:${entry.from}`, String(entry.seq)]);
    await this.#redis.hset(this.keys.meta, {
      seq,
      hash,
      tick,
      out: outSeq,
      ids: idCounter,
      epoch,
      nonce,
      ...Object.fromEntries(cursors),
    });
  }

  async checkpoint(table = this.table): Promise<void> {
    const { seq, hash, tick, idCounter } = this;
    const body = Buffer.from(encodeCheckpoint(table, { tick, idCounter }));
    const slot = this.#slot++ % 2 === 0 ? 0 : 1;
    await this.#redis.hset(this.keys.checkpoints[slot], { seq, hash, tick, body });
  }

  /** What a replica has of this cell; the returned function makes it all there is. */
  async replicate(): Promise<() => Promise<void>> {
    const { log, out, meta, checkpoints } = this.keys;
    const keys = [log, out, meta, ...checkpoints];
    const dumps = await Promise.all(keys.map((key) => this.#redis.dumpBuffer(key)));
    const { seq, hash, tick, idCounter, outSeq, epoch, nonce } = this;
    const table = new Table(SCHEMA);
    table.merge(this.table);
    table.clearDirty();
    return async () => {
      await this.#redis.del(...keys);
      for (const [i, dump] of dumps.entries()) {
        if (dump !== null) await this.#redis.restore(keys[i] as string, 0, dump);
      }
      Object.assign(this, { seq, hash, tick, idCounter, outSeq, epoch, nonce, table });
    };
  }

  #newIds(count: number): number[] {
    return Array.from({ length: count }, () => entityId(this.cell, ++this.idCounter));
  }
}

function idsTable(ids: readonly number[]): Table {
  const table = new Table(SCHEMA);
  for (const id of ids) table.append(id, 1);
  return table;
}

const idsIn = (entry: ChannelEntry & { readonly ids?: readonly number[] }): readonly number[] =>
  entry.ids ?? [];

/** Four cells in a row, two to a block, each with entry 1 and three entities. */
export async function worldByHand(
  redis: Redis,
  world: string,
): Promise<{ readonly facts: WorldFacts; readonly cells: readonly CellByHand[] }> {
  const facts = { world, incarnation: 1, layer: 'main', columns: 4, rows: 1, blockCells: 2 };
  await redis.hset(blockKeyOf(facts, 0), 'incarnation', 1);
  await redis.hset(blockKeyOf(facts, 2), 'incarnation', 1);
  await redis.hset(schemasKey(facts), SCHEMA.hash, schemaJson(SCHEMA));
  const cells = cellKeys(facts).map((keys, cell) => new CellByHand(redis, cell, keys));
  for (const cell of cells) {
    await cell.commit({ births: 3 });
    await cell.grant('1000');
  }
  return { facts, cells };
}
