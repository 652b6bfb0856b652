/**
 * The plan of a layer and the loads that its pods report, as pods and authorities read them. Asks
 * for the plan's mark first: it is small, and mostly the one that was there before.
 */
import {
  type CellLoad,
  decodeCellLoads,
  encodeCellLoads,
  type Plan,
  parsePlan,
} from '@leasehold/protocol';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';

type Known = { readonly mark: string | null; readonly plan: Plan | undefined };

export class Plans {
  readonly #link: Link;
  readonly #keys: Keys;
  /** By layer. */
  readonly #known = new Map<number, Known>();

  constructor(link: Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** `layer`: its number; −1: the own one. */
  async plan(layer = -1): Promise<Plan | undefined> {
    const key = this.#keys.planOf(layer);
    const known = this.#known.get(layer);
    // The mark is of the content: after a failover a version may come again with another one.
    const mark = (await this.#link.call(['HGET', key, 'mark'])) as string | null;
    if (mark === (known?.mark ?? null)) return known?.plan;
    const [seen, json] = (await this.#link.call(['HMGET', key, 'mark', 'body'])) as [
      string | null,
      string | null,
    ];
    const plan = json === null ? undefined : parsePlan(json);
    this.#known.set(layer, { mark: seen, plan });
    return plan;
  }

  async report(pod: string, loads: readonly CellLoad[]): Promise<void> {
    const bytes = Buffer.from(encodeCellLoads(loads));
    await this.#link.call(['HSET', this.#keys.loads, pod, bytes]);
  }

  /**
   * What these pods said; what others said is removed. What cannot be read is an empty list, and
   * `unreadable` is told: a pod of another version must not end all planning.
   */
  async loads(
    pods: readonly string[],
    unreadable: (pod: string, error: unknown) => void,
  ): Promise<Map<string, readonly CellLoad[]>> {
    const flat = (await this.#link.call(['HGETALL', this.#keys.loads], 'bytes')) as Buffer[];
    const found = new Map<string, readonly CellLoad[]>();
    const gone: string[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const pod = String(flat[i]);
      if (!pods.includes(pod)) gone.push(pod);
      else
        found.set(
          pod,
          readLoads(flat[i + 1] as Buffer, (error) => unreadable(pod, error)),
        );
    }
    if (gone.length > 0) await this.#link.call(['HDEL', this.#keys.loads, ...gone]);
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function readLoads(bytes: Buffer, unreadable: (error: unknown) => void): readonly CellLoad[] {
  try {
    return decodeCellLoads(bytes);
  } catch (error) {
    unreadable(error);
    return [];
  }
}
