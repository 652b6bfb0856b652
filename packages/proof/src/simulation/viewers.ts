/** Those who look: real clients on connections that break, each with an area, judged by V1. */
import { connect, type Subscription, type View } from '@leasehold/client';
import type { Random } from '@leasehold/kernel';
import { AreaShape, type AreaSpec } from '@leasehold/spatial';
import type { Gateways } from './gateways.ts';
import { type SimConnection, socketClass } from './socket.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Census, SimWorld } from './world.ts';

/** Half a step of the positions' fixed point, and a little for the arithmetic. */
const HALF_STEP = 0.005 + 1e-9;

export type ViewerParts = {
  readonly time: VirtualTime;
  readonly gateways: Gateways;
  readonly world: SimWorld;
  readonly random: Random;
};

export class SimViewer {
  readonly name: string;
  readonly view: View;
  readonly subscription: Subscription;
  readonly area: AreaSpec;
  isReading = true;
  #connection: SimConnection | undefined;

  constructor(parts: ViewerParts, name: string, area: AreaSpec) {
    const { time, gateways, random } = parts;
    this.name = name;
    this.area = area;
    this.view = connect({
      url: gateways.urls,
      clock: { nowMs: () => time.nowMs, after: (ms, run) => time.after(ms, run) },
      random: () => random.float(),
      WebSocket: socketClass({
        time,
        accept: (url, end) => gateways.accept(url, end),
        opened: (connection) => {
          this.#connection = connection;
        },
        isReading: () => this.isReading,
      }),
    });
    this.subscription = this.view.subscribe({ area });
  }

  cut(): void {
    this.#connection?.broken();
  }

  setReading(isReading: boolean): void {
    this.isReading = isReading;
    this.#connection?.pump();
  }

  /** V1: how its view differs from the truth; '' when it does not. */
  difference({ beings }: Census, { grid }: SimWorld): string {
    const { subscription, name } = this;
    if (!subscription.isLive) return `${name} is not live`;
    const shape = new AreaShape(grid, this.area);
    const xs = new Map(subscription.values('position', 'x'));
    const ys = new Map(subscription.values('position', 'y'));
    const seen = new Set(subscription.ids());
    for (const [id, { x, y, cell, to }] of beings) {
      // One on the way belongs to the cell it left, and so to the views that see that cell.
      if (!shape.cells.includes(cell) || !shape.contains(x, y)) continue;
      // Where its gateway follows only the cell that it left, nobody can say that it is on its way.
      if (!seen.delete(id) && shape.cells.includes(to))
        return `${name} does not see ${id} of cell ${cell}`;
      if (!xs.has(id)) continue;
      const isNear =
        Math.abs(Number(xs.get(id)) - x) <= HALF_STEP &&
        Math.abs(Number(ys.get(id)) - y) <= HALF_STEP;
      if (!isNear) return `${name} sees ${id} at ${xs.get(id)} ${ys.get(id)}, it is at ${x} ${y}`;
    }
    for (const id of seen) return `${name} sees ${id}, who is not there`;
    return '';
  }
}

export class Viewers {
  readonly all: readonly SimViewer[];

  constructor(parts: ViewerParts, count: number) {
    const { width, height } = parts.world.grid;
    const areas: readonly AreaSpec[] = [
      { kind: 'world' },
      { kind: 'box', minX: 3, minY: 11.5, maxX: width - 8, maxY: height - 6 },
      { kind: 'circle', x: 5, y: height / 2, radius: 13 },
    ];
    this.all = areas.slice(0, count).map((area, i) => new SimViewer(parts, `viewer-${i}`, area));
  }

  close(): void {
    for (const { view } of this.all) view.close();
  }
}
