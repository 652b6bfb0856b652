/**
 * Pods of a run that somebody has drained. One that ran another module than the world has by now, or
 * other settings, left for the sake of that, and another takes its place; of the others there are to be fewer.
 */
import type { Pod } from './fleet.ts';
import type { StoredWorld } from './stored-world.ts';
import { appliedMark } from './world/record.ts';

export class Leavers {
  /** How many are being looked at: until then nobody knows whether the run has a pod to come. */
  waiting = 0;
  readonly #world: Pick<StoredWorld, 'name' | 'redisUrl'>;
  readonly #replace: (layer: string) => void;

  constructor(world: Pick<StoredWorld, 'name' | 'redisUrl'>, replace: (layer: string) => void) {
    this.#world = world;
    this.#replace = replace;
  }

  note({ report, layer }: Pick<Pod, 'report' | 'layer'>): void {
    this.waiting++;
    const { name, redisUrl } = this.#world;
    void appliedMark(name, redisUrl)
      .then((mark) => {
        const isOlder = mark !== undefined && report['module'] !== mark;
        if (isOlder) this.#replace(layer);
      })
      // A record that cannot be read says nothing of the pod.
      .catch(() => undefined)
      .finally(() => this.waiting--);
  }
}
