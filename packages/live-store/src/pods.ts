/**
 * Pods as others see them: a record each, and a channel that only the pod itself subscribes, so
 * that a closed connection shows within milliseconds (PUBSUB NUMSUB).
 */
import { checkName } from '@leasehold/kernel';
import type { PodRecord } from '@leasehold/protocol';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import type { ServerClock } from './server-clock.ts';

/** A record without a connection is kept for a moment: the pod may be connecting again. */
const RECORD_KEPT_MS = 5_000;

export class Pods {
  readonly #commands: Link;
  readonly #hearing: Link;
  readonly #keys: Keys;
  readonly #clock: ServerClock;
  #own: PodRecord | undefined;

  constructor(links: { commands: Link; hearing: Link }, keys: Keys, clock: ServerClock) {
    this.#commands = links.commands;
    this.#hearing = links.hearing;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** The name of the announced pod, if one is. */
  get own(): string | undefined {
    return this.#own?.pod;
  }

  async announce(pod: string, pid: number, hear: (message: string) => void): Promise<void> {
    const channels = [this.#keys.podChannel(checkName('pod', pod)), this.#keys.planChannel];
    await this.#hearing.redis.subscribe(...channels);
    const [seconds, micros] = (await this.#commands.call(['TIME'])) as [string, string];
    const nowMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const { layer } = this.#keys;
    this.#own = {
      pod,
      layer,
      state: 'ready',
      pid,
      startedAtMs: nowMs,
      seenAtMs: nowMs,
      report: {},
    };
    await this.renew();
    // Last, so that announcing again after a fault does not hear everything twice.
    this.#hearing.redis.on('message', (from: string, message: string) => {
      if (channels.includes(from)) hear(message);
    });
  }

  async report(state: PodRecord['state'], report: PodRecord['report']): Promise<void> {
    if (this.#own === undefined) return;
    this.#own = { ...this.#own, state, report };
    await this.renew();
  }

  /**
   * Writes the own record again. A server that lost it, or a new one, has it back within a beat.
   */
  async renew(): Promise<void> {
    if (this.#own === undefined) return;
    this.#own = { ...this.#own, seenAtMs: Math.floor(this.#clock.nowMs()) };
    await this.#commands.call(['HSET', this.#keys.pods, this.#own.pod, JSON.stringify(this.#own)]);
  }

  /** What it said of its load goes with it. */
  async withdraw(): Promise<void> {
    if (this.#own === undefined) return;
    const { pod } = this.#own;
    this.#own = undefined;
    const { pods, loads } = this.#keys;
    await this.#commands.exec([pods, loads].map((key) => ['HDEL', key, pod]));
  }

  async pods(): Promise<PodRecord[]> {
    const sentAtMs = this.#clock.localMs();
    const [time, flat] = (await this.#commands.exec([['TIME'], ['HVALS', this.#keys.pods]])).map(
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
    if (gone.length > 0) await this.#commands.call(['HDEL', this.#keys.pods, ...gone]);
    return records
      .filter((record) => record.layer === this.#keys.layer && !gone.includes(record.pod))
      .sort((a, b) => (a.pod < b.pod ? -1 : 1));
  }

  async connected(pods: readonly string[]): Promise<Set<string>> {
    if (pods.length === 0) return new Set();
    const channels = pods.map((pod) => this.#keys.podChannel(pod));
    const flat = (await this.#commands.call(['PUBSUB', 'NUMSUB', ...channels])) as unknown[];
    return new Set(pods.filter((_, i) => Number(flat[i * 2 + 1]) > 0));
  }

  async notify(pod: string, message: string): Promise<void> {
    await this.#commands.call(['PUBLISH', this.#keys.podChannel(pod), message]);
  }
}
