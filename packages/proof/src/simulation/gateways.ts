/** The gateways of a run: real hubs, each on a machine of its own, reached by addresses. */
import type { Log } from '@leasehold/kernel';
import { ViewHub } from '@leasehold/view';
import { Host } from './host.ts';
import type { ServerEnd } from './socket.ts';
import { type Net, Wire } from './wire.ts';
import { type SimWorld, TICK_HZ, WORLD } from './world.ts';

/** A crashed gateway is there again after so long. */
const RESTART_MS = 700;

export type GatewayParts = {
  readonly net: Net;
  readonly world: SimWorld;
  readonly logOf: (name: string) => Log;
  readonly size: number;
};

type Gateway = { readonly host: Host; readonly hub: ViewHub; readonly ends: Set<ServerEnd> };

export class Gateways {
  readonly #parts: GatewayParts;
  readonly #open = new Map<string, Gateway>();

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    for (let i = 0; i < parts.size; i++) void this.#start(i);
  }

  get urls(): string[] {
    return Array.from({ length: this.#parts.size }, (_, i) => urlOf(i));
  }

  get hosts(): Host[] {
    return [...this.#open.values()].map(({ host }) => host);
  }

  /** The gateway at an address takes a connection, if there is one. */
  accept(url: string, end: ServerEnd): boolean {
    const gateway = this.#open.get(url);
    if (gateway === undefined) return false;
    gateway.ends.add(end);
    gateway.host.soon(() => end.joined(gateway.hub, gateway.host));
    return true;
  }

  async #start(place: number): Promise<void> {
    const { net, world, logOf } = this.#parts;
    const name = `gateway-${place}`;
    const url = urlOf(place);
    const host = new Host(net.time, name, () => this.#died(place));
    const { store } = new Wire(net, host, world.open);
    const { schema, spatial } = world.engine;
    const { mode } = world.options;
    const facts = { gateway: name, ...WORLD, tickHz: TICK_HZ, mode, canKill: false };
    const hub = new ViewHub({
      ...{ store, schema, grid: world.grid, clock: host, log: logOf(name), facts },
      ...(spatial === undefined ? {} : { spatial }),
    });
    // As the real one, it opens its connections before it takes clients.
    while ((await store.clock().catch(() => undefined)) === undefined) await host.sleep(100);
    hub.start();
    this.#open.set(url, { host, hub, ends: new Set() });
  }

  #died(place: number): void {
    const { net, world } = this.#parts;
    const url = urlOf(place);
    const gateway = this.#open.get(url);
    this.#open.delete(url);
    net.trace.note('event', `gateway-${place}`, 'is dead');
    world.server.disconnect(`gateway-${place}`);
    for (const end of gateway?.ends ?? []) end.broken();
    net.time.after(RESTART_MS, () => void this.#start(place));
  }
}

function urlOf(place: number): string {
  return `ws://gateway-${place}/view`;
}
