/**
 * One world on one server, in which sequences run one after the other. Lanes run side by side: each
 * has a library and keys of its own, and its own idea of time.
 */
import { LiveStore } from '@leasehold/live-store';
import { Keys } from '@leasehold/live-store/keys';
import type { LinkOptions, Outcome, Request } from '@leasehold/live-store/link';
import { type ColdStore, entryHash, SEED_EPOCH } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import type { Hub } from './hub.ts';
import { instrumentedSource } from './instrument.ts';
import { gone, ModelLink, type WireFault } from './wire.ts';

/** Whole milliseconds at which every sequence begins. */
export const START_MS = 1_800_000_000_000;
export const GRACE_MS = 500;
export const LAYER = 'main';

export class Lane {
  readonly grid: Grid;
  readonly keys: Keys;
  readonly library: string;
  /** What a copy of the whole world is made of. */
  readonly names: readonly string[];
  /** Counts the servers that have answered; a failover makes it one more. */
  run = 1;
  nowMs = START_MS;
  /** Replicas that a barrier waits for. */
  replicas = 0;
  /** Whether replicas take what they are sent. */
  isReplicating = true;
  /** Called whenever the replicas have everything. */
  onKept: () => void = () => {};
  /** Where cells of its stores sleep; set before the first of them is asked for. */
  cold: ColdStore | undefined;
  readonly #world: string;
  readonly #hub: Hub;
  readonly #stores: LiveStore[] = [];
  readonly #links: ModelLink[] = [];
  #faults: WireFault[] = [];
  #late: { readonly requests: readonly Request[]; readonly replyAs: 'text' | 'bytes' }[] = [];

  /** A row of cells, as many blocks as there are cells, or one block. */
  constructor(hub: Hub, name: string, cells: number, isOneBlock = false) {
    this.#hub = hub;
    this.#world = name;
    this.library = `leasehold_${name}`;
    this.grid = new Grid(
      { kind: 'plane', width: 100 * cells, height: 100, cell: 100 },
      { blockCells: isOneBlock ? cells : 1 },
    );
    this.keys = new Keys(name, 1, LAYER, this.grid);
    const names: string[] = [];
    for (let cell = 0; cell < cells; cell++) {
      const { cell: _cell, cold: _cold, place: _place, ...of } = this.keys.cell(cell);
      names.push(...Object.values(of));
    }
    this.names = names;
  }

  async open(): Promise<void> {
    await this.#hub.everywhere(['FUNCTION', 'LOAD', 'REPLACE', instrumentedSource(this.library)]);
    await this.#hub.learn([this.keys.barrier, ...this.names]);
  }

  /** An empty world, at the beginning of time. */
  async reset(replicas: number): Promise<void> {
    this.#changeRun();
    this.nowMs = START_MS;
    this.replicas = replicas;
    this.isReplicating = true;
    this.onKept = () => {};
    this.#faults = [];
    this.#late = [];
    const blocks = Array.from({ length: this.grid.blocks }, (_, i) => this.keys.block(i));
    await Promise.all([
      this.#hub.everywhere(this.#verb('now', [], '1800000000', '0')),
      this.raw([
        ...this.#onBlocks('clear'),
        ...blocks.map((block): Request => ['HSET', block, 'incarnation', '1']),
        ...this.#onBlocks('keep'),
      ]),
    ]);
  }

  /**
   * The store of one process. What it remembers of another history counts for nothing: since then
   * it has a new connection to another server.
   */
  store(process = 0): LiveStore {
    const store = this.#stores[process] ?? this.#open();
    this.#stores[process] = store;
    return store;
  }

