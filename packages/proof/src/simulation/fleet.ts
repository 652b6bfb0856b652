/** The pods of a run, each on a machine of its own, and whoever starts another when one has died. */
import type { Log, Random } from '@leasehold/kernel';
import { Pod } from '@leasehold/pod';
import { Host } from './host.ts';
import { type Net, Wire } from './wire.ts';
import type { SimWorld } from './world.ts';

const LEASE_TTL_MS = 2_000;
/** A new process is there so long after another has died. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 2_000;
const DRAIN_MS = 3_000;

export type FleetParts = {
  readonly net: Net;
  readonly world: SimWorld;
  readonly random: Random;
  readonly logOf: (name: string) => Log;
  /** Pods that there should be. */
  readonly size: number;
  readonly sliceMs: number;
};

type PodProcess = { readonly host: Host; pod: Pod | undefined };

export class Fleet {
  readonly pods = new Map<string, PodProcess>();
  /** Every host that ever was, by name. */
  readonly hostOf = new Map<string, Host>();
  readonly #parts: FleetParts;
  readonly #silent = new Set<string>();
  #born = 0;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  get hosts(): Host[] {
    return [...this.pods.values()].map(({ host }) => host);
  }

  start(startingPods = 1): void {
    const { net, world } = this.#parts;
    const name = `pod-${this.#born++}`;
    const host = new Host(net.time, name, () => this.#died(host));
    const process: PodProcess = { host, pod: undefined };
    this.pods.set(name, process);
    this.hostOf.set(name, host);
    const wire = new Wire(net, host, world.open);
    void this.#boot(process, wire, startingPods).catch((error: unknown) => {
      net.trace.note('log', name, `cannot start: ${String(error)}`);
      host.die();
    });
  }

  async #boot(process: PodProcess, { store }: Wire, startingPods: number): Promise<void> {
    const { world, random, logOf } = this.#parts;
    const { host } = process;
    // The store's clock is known from the first answer on.
    await store.clock();
    const pod = new Pod({
      ...{ pod: host.name, pid: this.#born, store, engine: world.compiled(), clock: host },
      log: logOf(host.name),
      settings: {
        ...{ leaseTtlMs: LEASE_TTL_MS, blocksMax: 1_000 },
        ...{ indexResolution: 0.5, startingPods, sliceMs: this.#parts.sliceMs },
      },
      randomHex: () => random.next().toString(16).padStart(8, '0'),
      schemaOf: () => undefined,
    });
    await pod.start();
    process.pod = pod;
  }

  /** `isSilent`: nobody tells the store that its connection is gone. */
  kill(name: string, isSilent = false): void {
    if (isSilent) this.#silent.add(name);
    this.pods.get(name)?.host.die();
  }

  /** It hands over what it has and ends, in time or not. */
  drain(name: string): void {
    const process = this.pods.get(name);
    if (process?.pod === undefined) return;
    const { host, pod } = process;
    void pod.drain(DRAIN_MS).then(() => host.die());
  }

  #died(host: Host): void {
    const { net, world, random } = this.#parts;
    this.pods.delete(host.name);
    net.trace.note('event', host.name, 'is dead');
    if (!this.#silent.has(host.name)) world.server.disconnect(host.name);
    net.time.after(random.between(RESTART_MS_MIN, RESTART_MS_MAX), () => this.#refill());
  }

  #refill(): void {
    if (this.pods.size < this.#parts.size) this.start();
  }
}
