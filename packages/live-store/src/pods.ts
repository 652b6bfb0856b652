/**
 * The pod that this process is: its record, and a channel that only it subscribes, so that a closed
 * connection shows within milliseconds (PUBSUB NUMSUB). `pod-list` has the others.
 */
import { checkName } from '@leasehold/kernel';
import type { PodRecord } from '@leasehold/protocol';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import type { ServerClock } from './server-clock.ts';

export class Pods {
  readonly #commands: Link;
  readonly #hearing: Link;
  readonly #keys: Keys;
  readonly #clock: ServerClock;
  #own: PodRecord | undefined;
  /** What people last asked of it, as far as it has been told. */
  #order = '';
  #tell: (message: string) => void = () => undefined;

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
    this.#tell = hear;
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
   * Writes the own record again: a server that lost it, or a new one, has it back within a beat.
   * What people ask of the pod comes back with it, since what is published may be lost.
   */
  async renew(): Promise<void> {
    if (this.#own === undefined) return;
    const { pods, orders } = this.#keys;
    this.#own = { ...this.#own, seenAtMs: Math.floor(this.#clock.nowMs()) };
    const { pod } = this.#own;
    const [written, asked] = await this.#commands.exec([
      ['HSET', pods, pod, JSON.stringify(this.#own)],
      ['HGET', orders, pod],
    ]);
    const error = written?.error ?? asked?.error;
    if (error !== undefined) throw error;
    const order = String(asked?.value ?? '');
    if (order === this.#order) return;
    this.#order = order;
    this.#tell(JSON.stringify({ order }));
  }

  /** What was said of it and by it goes with it. */
  async withdraw(): Promise<void> {
    if (this.#own === undefined) return;
    const { pod } = this.#own;
    this.#own = undefined;
    const { pods, loads, orders } = this.#keys;
    await this.#commands.exec([pods, loads, orders].map((key) => ['HDEL', key, pod]));
  }
}