  #open(): LiveStore {
    return new LiveStore({
      url: this.#hub.url,
      world: this.#world,
      incarnation: 1,
      layer: LAYER,
      grid: this.grid,
      graceMs: GRACE_MS,
      library: this.library,
      perBlock: this.#hub.isCluster,
      ...(this.cold === undefined ? {} : { cold: this.cold }),
      makeLink: (options: LinkOptions) => {
        const link = new ModelLink(options, this);
        this.#links.push(link);
        return link;
      },
    });
  }

  #changeRun(): void {
    this.run++;
    for (const link of this.#links) link.meet(this.run);
  }

  /** Writes entry 1 of cells. */
  async seed(
    births: ReadonlyMap<number, { readonly body: Uint8Array; readonly idCounter: number }>,
    note: (entry: { hash: string; prevHash: string; body: Uint8Array }) => void,
  ): Promise<void> {
    for (const [cell, { body, idCounter }] of births) {
      const keys = this.keys.cell(cell);
      const hash = entryHash('', 1, SEED_EPOCH, 0, body);
      note({ hash, prevHash: '', body });
      const args = ['1', '1', '4', '0', hash, idCounter, Buffer.from(body)];
      const named = [keys.block, keys.meta, keys.log];
      const [reply] = await this.raw([
        ['FCALL', `${this.library}_cell_create`, named.length, ...named, ...args],
      ]);
      if (String(reply) !== 'OK') throw new Error(`cell ${cell} is not made: ${reply}`);
    }
    await this.keep();
  }

  /** Steps the server's clock, forward or back. */
  async step(ms: number): Promise<void> {
    this.nowMs += ms;
    const seconds = Math.floor(this.nowMs / 1000);
    const micros = (this.nowMs - seconds * 1000) * 1000;
    await this.#hub.everywhere(this.#verb('now', [], String(seconds), String(micros)));
  }

  /**
   * The next call of the library on the server of this cell fails at its k-th call of Redis, if it
   * may fail there.
   */
  async failNext(k: number, cell = 0): Promise<void> {
    await this.raw([this.#verb('fail', [this.keys.cell(cell).block], String(k))]);
  }

  /** The replicas catch up. */
  async keep(): Promise<void> {
    await this.raw(this.#onBlocks('keep'));
    this.onKept();
  }

  /** The primary dies; a replica that lacks what came after the last copy takes its place. */
  async failOver(): Promise<void> {
    this.#changeRun();
    await this.raw(this.#onBlocks('back'));
  }

  /** What happens to the next calls of the library, one each. */
  meddle(...faults: readonly WireFault[]): void {
    this.#faults.push(...faults);
  }

  /** Calls that were under way when their sender gave them up arrive at last. */
  async deliverLate(): Promise<void> {
    const late = this.#late.splice(0);
    for (const { requests, replyAs } of late) await this.#hub.exec(requests, replyAs);
  }

  dropFaults(): void {
    this.#faults = [];
  }

  /** What was under way to a server that is gone never arrives. */
  dropLate(): void {
    this.#late = [];
  }

  /** As a store sends it: with what the wire does to it. */
  async exec(requests: readonly Request[], replyAs: 'text' | 'bytes'): Promise<Outcome[]> {
    if (requests.at(-1)?.[0] === 'WAIT') return this.#proven(requests, replyAs);
    const fault = requests[0]?.[0] === 'FCALL' ? this.#faults.shift() : undefined;
    switch (fault) {
      case 'unsent':
        return requests.map(gone);
      case 'late':
        this.#late.push({ requests, replyAs });
        return requests.map(gone);
      case 'lost':
        await this.#hub.exec(requests, replyAs);
        return requests.map(gone);
      case 'twice':
        return (await this.#hub.exec([...requests, ...requests], replyAs)).slice(requests.length);
      default:
        return this.#hub.exec(requests, replyAs);
    }
  }

  /** What no store sends: to look and to meddle. Rejects when any of it fails. */
  async raw(requests: readonly Request[], replyAs: 'text' | 'bytes' = 'text'): Promise<unknown[]> {
    const outcomes = await this.#hub.exec(requests, replyAs);
    return outcomes.map(({ value, error }) => {
      if (error !== undefined) throw error;
      return value;
    });
  }

  /** A barrier: what was read before it is on the replicas, or it says how many have it. */
  async #proven(requests: readonly Request[], replyAs: 'text' | 'bytes'): Promise<Outcome[]> {
    const reads = requests.slice(0, -1);
    if (!this.isReplicating) return [...(await this.#hub.exec(reads, replyAs)), { value: 0 }];
    const all = [...reads, ...this.#onBlocks('keep')];
    const outcomes = (await this.#hub.exec(all, replyAs)).slice(0, reads.length);
    this.onKept();
    return [...outcomes, { value: this.replicas }];
  }

  /** The same for all keys, one call for those that are on one server for certain. */
  #onBlocks(verb: string): Request[] {
    if (!this.#hub.isCluster) return [this.#verb(verb, this.names)];
    const blocks = Array.from({ length: this.grid.blocks }, (_, i) => this.keys.block(i));
    return blocks.map((block) => {
      const tag = block.slice(0, block.indexOf('}') + 1);
      return this.#verb(
        verb,
        this.names.filter((name) => name.startsWith(tag)),
      );
    });
  }

  #verb(verb: string, keys: readonly string[], ...args: readonly string[]): Request {
    return ['FCALL', `${this.library}_model`, keys.length, ...keys, verb, ...args];
  }
}
