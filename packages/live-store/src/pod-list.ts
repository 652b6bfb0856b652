/** The pods of a layer as others see them; whoever lists them removes what is left of the gone. */
import type { PodRecord } from '@leasehold/protocol';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import type { ServerClock } from './server-clock.ts';

/** A record without a connection is kept for a moment: the pod may be connecting again. */
const RECORD_KEPT_MS = 5_000;

export class PodList {
  readonly #link: Link;
  readonly #keys: Keys;
  readonly #clock: ServerClock;

  constructor(link: Link, keys: Keys, clock: ServerClock) {
    this.#link = link;
    this.#keys = keys;
    this.#clock = clock;
  }

  async pods(): Promise<PodRecord[]> {
    const sentAtMs = this.#clock.localMs();
    const [time, flat] = (await this.#link.exec([['TIME'], ['HVALS', this.#keys.pods]])).map(
      ({ value, error }) => {
        if (error !== undefined) throw error;
        return value as readonly string[];
      },
    );
    const nowMs = Number(time?.[0]) * 1000 + Math.floor(Number(time?.[1]) / 1000);
    this.#clock.note(nowMs, sentAtMs);
    const records = (flat ?? []).map((json) => JSON.parse(json) as PodRecord);
    const connected = await this.connected(records.map(({ pod }) => pod));
    const isGone = ({ pod, seenAtMs }: PodRecord): boolean =>
      !connected.has(pod) && nowMs - seenAtMs > RECORD_KEPT_MS;
    const gone = records.filter(isGone).map(({ pod }) => pod);
    if (gone.length > 0) await this.#link.call(['HDEL', this.#keys.pods, ...gone]);
    return records
      .filter((record) => record.layer === this.#keys.layer && !gone.includes(record.pod))
      .sort((a, b) => (a.pod < b.pod ? -1 : 1));
  }

  async connected(pods: readonly string[]): Promise<Set<string>> {
    if (pods.length === 0) return new Set();
    const channels = pods.map((pod) => this.#keys.podChannel(pod));
    const flat = (await this.#link.call(['PUBSUB', 'NUMSUB', ...channels])) as unknown[];
    return new Set(pods.filter((_, i) => Number(flat[i * 2 + 1]) > 0));
  }

  async notify(pod: string, message: string): Promise<void> {
    await this.#link.call(['PUBLISH', this.#keys.podChannel(pod), message]);
  }

  /**
   * Something was posted to cells of a pod, or of nobody: then all pods of the layer are told. `layer`:
   * its number; −1: the own one.
   */
  async tellPosted(pod: string, layer: number, cells: readonly number[]): Promise<void> {
    const channel = pod === '' ? this.#keys.planChannelOf(layer) : this.#keys.podChannel(pod);
    await this.#link.call(['PUBLISH', channel, JSON.stringify({ posted: cells })]);
  }
}
