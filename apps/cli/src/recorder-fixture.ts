/**
 * Writes down every entry that a server has in the logs of a world, for tests that compare
 * histories. Logs are trimmed, so it must look more often than one checkpoint comes after another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '@leasehold/testkit';

const LOOK_MS = 150;

export type RecordedWorld = {
  readonly world: string;
  readonly incarnation: number;
  readonly columns: number;
  readonly rows: number;
  readonly blockCells: number;
};

export class Recorder {
  /** Hash of each entry, by `cell:seq`. */
  readonly #hashes = new Map<string, string>();
  readonly #seqs: number[] = [];
  readonly #prefixes: readonly string[];
  readonly #redis: ReturnType<typeof connectRedis>;
  #isStopped = false;
  /** The highest tick of any cell. */
  tick = 0;

  constructor(url: string, { world, incarnation, columns, rows, blockCells }: RecordedWorld) {
    this.#redis = connectRedis(url);
    this.#prefixes = Array.from({ length: columns * rows }, (_, cell) => {
      const x = Math.floor((cell % columns) / blockCells);
      const y = Math.floor(Math.floor(cell / columns) / blockCells);
      return `{${world}.${incarnation}.${x}.${y}}:${cell}`;
    });
  }

  get size(): number {
    return this.#hashes.size;
  }

  async hasReplica(): Promise<boolean> {
    return /state=online/.test(await this.#redis.info('replication'));
  }

  async promote(): Promise<void> {
    await this.#redis.replicaof('NO', 'ONE');
    await this.record();
  }

  /** Epoch and nonce of every cell's lease: they change when a lease goes to somebody else. */
  async epochs(): Promise<(string | null)[][]> {
    const pipeline = this.#redis.pipeline();
    for (const prefix of this.#prefixes) pipeline.hmget(`${prefix}:meta:main`, 'epoch', 'nonce');
    return ((await pipeline.exec()) ?? []).map(([, fields]) => fields as (string | null)[]);
  }

  /**
   * Looks once. Returns how many entries were new; fails when some were trimmed before the look.
   */
  async record(): Promise<number> {
    const pipeline = this.#redis.pipeline();
    for (const [cell, prefix] of this.#prefixes.entries()) {
      pipeline.xrange(`${prefix}:log:main`, `(${this.#seqs[cell] ?? 0}-0`, '+');
    }
    let count = 0;
    for (const [cell, [error, items]] of ((await pipeline.exec()) ?? []).entries()) {
      if (error !== null) throw error;
      for (const [id, fields] of items as [string, string[]][]) {
        const seq = Number.parseInt(id, 10);
        const last = this.#seqs[cell];
        if (last !== undefined && seq !== last + 1) throw new Error(`${last} to ${seq} unseen`);
        this.#seqs[cell] = seq;
        const [, , , hash = '', tick] = (fields[1] ?? '').split(' ');
        this.#hashes.set(`${cell}:${seq}`, hash);
        this.tick = Math.max(this.tick, Number(tick));
        count++;
      }
    }
    return count;
  }

  /** Looks again and again until it is stopped or its server is gone. */
  async start(): Promise<void> {
    while (!this.#isStopped) {
      await this.record().catch((error: Error) => {
        if (/unseen/.test(error.message)) throw error;
        this.#isStopped = true;
      });
      await sleep(LOOK_MS);
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  add(other: Recorder): void {
    for (const [place, hash] of other.#hashes) this.#hashes.set(place, hash);
  }

  /** Entries recorded here that the other history has not, or has otherwise: `cell:seq`. */
  notIn(other: Recorder): string[] {
    return [...this.#hashes]
      .filter(([at, hash]) => other.#hashes.get(at) !== hash)
      .map(([at]) => at);
  }

  close(): void {
    this.#redis.disconnect();
  }
}
