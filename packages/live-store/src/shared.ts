/** What all pods of a world share beside its cells: the clock, the feed, the schemas. */
import type { FeedEntry, WorldClock } from '@leasehold/protocol';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';

/** Notes kept in the feed; older ones are dropped. */
const FEED_ENTRIES_MAX = 10_000;
const FEED_PER_READ_MAX = 1_000;

export class Shared {
  readonly #link: Link;
  readonly #keys: Keys;

  constructor(link: Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  async clock(): Promise<WorldClock | undefined> {
    const { clock, pin } = this.#keys;
    const [json, cut] = (await this.#link.call(['MGET', clock, pin])) as (string | null)[];
    if (json === null || json === undefined) return undefined;
    const read = JSON.parse(json) as WorldClock;
    return cut === null ? read : { ...read, cutTick: Number(cut) };
  }

  async setClock(clock: Omit<WorldClock, 'baseMs'>): Promise<WorldClock> {
    const [seconds, micros] = (await this.#link.call(['TIME'])) as [string, string];
    const baseMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const { cutTick: _, ...set } = clock;
    const full: WorldClock = { ...set, baseMs };
    await this.#link.call(['SET', this.#keys.clock, JSON.stringify(full)]);
    return full;
  }

  async pinCut(tick: number, forMs: number): Promise<void> {
    const { pin } = this.#keys;
    if (forMs <= 0) await this.#link.call(['DEL', pin]);
    else await this.#link.call(['SET', pin, tick, 'PX', Math.ceil(forMs)]);
  }

  async feed({ kind, pod, facts }: Omit<FeedEntry, 'atMs'>): Promise<void> {
    const limit = ['MAXLEN', '~', FEED_ENTRIES_MAX] as const;
    const fields = ['k', kind, 'p', pod, 'f', JSON.stringify(facts)] as const;
    await this.#link.call(['XADD', this.#keys.feed, ...limit, '*', ...fields]);
  }

  /** `afterId` '' reads from the oldest note kept. The id of the answer is where to read on. */
  async readFeed(
    afterId: string,
  ): Promise<{ readonly id: string; readonly entries: readonly FeedEntry[] }> {
    const from = afterId === '' ? '-' : `(${afterId}`;
    const range = ['XRANGE', this.#keys.feed, from, '+', 'COUNT', FEED_PER_READ_MAX] as const;
    const raw = (await this.#link.call([...range])) as [string, string[]][];
    const entries = raw.map(([id, [, kind = '', , pod = '', , facts = '{}']]): FeedEntry => {
      const atMs = Number.parseInt(id, 10);
      return { atMs, kind, pod, facts: JSON.parse(facts) as FeedEntry['facts'] };
    });
    return { id: raw.at(-1)?.[0] ?? afterId, entries };
  }

  async putSchema(hash: string, json: string): Promise<void> {
    await this.#link.call(['HSETNX', this.#keys.schemas, hash, json]);
  }

  async schemas(): Promise<ReadonlyMap<string, string>> {
    const fields = (await this.#link.call(['HGETALL', this.#keys.schemas])) as string[];
    const schemas = new Map<string, string>();
    for (let i = 0; i < fields.length; i += 2) {
      schemas.set(String(fields[i]), String(fields[i + 1]));
    }
    return schemas;
  }

  async getSchema(hash: string): Promise<string | undefined> {
    const json = (await this.#link.call(['HGET', this.#keys.schemas, hash])) as string | null;
    return json ?? undefined;
  }
}
